// The rows that a run was evaluated on, as the store kept them.
//
//     const auto rows = rows_of_run(*store, run);
//     rows.text(c.example_id)      // what was asked; empty when it is not known
//
// Runs of older versions, and of clients, kept none: they have no rows, which is no error. A plain
// value.
#pragma once

#include <map>
#include <string>

#include "dataset/row.h"
#include "store/store.h"

namespace slipway::lab {

struct RunRows {
  std::map<std::string, dataset::Example> by_id;
  std::string text(const std::string& example_id) const;
};

RunRows rows_of_run(const store::Store& store, const store::Run& run);

}  // namespace slipway::lab
