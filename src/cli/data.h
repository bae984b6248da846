// `slipway data check` and `slipway data vary`; `slipway data import` is in data.cc.
#pragma once

#include "cli/command.h"

namespace slipway::cli {

CommandResult check_data(Context& context, const Arguments& arguments);
CommandResult vary_data(Context& context, const Arguments& arguments);

}  // namespace slipway::cli
