#include "lab/run_rows.h"

#include <sstream>

#include "dataset/dataset.h"

namespace slipway::lab {

std::string RunRows::text(const std::string& example_id) const {
  const auto found = by_id.find(example_id);
  return found == by_id.end() ? std::string() : found->second.text();
}

RunRows rows_of_run(const store::Store& store, const store::Run& run) {
  RunRows rows;
  const auto bytes = store.get_object(run.inputs.text("rows_object"));
  if (!bytes.ok()) return rows;
  std::istringstream stream(*bytes);
  auto dataset = dataset::read_dataset(stream, "stored rows", {.strict = false});
  if (!dataset.ok()) return rows;
  for (auto& example : dataset->examples) {
    auto id = example.id;
    rows.by_id.emplace(std::move(id), std::move(example));
  }
  return rows;
}

}  // namespace slipway::lab
