#include "store/artifacts.h"

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "store/store_impl.h"

namespace slipway::store {
namespace {

constexpr size_t kMostPathBytes = 4096;

Status check_path(const std::string& path) {
  bool sound = !path.empty() && path.size() <= kMostPathBytes && is_valid_utf8(path) &&
               path.find('\\') == std::string::npos;
  for (const auto& name : split(path, '/')) sound &= !name.empty() && name != "." && name != "..";
  if (sound) return {};
  return Error::invalid_input("'" + path.substr(0, 200) + "' is no path of an artifact",
                              "give names joined by '/'");
}

// The object is in the store.
Status insert_path(Store& store, const std::string& path, const std::string& sha256,
                   size_t bytes) {
  const int64_t now_ms = now_unix_ms();
  return store.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(insert, db.prepare("INSERT OR REPLACE INTO artifacts (path, sha256, bytes, put_ms) "
                                   "VALUES (?, ?, ?, ?)"));
    return insert.bind(path, sha256, static_cast<int64_t>(bytes), now_ms).run();
  });
}

}  // namespace

Status Artifacts::put(const std::string& path, std::string_view bytes) {
  SLIPWAY_CHECK(check_path(path));
  SLIPWAY_TRY(sha256, store_.put_object(bytes));
  return insert_path(store_, path, sha256, bytes.size());
}

Result<std::string> Artifacts::get(const std::string& path) const {
  std::string sha256;
  {
    SLIPWAY_TRY(reader, store_.parts().readers.take());
    SLIPWAY_TRY(query, reader->prepare("SELECT sha256 FROM artifacts WHERE path = ?"));
    SLIPWAY_TRY(found, query.bind(path).step());
    if (!found) return Error::not_found("no artifact '" + path + "'", "list its folder");
    sha256 = query.text(0);
  }
  return store_.get_object(sha256);
}

Result<std::vector<ArtifactEntry>> Artifacts::list(const std::string& folder) const {
  if (!folder.empty()) SLIPWAY_CHECK(check_path(folder));
  const std::string prefix = folder.empty() ? "" : folder + "/";
  const std::string after = folder.empty() ? "\U0010FFFF" : folder + "0";  // '0' follows '/'
  SLIPWAY_TRY(reader, store_.parts().readers.take());
  // From what is below one child the search leaps to the next.
  SLIPWAY_TRY(query, reader->prepare("SELECT path, bytes FROM artifacts WHERE path >= ? AND "
                                     "path < ? ORDER BY path LIMIT 1"));
  std::vector<ArtifactEntry> entries;
  std::string from = prefix;
  while (true) {
    SLIPWAY_TRY(found, query.bind(from, after).step());
    if (!found) break;
    const std::string path = query.text(0);
    const size_t end = path.find('/', prefix.size());
    const bool is_folder = end != std::string::npos;
    entries.push_back({path.substr(prefix.size(), is_folder ? end - prefix.size() : end), is_folder,
                       is_folder ? 0 : query.integer(1)});
    from = is_folder ? path.substr(0, end) + "0" : path + '\x01';
  }
  return entries;
}

Status Artifacts::remove(const std::string& path) {
  SLIPWAY_CHECK(check_path(path));
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(remove, db.prepare("DELETE FROM artifacts WHERE path = ?1 OR "
                                   "(path > ?1 || '/' AND path < ?1 || '0')"));
    return remove.bind(path).run();
  });
}

json::Value KeptFile::to_json() const {
  auto value = json::Value::object();
  return value.set("path", path).set("sha256", sha256);
}

std::string own_folder(const std::string& location) {
  if (!location.starts_with(own_artifacts)) return {};
  auto folder = location.substr(own_artifacts.size());
  folder.erase(0, std::min(folder.find_first_not_of('/'), folder.size()));
  return folder;
}

Result<std::string> folder_of_run(const Store& store, const std::string& run_id) {
  SLIPWAY_TRY(reader, store.parts().readers.take());
  SLIPWAY_TRY(query, reader->prepare("SELECT " + std::string(location_of_experiment) +
                                     " FROM runs r JOIN experiments e ON e.name = r.experiment "
                                     "WHERE r.id = ?"));
  SLIPWAY_TRY(found, query.bind(run_id).step());
  const auto folder = found ? own_folder(query.text(0)) : std::string();
  return folder.empty() ? folder : folder + "/" + run_id + "/artifacts";
}

Result<std::vector<KeptFile>> files_below(const Store& store, const std::string& folder) {
  std::vector<KeptFile> files;
  SLIPWAY_TRY(reader, store.parts().readers.take());
  SLIPWAY_TRY(query, reader->prepare("SELECT path, sha256 FROM artifacts WHERE path > ? AND "
                                     "path < ? ORDER BY path"));
  query.bind(folder + "/", folder + "0");
  while (true) {
    SLIPWAY_TRY(found, query.step());
    if (!found) return files;
    files.push_back({query.text(0).substr(folder.size() + 1), query.text(1)});
  }
}

Status take_file(Store& store, const std::string& folder, const KeptFile& file) {
  const auto path = folder + "/" + file.path;
  if (!check_path(path).ok()) return Error::corrupt("'" + file.path + "' is no artifact's path");
  if (!store.has_object(file.sha256))
    return Error::corrupt("the artifact '" + file.path + "' comes without its bytes");
  SLIPWAY_TRY(bytes, store.get_object(file.sha256));
  return insert_path(store, path, file.sha256, bytes.size());
}

}  // namespace slipway::store
