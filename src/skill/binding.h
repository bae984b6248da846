// The HTTP part of a skill file, read and checked; internal to this layer.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "json/value.h"
#include "skill/signature.h"

namespace slipway::skill {

// Reads the object at `where` into `function.http`; its templates may name only `function`'s
// parameters.
Status read_binding(const json::Value& value, const std::string& where, Function& function);

// timeout_ms, max_response_bytes and idempotent alone.
Status read_limits(const json::Value& value, const std::string& where, HttpBinding& http);

// Header names: tokens, and none that the client sets itself.
Status check_header_names(const std::vector<std::pair<std::string, std::string>>& headers,
                          const std::string& where);

// Refuses keys outside `known`, naming the nearest.
Status check_keys(const json::Value& object, const std::vector<std::string>& known,
                  const std::string& where);

// Every `{name}` in the binding's templates.
std::vector<std::string> bound_arguments(const HttpBinding& http);

}  // namespace slipway::skill
