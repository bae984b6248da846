#include "store/store.h"

#include "base/files.h"
#include "store/schema.h"
#include "store/store_impl.h"

namespace slipway::store {
namespace {

// The store holds prompts, answers and traces: it must not be committed by accident.
Status keep_out_of_git(const std::string& folder) {
  const std::string path = files::join(folder, ".gitignore");
  if (files::exists(path)) return {};
  return files::write_atomic(path, "*\n");
}

}  // namespace

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

Result<std::shared_ptr<Store>> Store::open(const std::string& folder, bool create) {
  const std::string path = files::absolute(folder);
  const std::string records = files::join(path, "records.db");
  if (!create && !files::exists(records)) {
    return Error::not_found("no store in '" + folder + "'",
                            "name a project folder in which something was run");
  }
  SLIPWAY_CHECK(files::make_directories(path));
  SLIPWAY_CHECK(keep_out_of_git(path));
  SLIPWAY_TRY(database, Database::open(records, Database::Mode::write));
  if (auto ready = prepare_schema(database); !ready.ok())
    return ready.error().in("'" + folder + "'");
  auto store = std::make_shared<Store>(std::make_unique<Impl>(path, records, std::move(database)));
  SLIPWAY_CHECK(store->impl_->objects.create());
  return store;
}

Result<std::string> Store::put_object(std::string_view bytes) { return impl_->objects.put(bytes); }

Result<std::string> Store::get_object(std::string_view sha256) const {
  return impl_->objects.get(sha256);
}

bool Store::has_object(std::string_view sha256) const { return impl_->objects.has(sha256); }

std::vector<std::string> Store::object_names() const {
  std::vector<std::string> names;
  impl_->objects.for_each([&](const std::string& name) {
    if (is_sha256(name)) names.push_back(name);
  });
  return names;
}

const std::string& Store::folder() const { return impl_->folder; }

}  // namespace slipway::store
