// The giving side of lab/handover.h.
#include <map>

#include "base/files.h"
#include "base/hash.h"
#include "lab/handover.h"
#include "lab/lineage.h"
#include "model/weights.h"
#include "store/objects.h"

namespace slipway::lab {
namespace {

void collect(const json::Value& value, std::set<std::string>& into) {
  if (value.is_string() && store::is_sha256(value.as_string())) into.insert(value.as_string());
  if (value.is_array())
    for (const auto& element : value.as_array()) collect(element, into);
  if (value.is_object())
    for (const auto& member : value.as_object()) collect(member.second, into);
}

// Counts what passes on its way into the file.
class Counted : public store::Sink {
 public:
  Counted(store::BundleWriter& writer, Bundled& counts) : writer_(writer), counts_(counts) {}
  Status object(const std::string& bytes) override {
    ++counts_.objects;
    return writer_.object(bytes);
  }
  Status record(const json::Value& record) override {
    const auto kind = record.text("record");
    counts_.runs += kind == "run";
    counts_.entities += kind == "entity";
    return writer_.record(record);
  }

 private:
  store::BundleWriter& writer_;
  Bundled& counts_;
};

class Bundling {
 public:
  Bundling(Place& place, const BundleSpec& spec)
      : place_(place), store_(*place.store), spec_(spec) {}

  Result<Bundled> run() {
    selection_.all = spec_.all;
    if (spec_.all == !spec_.what.empty()) {
      return Error::invalid_input("name runs or candidates, or give --all",
                                  "`slipway runs` lists runs");
    }
    SLIPWAY_TRY(runs, store_.all_runs());
    runs_ = std::move(runs);
    for (const auto& name : spec_.what) SLIPWAY_CHECK(select(name));
    SLIPWAY_TRY(hashes, store::hashes_of(store_, selection_));
    hashes_ = std::move(hashes);
    SLIPWAY_CHECK(keep_adapters());
    find_models();
    SLIPWAY_CHECK(check_models());
    SLIPWAY_TRY(writer, store::BundleWriter::create(spec_.out));
    Counted sink(*writer, done_);
    for (const auto& notice : done_.notices) SLIPWAY_CHECK(sink.record(record_of(notice)));
    SLIPWAY_CHECK(store::hand_over(store_, selection_, sink));
    if (spec_.weights) SLIPWAY_CHECK(put_weights(*writer));
    SLIPWAY_CHECK(writer->finish());
    done_.path = spec_.out;
    done_.sha256 = writer->sha256();
    done_.bytes = writer->bytes();
    return std::move(done_);
  }

 private:
  // A run before a candidate: its id is the longer word.
  Status select(const std::string& name) {
    const auto run = store_.find_run(name);
    if (run.ok()) {
      selection_.runs.push_back(run->id);
      return {};
    }
    SLIPWAY_TRY(release, store_.release_of(name));
    const auto entity = store_.find_entity("candidate", release ? release->candidate : name);
    if (entity.ok()) return select_candidate(*entity);
    return Error::not_found("'" + name + "' is neither a run nor a candidate of the store",
                            entity.error().hint());
  }

  // With all that was measured of it, and the training that made its adapters.
  Status select_candidate(const store::Entity& candidate) {
    selection_.hashes.insert(candidate.id);
    std::set<std::string> parts;
    collect(candidate.content, parts);
    for (const auto& run : runs_) {
      if (run.inputs.text("candidate") == candidate.id) selection_.runs.push_back(run.id);
    }
    SLIPWAY_TRY(makers, makers_of(store_, runs_, parts));
    for (const auto* run : makers) selection_.runs.push_back(run->id);
    selection_.hashes.merge(parts);
    return {};
  }

  // Adapters that are files of the project become objects, so that they travel.
  Status keep_adapters() {
    SLIPWAY_TRY(entities, store_.all_entities());
    std::set<std::string> missing;
    for (const auto& entity : entities) {
      const auto* weights = entity.content.get("model");
      const auto* adapters = weights ? weights->get("adapters") : nullptr;
      if (entity.kind != "candidate" || !adapters) continue;
      if (!spec_.all && !hashes_.contains(entity.id)) continue;
      std::set<std::string> named;
      collect(*adapters, named);
      for (const auto& sha : named)
        if (!store_.has_object(sha)) missing.insert(sha);
      selection_.hashes.merge(named);
    }
    if (place_.project && !missing.empty()) SLIPWAY_CHECK(keep_files(missing));
    done_.missing_adapters.assign(missing.begin(), missing.end());
    return {};
  }

  Status keep_files(std::set<std::string>& missing) {
    for (const auto& candidate : place_.project->candidates) {
      for (const auto& adapter : candidate.adapters) {
        const auto path = place_.project->path(adapter);
        const auto sha = sha256_file(path);
        if (!sha.ok() || !missing.contains(*sha)) continue;
        SLIPWAY_TRY(bytes, files::read(path));
        SLIPWAY_TRY(object, store_.put_object(bytes));
        missing.erase(object);
      }
    }
    return {};
  }

  // Every model of which something travels, with its notice.
  void find_models() {
    for (const auto& run : runs_) {
      const auto name = run.inputs.text("model"), sha = run.inputs.text("weights_sha256");
      if (!name.empty() && hashes_.contains(sha)) models_[sha] = name;
    }
    for (const auto& [sha, name] : models_) {
      const auto* entry = place_.catalog.find(name);
      if (entry && entry->sha256 == sha) {
        const auto& licence = entry->licence;
        done_.notices.push_back({name, sha, licence.name, licence.url, licence.notice});
      } else {
        done_.without_licence.push_back(name);
      }
    }
  }

  Status check_models() const {
    if (!spec_.weights || models_.size() <= most_bundled_models) return {};
    return Error::exhausted(std::to_string(models_.size()) + " models, and a bundle holds the " +
                                "weights of at most " + std::to_string(most_bundled_models),
                            "bundle single runs or candidates, or leave --weights out");
  }

  static json::Value record_of(const Notice& notice) {
    auto content = json::Value::object();
    content.set("model", notice.model)
        .set("weights_sha256", notice.weights_sha256)
        .set("licence", notice.licence)
        .set("url", notice.url)
        .set("notice", notice.text);
    auto record = json::Value::object();
    record.set("record", "entity")
        .set("kind", "notice")
        .set("name", notice.model)
        .set("created_ms", 1)
        .set("put_ms", 1)
        .set("content", std::move(content));
    return record;
  }

  Status put_weights(store::BundleWriter& writer) {
    for (const auto& [sha, name] : models_) {
      SLIPWAY_TRY(options, place_.catalog.resolve(name, place_.models_folder));
      SLIPWAY_TRY(found, model::weights_sha256(options.path));
      if (found != sha) {
        return Error::not_found("the weights of '" + name + "' are others now than in the runs",
                                "pull those weights again, or leave --weights out");
      }
      SLIPWAY_TRY(bytes, files::size(options.path));
      SLIPWAY_CHECK(writer.file({name, sha, bytes}, options.path));
      done_.weights.push_back(name);
    }
    return {};
  }

  Place& place_;
  store::Store& store_;
  const BundleSpec& spec_;
  std::vector<store::Run> runs_;
  store::Selection selection_;
  std::set<std::string> hashes_;
  std::map<std::string, std::string> models_;  // weights' hash -> name
  Bundled done_;
};

}  // namespace

Result<Bundled> make_bundle(Place& place, const BundleSpec& spec) {
  return Bundling(place, spec).run();
}

std::vector<Notice> notices_of(const store::Store& store) {
  std::vector<Notice> notices;
  const auto entities = store.list_entities("notice");
  if (!entities.ok()) return notices;
  for (const auto& entity : *entities) {
    const auto& c = entity.content;
    notices.push_back({c.text("model"), c.text("weights_sha256"), c.text("licence"), c.text("url"),
                       c.text("notice")});
  }
  return notices;
}

}  // namespace slipway::lab
