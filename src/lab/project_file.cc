#include "lab/project_file.h"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "dataset/dataset.h"

namespace slipway::lab {
namespace {

std::string where(const toml::node& node) {
  return "line " + std::to_string(node.source().begin.line) + ": ";
}

// Reads one table and refuses what nobody asked for: a mistyped key must not be silently ignored.
class Table {
 public:
  Table(const toml::table& table, std::string name) : table_(table), name_(std::move(name)) {}

  std::string text(const char* key, std::string otherwise = {}) {
    return value<std::string>(key, std::move(otherwise), "a text in quotes");
  }
  int64_t integer(const char* key, int64_t otherwise) {
    return value<int64_t>(key, otherwise, "a whole number");
  }
  bool flag(const char* key, bool otherwise) {
    return value<bool>(key, otherwise, "true or false");
  }
  double number(const char* key, double otherwise) {
    return value<double>(key, otherwise, "a number");
  }

  std::vector<std::string> texts(const char* key) {
    known_.push_back(key);
    std::vector<std::string> list;
    const auto* node = table_.get(key);
    if (!node) return list;
    const auto* array = node->as_array();
    if (!array) return fail(*node, key, "a list of texts"), list;
    for (const auto& element : *array) {
      if (auto item = element.value_exact<std::string>())
        list.push_back(*item);
      else
        fail(element, key, "a list of texts");
    }
    return list;
  }

  const toml::table* table(const char* key) {
    known_.push_back(key);
    const auto* node = table_.get(key);
    if (!node) return nullptr;
    if (!node->is_table()) fail(*node, key, "a table");
    return node->as_table();
  }

  Status finish() {
    for (const auto& [key, node] : table_) {
      const std::string name(key.str());
      if (std::find(known_.begin(), known_.end(), name) != known_.end() || error_) continue;
      auto hint = "known here: " + join(known_, ", ");
      if (auto near = nearest(name, known_)) hint = "did you mean '" + *near + "'?";
      error_ = Error::invalid_input(where(node) + "unknown key '" + path(name) + "'", hint);
    }
    return error_ ? Status(*error_) : Status::success();
  }

  Status required(const char* key) const {
    if (table_.contains(key)) return Status::success();
    return Error::invalid_input("line " + std::to_string(table_.source().begin.line) + ": [" +
                                    name_ + "] has no '" + key + "'",
                                std::string("add ") + key + " = \"...\"");
  }

 private:
  template <typename T>
  T value(const char* key, T otherwise, const char* expected) {
    known_.push_back(key);
    const auto* node = table_.get(key);
    if (!node) return otherwise;
    if (auto found = node->value<T>()) return *found;
    fail(*node, key, expected);
    return otherwise;
  }

  std::string path(const std::string& key) const { return name_.empty() ? key : name_ + "." + key; }

  void fail(const toml::node& node, const char* key, const char* expected) {
    if (!error_) error_ = Error::invalid_input(where(node) + path(key) + " must be " + expected);
  }

  const toml::table& table_;
  std::string name_;
  std::vector<std::string> known_;
  std::optional<Error> error_;
};

Status read_call_form(const std::string& text, CandidateSpec& spec) {
  const auto form = skill::form_named(text);
  if (!form) {
    const auto near = nearest(text, skill::form_names());
    return Error::invalid_input(
        "candidates." + spec.name + ".call_form: no form '" + text + "'",
        near ? "did you mean '" + *near + "'?" : "forms: " + join(skill::form_names(), ", "));
  }
  if (*form == skill::CallForm::functiongemma && spec.constrain) {
    return Error::unsupported(
        "candidates." + spec.name + ": constrain does not know the call_form functiongemma",
        "leave constrain out: its marks are tokens of their own, not text");
  }
  spec.grammar.form = *form;
  return Status::success();
}

Status check_tuning(const CandidateSpec& spec) {
  const auto refuse = [&](const char* setting) {
    return Error::invalid_input("candidates." + spec.name + "." + setting);
  };
  if (!(spec.tune_epochs > 0 && spec.tune_epochs <= 1000))
    return refuse("tune_epochs must be above 0 and at most 1000");
  if (spec.tune_copies < 0 || spec.tune_copies > 1000)
    return refuse("tune_copies must be between 0 and 1000");
  if (spec.tune_members < 1 || spec.tune_members > 16)
    return refuse("tune_members must be between 1 and 16");
  if (spec.tune.empty() || !spec.adapters.empty()) return Status::success();
  return Error::invalid_input(
      "candidates." + spec.name + ".tune makes an adapter, but none is named",
      "add adapters = [\"adapters/" + spec.name + ".gguf\"]");
}

Result<CandidateSpec> read_candidate(const std::string& name, const toml::table& source) {
  Table table(source, "candidates." + name);
  CandidateSpec spec;
  spec.name = name;
  spec.model = table.text("model");
  spec.adapters = table.texts("adapters");
  spec.prompt = table.text("prompt");
  spec.tune = table.text("tune");
  spec.tune_epochs = table.number("tune_epochs", spec.tune_epochs);
  spec.tune_copies = static_cast<int>(table.integer("tune_copies", spec.tune_copies));
  spec.tune_members = static_cast<int>(table.integer("tune_members", spec.tune_members));
  spec.use_skills = table.flag("skills", true);
  spec.constrain = table.flag("constrain", false);
  spec.decoding.max_tokens =
      static_cast<int>(table.integer("max_tokens", spec.decoding.max_tokens));
  spec.decoding.temperature = table.number("temperature", 0);
  spec.decoding.top_p = table.number("top_p", 1);
  spec.decoding.top_k = static_cast<int>(table.integer("top_k", 0));
  spec.decoding.end_bias = table.number("end_bias", 0);
  spec.decoding.tries = static_cast<int>(table.integer("tries", 1));
  spec.decoding.seed = static_cast<uint64_t>(table.integer("seed", 0));
  spec.decoding.stop = table.texts("stop");
  spec.min_confidence = table.number("min_confidence", 0);
  spec.leave_out_unsaid = table.flag("leave_out_unsaid", false);
  const auto list_functions = table.integer("list_functions", 0);
  const auto max_calls = table.integer("max_calls", spec.grammar.max_calls);
  const auto call_form = table.text("call_form", "python");
  SLIPWAY_CHECK(table.finish());
  SLIPWAY_CHECK(table.required("model"));
  SLIPWAY_CHECK(table.required("prompt"));
  if (spec.decoding.max_tokens < 1 || spec.decoding.max_tokens > 8192) {
    return Error::invalid_input("candidates." + name + ".max_tokens must be between 1 and 8192");
  }
  if (spec.decoding.tries < 1 || spec.decoding.tries > 64) {
    return Error::invalid_input("candidates." + name + ".tries must be between 1 and 64");
  }
  if (!(std::abs(spec.decoding.end_bias) <= 100)) {
    return Error::invalid_input("candidates." + name + ".end_bias must be between -100 and 100");
  }
  if (!(spec.min_confidence >= 0 && spec.min_confidence <= 1)) {
    return Error::invalid_input("candidates." + name + ".min_confidence must be between 0 and 1");
  }
  if (list_functions < 0 || list_functions > 1000) {
    return Error::invalid_input("candidates." + name +
                                ".list_functions must be between 0 and 1000");
  }
  spec.list_functions = static_cast<int>(list_functions);
  if (max_calls < 1 || max_calls > 16) {
    return Error::invalid_input("candidates." + name + ".max_calls must be between 1 and 16");
  }
  spec.grammar.max_calls = static_cast<int>(max_calls);
  SLIPWAY_CHECK(read_call_form(call_form, spec));
  SLIPWAY_CHECK(check_tuning(spec));
  return spec;
}

Result<DatasetSpec> read_dataset(const std::string& name, const toml::table& source) {
  Table table(source, "datasets." + name);
  DatasetSpec spec;
  spec.name = name;
  spec.path = table.text("path");
  const bool is_split = name == "train" || name == "dev" || name == "test";
  spec.split = table.text("split", is_split ? name : dataset::split_of(spec.path));
  spec.scorer = table.text("scorer", "call");
  SLIPWAY_CHECK(table.finish());
  SLIPWAY_CHECK(table.required("path"));
  for (const char* known : {"", "train", "dev", "test"}) {
    if (spec.split == known) return spec;
  }
  return Error::invalid_input("datasets." + name + ".split must be train, dev or test");
}

Result<EndpointSpec> read_endpoint(const std::string& name, const toml::table& source) {
  Table table(source, "endpoints." + name);
  EndpointSpec spec{name, table.text("url"), table.text("model")};
  SLIPWAY_CHECK(table.finish());
  SLIPWAY_CHECK(table.required("url"));
  SLIPWAY_CHECK(table.required("model"));
  return spec;
}

// Reads every sub-table of `parent` with `read`.
template <typename Spec>
Status read_each(const toml::table* parent, const char* what,
                 Result<Spec> (*read)(const std::string&, const toml::table&),
                 std::vector<Spec>& into) {
  if (!parent) return Status::success();
  std::vector<std::pair<size_t, Spec>> in_order;  // toml++ sorts by key; people read by line
  for (const auto& [key, node] : *parent) {
    const auto* table = node.as_table();
    const std::string name(key.str());
    if (!table) return Error::invalid_input(where(node) + what + "." + name + " must be a table");
    SLIPWAY_TRY(spec, read(name, *table));
    in_order.emplace_back(node.source().begin.line, std::move(spec));
  }
  std::sort(in_order.begin(), in_order.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [line, spec] : in_order) into.push_back(std::move(spec));
  return Status::success();
}

}  // namespace

Result<Project> parse_project_file(std::string_view text,
                                   std::vector<std::string>& skill_patterns) {
  const auto parsed = toml::parse(text);
  if (!parsed) {
    const auto at = parsed.error().source().begin;
    return Error::invalid_input("line " + std::to_string(at.line) + ", column " +
                                    std::to_string(at.column) + ": " +
                                    std::string(parsed.error().description()),
                                "correct slipway.toml; docs/format/project.md shows its keys");
  }
  Table root(parsed.table(), "");
  const auto version = root.integer("slipway", 0);
  Project project;
  project.name = root.text("name");
  project.default_candidate = root.text("candidate");
  skill_patterns = root.texts("skills");
  SLIPWAY_CHECK(
      read_each(root.table("candidates"), "candidates", read_candidate, project.candidates));
  SLIPWAY_CHECK(read_each(root.table("datasets"), "datasets", read_dataset, project.datasets));
  SLIPWAY_CHECK(read_each(root.table("endpoints"), "endpoints", read_endpoint, project.endpoints));
  if (const auto* ladder = root.table("ladder")) {
    Table table(*ladder, "ladder");
    project.ladder = {table.text("dataset"), table.texts("rungs")};
    SLIPWAY_CHECK(table.finish());
  }
  SLIPWAY_CHECK(root.finish());
  if (version != 1) {
    return Error::invalid_input("this version reads slipway = 1",
                                "put `slipway = 1` in the first line of slipway.toml");
  }
  return project;
}

}  // namespace slipway::lab
