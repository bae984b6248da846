#include "lab/lineage.h"

#include <algorithm>

namespace slipway::lab {
namespace {

void add_members(const json::Value& inputs, std::set<std::string>& adapters) {
  if (inputs.text("action") != "average") return;
  adapters.insert(inputs.text("source_sha256"));
  const auto* others = inputs.get("others_sha256");
  if (!others || !others->is_array()) return;
  for (const auto& other : others->as_array())
    if (other.is_string()) adapters.insert(other.as_string());
}

}  // namespace

Result<std::vector<const store::Run*>> makers_of(const store::Store& store,
                                                 const std::vector<store::Run>& runs,
                                                 std::set<std::string> adapters) {
  std::vector<std::pair<const store::Run*, std::string>> made;
  for (const auto& run : runs) {
    if (run.kind != "tune" && run.kind != "adapter") continue;
    if (run.status != store::RunStatus::finished) continue;
    SLIPWAY_TRY(tags, store.tags(run.id));
    if (const auto tag = tags.find("adapter_sha256"); tag != tags.end())
      made.emplace_back(&run, tag->second);
  }
  std::vector<const store::Run*> makers;
  for (size_t before = 1; makers.size() != before;) {  // members of members too
    before = makers.size();
    for (const auto& [run, adapter] : made) {
      if (!adapters.contains(adapter) || std::ranges::count(makers, run)) continue;
      makers.push_back(run);
      add_members(run->inputs, adapters);
    }
  }
  return makers;
}

}  // namespace slipway::lab
