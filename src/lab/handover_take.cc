// The taking side of lab/handover.h.
#include <cerrno>
#include <fstream>

#include "base/durable.h"
#include "base/file_lock.h"
#include "base/files.h"
#include "base/hash.h"
#include "lab/handover.h"
#include "model/weights.h"

namespace slipway::lab {
namespace {

// Records into a store; weights, when there is a folder for them, into that.
class Unpacker : public store::BundleSink {
 public:
  Unpacker(store::Store& to, store::ImportOptions options) : importer_(to, std::move(options)) {}
  ~Unpacker() override {
    if (!partial_.empty()) (void)files::remove_all(partial_).ok();
  }
  void keep_weights(const model::Catalog& catalog, const std::string& folder) {
    catalog_ = &catalog;
    folder_ = folder;
  }

  bool wants_object(const std::string& sha) const override { return importer_.wants_object(sha); }
  Status object(const std::string& bytes) override { return importer_.object(bytes); }
  Status record(const json::Value& record) override { return importer_.record(record); }
  Status end() override { return importer_.end(); }

  Result<bool> file(const store::BundledFile& file) override {
    if (!catalog_) return false;
    if (++files_ > most_bundled_models)
      return Error::corrupt("a bundle with too many files of weights");
    path_ = files::join(folder_, file_name(file.sha256));
    sha256_ = file.sha256;
    if (files::exists(path_)) {
      SLIPWAY_TRY(present, model::weights_sha256(path_));
      if (present == file.sha256) return false;
    }
    SLIPWAY_CHECK(files::make_directories(folder_));
    const auto beside = path_ + ".unbundled";
    errno = 0;
    out_.open(beside, std::ios::binary | std::ios::trunc);
    if (!out_) return cannot_write(beside);
    partial_ = beside;
    return true;
  }

  Status part(const std::string& bytes) override {
    errno = 0;
    out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!out_) return cannot_write(partial_);
    return {};
  }

  Status file_end() override {
    errno = 0;
    out_.close();
    if (out_.fail()) return cannot_write(partial_);
    SLIPWAY_CHECK(name_durably(partial_, path_));
    partial_.clear();
    model::remember_sha256(path_, sha256_);
    weights.push_back(path_);
    return {};
  }

  std::vector<std::string> weights;  // paths

 private:
  // Never a name that the bundle chose.
  std::string file_name(const std::string& sha) const {
    for (const auto& entry : catalog_->entries())
      if (entry.sha256 == sha) return entry.file;
    return sha + ".gguf";
  }

  store::Importer importer_;
  const model::Catalog* catalog_ = nullptr;
  std::string folder_, path_, sha256_;
  std::string partial_;  // what is being written, and goes if it is not finished
  std::ofstream out_;
  size_t files_ = 0;
};

// A folder of its own for one unbundling, gone with the object.
class Quay {
 public:
  static Result<Quay> make(const store::Store& store) {
    const auto folder = files::join(store.folder(), "incoming");
    SLIPWAY_CHECK(files::make_directories(files::join(store.folder(), "locks")));
    SLIPWAY_TRY(lock, FileLock::try_lock(files::join(store.folder(), "locks/incoming")));
    if (!lock) return Error::already_exists("another unbundling is under way", "wait for it");
    SLIPWAY_CHECK(files::remove_all(folder));  // of one that was killed
    SLIPWAY_CHECK(files::make_directories(folder));
    return Quay(folder, std::move(*lock));
  }
  Quay(Quay&& other) noexcept
      : folder_(std::exchange(other.folder_, "")), lock_(std::move(other.lock_)) {}
  Quay& operator=(Quay&&) = delete;
  ~Quay() {
    if (!folder_.empty()) (void)files::remove_all(folder_).ok();
  }
  const std::string& folder() const { return folder_; }

 private:
  Quay(std::string folder, FileLock lock) : folder_(std::move(folder)), lock_(std::move(lock)) {}
  std::string folder_;
  FileLock lock_;
};

// What was taken, as a run.
Result<std::string> record_taking(store::Store& store, const std::string& from,
                                  const json::Value& environment, const store::Taken& taken) {
  auto list = json::Value::array();
  for (const auto& id : taken.runs) list.push_back(id);
  auto evidence = json::Value::object();
  evidence.set("runs", std::move(list));
  SLIPWAY_TRY(object, store.put_object(evidence.dump()));
  store::Run run;
  run.kind = "unbundle";
  run.name = from;
  run.inputs = json::Value::object();
  run.inputs.set("from", from).set("runs_object", object);
  run.environment = environment;
  SLIPWAY_TRY(created, store.create_run(std::move(run)));
  SLIPWAY_CHECK(store.log_metrics(created.id, {{"runs", static_cast<double>(taken.runs.size())},
                                               {"objects", static_cast<double>(taken.objects)}}));
  SLIPWAY_CHECK(store.finish_run(created.id, store::RunStatus::finished));
  return created.id;
}

}  // namespace

Result<std::shared_ptr<store::Store>> open_bundle(const std::string& path,
                                                  const std::string& folder) {
  const auto place = files::join(folder, ".slipway");
  if (files::exists(place)) return Error::already_exists("there is a store in '" + folder + "'");
  SLIPWAY_TRY(store, store::Store::open(place));
  Unpacker unpacker(*store, {.from = "", .releases = true});
  SLIPWAY_CHECK(store::read_bundle(path, {}, unpacker));
  return store;
}

Result<TakenBundle> take_bundle(const std::string& path, Place& place, const TakeOptions& options) {
  SLIPWAY_TRY(sha256, sha256_file(path));
  SLIPWAY_TRY(quay, Quay::make(*place.store));
  SLIPWAY_TRY(fresh, store::Store::open(files::join(quay.folder(), ".slipway")));
  Unpacker unpacker(*fresh, {.from = "", .releases = true});
  unpacker.keep_weights(place.catalog, place.models_folder);
  SLIPWAY_CHECK(store::read_bundle(path, options.limits, unpacker));
  SLIPWAY_CHECK(store::check_same_runs(*fresh, *place.store));
  const auto from = "bundle " + short_id(sha256);
  store::Importer importer(*place.store, {.from = from, .releases = options.releases});
  SLIPWAY_CHECK(store::hand_over(*fresh, {.all = true}, importer));
  TakenBundle done;
  done.taken = importer.taken();
  done.weights = std::move(unpacker.weights);
  done.notices = notices_of(*fresh);
  if (done.taken.runs.empty() && done.taken.objects == 0) return done;
  SLIPWAY_TRY(run, record_taking(*place.store, from, place.environment, done.taken));
  done.run_id = run;
  return done;
}

Result<Synced> sync_stores(store::Store& here, store::Store& there, bool releases) {
  if (here.folder() == there.folder())
    return Error::invalid_input("the two stores are one", "name another folder");
  SLIPWAY_CHECK(store::check_same_runs(there, here));
  store::Importer mine(here, {.from = "store " + there.folder(), .releases = releases});
  store::Importer theirs(there, {.from = "store " + here.folder(), .releases = releases});
  SLIPWAY_CHECK(store::hand_over(there, {.all = true}, mine));
  SLIPWAY_CHECK(store::hand_over(here, {.all = true}, theirs));
  return Synced{mine.taken(), theirs.taken()};
}

}  // namespace slipway::lab
