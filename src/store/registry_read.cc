#include <algorithm>
#include <iterator>

#include "store/registry.h"
#include "store/registry_rows.h"
#include "store/search.h"
#include "store/search_page.h"
#include "store/store_impl.h"

namespace slipway::store {
namespace {

constexpr std::string_view kModelColumns =
    "SELECT m.number, m.name, m.description, m.created_ms, m.updated_ms FROM registered_models m ";

std::string version_columns() {
  return "SELECT m.name, v.version, v.description, v.source, v.run_id, v.run_link, v.model_id, "
         "v.user, v.stage, v.created_ms, v.updated_ms, v.model FROM model_versions v "
         "JOIN registered_models m ON m.number = v.model AND v.stage != '" +
         std::string(deleted_stage) + "' ";
}

Result<Pairs> tags_of(Database& database, int64_t model, int64_t number) {
  SLIPWAY_TRY(query, database.prepare("SELECT key, value FROM model_tags WHERE model = ? AND "
                                      "version = ? ORDER BY key"));
  query.bind(model, number);
  Pairs tags;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return tags;
    tags.emplace_back(query.text(0), query.text(1));
  }
}

Result<std::vector<std::pair<std::string, int64_t>>> aliases_of(Database& database, int64_t model) {
  SLIPWAY_TRY(query, database.prepare("SELECT alias, version FROM model_aliases WHERE model = ? "
                                      "ORDER BY alias"));
  query.bind(model);
  std::vector<std::pair<std::string, int64_t>> aliases;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return aliases;
    aliases.emplace_back(query.text(0), query.integer(1));
  }
}

Result<ModelVersion> version_of(Database& database, const Statement& row) {
  ModelVersion version;
  version.name = row.text(0);
  version.version = row.integer(1);
  version.description = row.text(2);
  version.source = row.text(3);
  version.run_id = row.text(4);
  version.run_link = row.text(5);
  version.model_id = row.text(6);
  version.user = row.text(7);
  version.stage = row.text(8);
  version.created_ms = row.integer(9);
  version.updated_ms = row.integer(10);
  const int64_t model = row.integer(11);
  SLIPWAY_TRY(tags, tags_of(database, model, version.version));
  version.tags = std::move(tags);
  SLIPWAY_TRY(aliases, aliases_of(database, model));
  for (const auto& [alias, number] : aliases) {
    if (number == version.version) version.aliases.push_back(alias);
  }
  return version;
}

Result<RegisteredModel> model_of(Database& database, const Statement& row) {
  RegisteredModel model;
  const int64_t number = row.integer(0);
  model.name = row.text(1);
  model.description = row.text(2);
  model.created_ms = row.integer(3);
  model.updated_ms = row.integer(4);
  SLIPWAY_TRY(tags, tags_of(database, number, 0));
  model.tags = std::move(tags);
  SLIPWAY_TRY(aliases, aliases_of(database, number));
  model.aliases = std::move(aliases);
  SLIPWAY_TRY(latest,
              database.prepare(version_columns() +
                               "WHERE v.model = ?1 AND v.version = (SELECT max(w.version) FROM "
                               "model_versions w WHERE w.model = ?1 AND w.stage = v.stage) "
                               "ORDER BY v.version"));
  latest.bind(number);
  while (true) {
    SLIPWAY_TRY(found, latest.step());
    if (!found) return model;
    SLIPWAY_TRY(version, version_of(database, latest));
    model.latest.push_back(std::move(version));
  }
}

// Prompts live among the models, and are found only by who asks for them.
Sql without_prompts(const SearchFields& fields, const std::string& text) {
  const auto filter = parse_filter(fields, text);
  if (!filter.ok()) return {};  // the error comes with the search itself
  for (const auto& comparison : *filter) {
    if (comparison.key.kind != KeyKind::tag || comparison.key.name != "mlflow.prompt.is_prompt")
      continue;
    const auto* value = std::get_if<std::string>(&comparison.value);
    const bool equal = comparison.comparator == Comparator::eq && value && *value == "true";
    const bool unequal = comparison.comparator == Comparator::ne && value && *value == "false";
    if (equal || unequal) return {};
  }
  return {fields.computed_tags.at("mlflow.prompt.is_prompt") + " != 'true'", {}};
}

template <typename T, typename F>
Result<Page<T>> read_page(Database& database, const Sql& sql, int64_t limit, F read) {
  SLIPWAY_TRY(query, database.prepare(sql.text));
  query.bind_all(sql.values);
  Page<T> page;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return page;
    page.more = std::ssize(page.items) == limit;
    if (page.more) return page;
    SLIPWAY_TRY(item, read(database, query));
    page.items.push_back(std::move(item));
  }
}

}  // namespace

Result<int64_t> model_number(Database& database, const std::string& name) {
  SLIPWAY_TRY(query, database.prepare("SELECT number FROM registered_models WHERE name = ?"));
  SLIPWAY_TRY(found, query.bind(name).step());
  if (found) return query.integer(0);
  return Error::not_found("no registered model '" + name + "'", "create it first");
}

Error no_version(const std::string& name, int64_t number) {
  return Error::not_found("model '" + name + "' has no version " + std::to_string(number),
                          "search the versions to see them");
}

Result<RegisteredModel> Registry::get(const std::string& name) const {
  SLIPWAY_TRY(reader, store_.parts().readers.take());
  SLIPWAY_TRY(query, reader->prepare(std::string(kModelColumns) + "WHERE m.name = ?"));
  SLIPWAY_TRY(found, query.bind(name).step());
  if (!found) return Error::not_found("no registered model '" + name + "'", "create it first");
  return model_of(*reader, query);
}

Result<Page<RegisteredModel>> Registry::search(Search search) const {
  const auto& fields = model_fields();
  SLIPWAY_TRY(sql,
              page_sql(fields, search, "", "", "m.name", without_prompts(fields, search.filter)));
  sql.text = std::string(kModelColumns) + sql.text;
  SLIPWAY_TRY(reader, store_.parts().readers.take());
  return read_page<RegisteredModel>(*reader, sql, search.limit, model_of);
}

Result<ModelVersion> Registry::version(const std::string& name, int64_t number) const {
  SLIPWAY_TRY(reader, store_.parts().readers.take());
  SLIPWAY_TRY(query, reader->prepare(version_columns() + "WHERE m.name = ? AND v.version = ?"));
  SLIPWAY_TRY(found, query.bind(name, number).step());
  if (!found) return no_version(name, number);
  return version_of(*reader, query);
}

Result<ModelVersion> Registry::by_alias(const std::string& name, const std::string& alias) const {
  SLIPWAY_TRY(reader, store_.parts().readers.take());
  SLIPWAY_TRY(query, reader->prepare(version_columns() +
                                     "JOIN model_aliases a ON a.model = v.model AND "
                                     "a.version = v.version WHERE m.name = ? AND a.alias = ?"));
  SLIPWAY_TRY(found, query.bind(name, alias).step());
  if (found) return version_of(*reader, query);
  if (const auto known = model_number(*reader, name); !known.ok()) return known.error();
  return Error::invalid_input("model '" + name + "' has no alias '" + alias + "'", "set it first");
}

Result<Page<ModelVersion>> Registry::search_versions(Search search) const {
  const auto& fields = model_version_fields();
  SLIPWAY_TRY(sql, page_sql(fields, search, "", "v.updated_ms DESC, m.name ASC, v.version DESC",
                            "m.name, v.version DESC", without_prompts(fields, search.filter)));
  sql.text = version_columns() + sql.text;
  SLIPWAY_TRY(reader, store_.parts().readers.take());
  return read_page<ModelVersion>(*reader, sql, search.limit, version_of);
}

}  // namespace slipway::store
