#include <fmt/core.h>

#include <limits>
#include <ostream>

#include "base/files.h"
#include "cli/data.h"
#include "cli/session.h"
#include "dataset/vary.h"
#include "lab/provenance.h"

namespace slipway::cli {
namespace {

Result<dataset::VaryOptions> options_of(const Arguments& arguments) {
  SLIPWAY_TRY(copies, arguments.integer("copies", 1, 1000));
  SLIPWAY_TRY(seed, arguments.integer("seed", 0, std::numeric_limits<int64_t>::max()));
  SLIPWAY_TRY(share, arguments.number("share", 0, 1));
  SLIPWAY_TRY(joined, arguments.number("joined", 0, 1));
  return dataset::VaryOptions{static_cast<int>(copies), static_cast<uint64_t>(seed), share, joined};
}

// A test that was varied from its own rows would measure them again and again.
Result<lab::DatasetSpec> chosen(const lab::Project& project, const Arguments& arguments) {
  const auto names = arguments.list("name");
  if (names.size() != 1)
    return Error::invalid_input("`data vary` wants one dataset",
                                "for example: slipway data vary train");
  SLIPWAY_TRY(spec, project.dataset(names[0]));
  if (spec.split == "dev" || spec.split == "test")
    return Error::invalid_input("'" + spec.name + "' is there to measure with",
                                "vary a train split");
  return spec;
}

Result<std::string> record(const lab::Project& project, store::Store& store,
                           const Context& context, const dataset::Dataset& from,
                           const dataset::VaryOptions& options, const std::string& path,
                           const std::string& rows) {
  store::Run run;
  run.experiment = project.name;
  run.kind = "vary";
  run.name = "data vary";
  run.inputs = json::Value::object();
  run.inputs.set("dataset", from.name)
      .set("dataset_sha256", from.sha256)
      .set("skills", project.skills->to_json())
      .set("copies", options.copies)
      .set("seed", static_cast<int64_t>(options.seed))
      .set("share", options.share)
      .set("joined", options.joined);
  run.environment = lab::capture_provenance(project.folder, context.argv, store);
  SLIPWAY_TRY(created, store.create_run(std::move(run)));
  SLIPWAY_TRY(object, store.put_object(rows));
  SLIPWAY_CHECK(store.log_params(created.id, {{"rows_sha256", object}, {"path", path}}));
  SLIPWAY_CHECK(store.finish_run(created.id, store::RunStatus::finished));
  return created.id;
}

}  // namespace

CommandResult vary_data(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(options, options_of(arguments));
  SLIPWAY_TRY(bench, open_workbench(context, arguments));
  const auto& project = bench.project();
  SLIPWAY_TRY(spec, chosen(project, arguments));
  SLIPWAY_TRY(rows, dataset::load_dataset(project.path(spec.path)));
  const auto all = dataset::vary(rows.examples, *project.skills, options);
  const auto varied = all.size() - rows.examples.size();
  const auto text = dataset::to_jsonl(all);
  auto path = arguments.text("out");
  if (path.empty()) {
    auto stem = files::filename(spec.name);
    if (stem.ends_with(".jsonl")) stem.resize(stem.size() - 6);
    path = "data/" + stem + "-varied.jsonl";
  }
  SLIPWAY_CHECK(files::write_atomic(project.path(path), text));
  SLIPWAY_TRY(run_id, record(project, *bench.store(), context, rows, options, path, text));
  if (arguments.flag("json")) {
    auto value = json::Value::object();
    value.set("path", path).set("rows", all.size()).set("varied", varied).set("run_id", run_id);
    context.out << value.pretty() << "\n";
    return 0;
  }
  context.out << fmt::format("{}  {} rows: {} as they were, {} varied; run {}\n", path, all.size(),
                             rows.examples.size(), varied, short_id(run_id));
  return 0;
}

}  // namespace slipway::cli
