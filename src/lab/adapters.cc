#include "lab/adapters.h"

#include <functional>

#include "base/files.h"
#include "base/hash.h"
#include "model/weights.h"
#include "tune/average.h"

namespace slipway::lab {
namespace {

class Work {
 public:
  Work(Workbench& bench, const AdapterSpec& spec, std::string action)
      : bench_(bench), spec_(spec), action_(std::move(action)) {
    done_.path = bench.project().path(spec.out);
  }

  std::string from() const { return bench_.project().path(spec_.from); }
  AdapterDone& done() { return done_; }

  // `body` reads and writes; `source` is the file whose hash says what was read.
  Result<AdapterDone> run(const std::string& source,
                          const std::function<Status(const tune::BaseModel&)>& body) {
    CandidateSpec model;
    model.model = spec_.model;
    SLIPWAY_TRY(weights, bench_.weights_path(model));
    SLIPWAY_TRY(base, tune::BaseModel::open(weights));
    SLIPWAY_TRY(source_sha, sha256_file(source));
    SLIPWAY_TRY(weights_sha, model::weights_sha256(weights));
    store::Run run;
    run.experiment = bench_.project().name;
    run.kind = "adapter";
    run.name = action_ + " " + files::filename(spec_.from);
    run.inputs = json::Value::object();
    run.inputs.set("action", action_)
        .set("model", spec_.model)
        .set("weights_sha256", weights_sha)
        .set("source_sha256", source_sha);
    auto others = json::Value::array();
    for (const auto& other : spec_.others) {
      SLIPWAY_TRY(sha, sha256_file(bench_.project().path(other)));
      others.push_back(sha);
    }
    if (others.size() > 0) run.inputs.set("others_sha256", std::move(others));
    run.environment = bench_.environment();
    SLIPWAY_TRY(created, bench_.store()->create_run(std::move(run)));
    done_.run_id = created.id;
    const auto outcome = record(body(*base));
    SLIPWAY_CHECK(bench_.store()->end_run(created.id, outcome));
    if (!outcome.ok()) return outcome.error();
    return std::move(done_);
  }

  void note(const tune::AdapterFile& adapter) {
    done_.pairs = static_cast<int>(adapter.pairs.size());
    done_.rank = adapter.rank();
    done_.alpha = adapter.alpha;
  }

 private:
  Status record(const Status& outcome) {
    SLIPWAY_CHECK(outcome);
    const auto written =
        action_ == "export" ? files::join(done_.path, "adapter_model.safetensors") : done_.path;
    SLIPWAY_TRY(sha, sha256_file(written));
    done_.sha256 = sha;
    std::vector<std::pair<std::string, std::string>> tags = {
        {action_ == "merge" ? "weights_sha256" : "adapter_sha256", sha}, {"path", done_.path}};
    if (action_ == "import" || action_ == "average") {
      SLIPWAY_TRY(bytes, files::read(written));
      SLIPWAY_TRY(object, bench_.store()->put_object(bytes));
    }
    if (done_.merged) {
      SLIPWAY_CHECK(bench_.store()->log_metrics(
          done_.run_id,
          {{"kept", done_.merged->kept}, {"relative_error", done_.merged->relative_error}}));
    }
    return bench_.store()->set_tags(done_.run_id, tags);
  }

  Workbench& bench_;
  const AdapterSpec& spec_;
  std::string action_;
  AdapterDone done_;
};

tune::Metadata metadata_of(const AdapterSpec& spec) {
  return {{"general.name", spec.name}, {"general.base_model.0.name", spec.model}};
}

}  // namespace

Result<AdapterDone> import_adapter(Workbench& bench, const AdapterSpec& spec) {
  Work work(bench, spec, "import");
  const auto source = files::join(work.from(), "adapter_model.safetensors");
  return work.run(source, [&](const tune::BaseModel& base) -> Status {
    SLIPWAY_TRY(adapter, tune::read_peft(work.from(), base.shape));
    work.note(adapter);
    SLIPWAY_CHECK(files::make_directories(files::parent(work.done().path)));
    return tune::write_gguf(adapter, work.done().path, metadata_of(spec));
  });
}

Result<AdapterDone> export_adapter(Workbench& bench, const AdapterSpec& spec) {
  Work work(bench, spec, "export");
  return work.run(work.from(), [&](const tune::BaseModel& base) -> Status {
    SLIPWAY_TRY(adapter, tune::read_gguf(work.from()));
    work.note(adapter);
    return tune::write_peft(adapter, base.shape, work.done().path, spec.model);
  });
}

Result<AdapterDone> average_adapters(Workbench& bench, const AdapterSpec& spec) {
  Work work(bench, spec, "average");
  return work.run(work.from(), [&](const tune::BaseModel& base) -> Status {
    std::vector<tune::AdapterFile> adapters;
    auto paths = spec.others;
    paths.insert(paths.begin(), spec.from);
    for (const auto& path : paths) {
      SLIPWAY_TRY(adapter, tune::read_gguf(bench.project().path(path)));
      SLIPWAY_CHECK(tune::check_fits(adapter, base.shape, path));
      adapters.push_back(std::move(adapter));
    }
    SLIPWAY_TRY(mean, tune::average(adapters));
    work.note(mean);
    SLIPWAY_CHECK(files::make_directories(files::parent(work.done().path)));
    return tune::write_gguf(mean, work.done().path, metadata_of(spec));
  });
}

Result<AdapterDone> merge_adapter(Workbench& bench, const AdapterSpec& spec) {
  Work work(bench, spec, "merge");
  return work.run(work.from(), [&](const tune::BaseModel& base) -> Status {
    SLIPWAY_TRY(adapter, tune::read_gguf(work.from()));
    work.note(adapter);
    SLIPWAY_CHECK(files::make_directories(files::parent(work.done().path)));
    auto options = spec.merge;
    options.name = spec.name;
    SLIPWAY_TRY(merged, tune::merge(base, adapter, work.done().path, options));
    work.done().merged = std::move(merged);
    return {};
  });
}

}  // namespace slipway::lab
