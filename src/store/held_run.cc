#include "store/held_run.h"

#include "base/files.h"
#include "base/ids.h"

namespace slipway::store {
namespace {

constexpr int most_looked_at = 1000;

Result<std::optional<FileLock>> lock_of(const Store& store, const std::string& run_id) {
  return FileLock::try_lock(files::join(store.folder(), "locks/" + run_id));
}

}  // namespace

Result<std::optional<HeldRun>> take_unfinished(const Store& store, const RunQuery& wanted,
                                               const json::Value& inputs) {
  SLIPWAY_TRY(runs, store.list_runs(wanted));
  for (auto& run : runs) {
    if (run.status == RunStatus::finished || !(run.inputs == inputs)) continue;
    SLIPWAY_TRY(tags, store.tags(run.id));
    if (tags.contains(imported_tag)) continue;  // what it left is elsewhere
    SLIPWAY_TRY(lock, lock_of(store, run.id));
    if (lock) return std::optional(HeldRun{std::move(run), std::move(*lock), true});
  }
  return std::optional<HeldRun>();
}

Result<HeldRun> create_held(Store& store, Run run) {
  if (run.id.empty()) run.id = new_run_id();
  // Locked before anybody can see it: unheld, it would be taken up as one that was stopped.
  SLIPWAY_TRY(lock, lock_of(store, run.id));
  if (!lock) return Error::internal("the lock of a new run is taken");
  SLIPWAY_TRY(created, store.create_run(std::move(run)));
  return HeldRun{std::move(created), std::move(*lock)};
}

Result<HeldRun> continue_or_begin(Store& store, Run run) {
  SLIPWAY_TRY(left,
              take_unfinished(store, {.kind = run.kind, .limit = most_looked_at}, run.inputs));
  if (!left) return create_held(store, std::move(run));
  SLIPWAY_CHECK(store.finish_run(left->run.id, RunStatus::running));
  return std::move(*left);
}

}  // namespace slipway::store
