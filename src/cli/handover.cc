#include "cli/handover.h"

#include <ostream>

#include "base/files.h"
#include "base/text.h"
#include "lab/provenance.h"

namespace slipway::cli {

Result<HandoverPlace> open_place(Context& context, const Arguments& arguments) {
  HandoverPlace opened;
  const auto folder = arguments.has("project")
                          ? files::join(context.folder, arguments.text("project"))
                          : context.folder;
  SLIPWAY_TRY(store, open_store(context, arguments));
  opened.place.store = std::move(store);
  auto project = lab::load_project(folder);
  if (project.ok()) {
    opened.project = std::make_unique<lab::Project>(std::move(*project));
    opened.place.project = opened.project.get();
  }
  SLIPWAY_TRY(catalog, model::Catalog::load_builtin());
  opened.place.catalog = std::move(catalog);
  SLIPWAY_CHECK(opened.place.catalog.add_file(files::join(config_folder(context), "models.json")));
  opened.place.models_folder = models_folder(context);
  opened.place.environment = lab::capture_provenance(folder, context.argv, *opened.place.store);
  return opened;
}

json::Value notices_json(const std::vector<lab::Notice>& notices) {
  auto list = json::Value::array();
  for (const auto& notice : notices) {
    auto value = json::Value::object();
    value.set("model", notice.model)
        .set("weights_sha256", notice.weights_sha256)
        .set("licence", notice.licence)
        .set("url", notice.url)
        .set("notice", notice.text);
    list.push_back(std::move(value));
  }
  return list;
}

void print_notices(std::ostream& out, const std::vector<lab::Notice>& notices) {
  for (const auto& notice : notices) {
    out << printable_line("licence of " + notice.model + ": " + notice.licence + ", " + notice.url)
        << "\n";
    if (!notice.text.empty()) out << "  " << printable(notice.text) << "\n";
  }
}

json::Value taken_json(const store::Taken& taken) {
  auto runs = json::Value::array();
  for (const auto& id : taken.runs) runs.push_back(id);
  auto value = json::Value::object();
  value.set("new_runs", std::move(runs))
      .set("known_runs", taken.known_runs)
      .set("objects", taken.objects)
      .set("releases", taken.releases);
  return value;
}

Option releases_option() {
  return {"releases", "take the history of an alias that was never released here, too", "", ""};
}

}  // namespace slipway::cli
