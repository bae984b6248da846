// Parameters and bodies of OpenAPI operations.
#include <algorithm>

#include "base/text.h"
#include "skill/foreign_schema.h"
#include "skill/openapi.h"
#include "skill/schema.h"

namespace slipway::skill {
namespace {

constexpr size_t max_parameters = 64;

bool is_of_type(const json::Value& schema, const char* type) {
  const auto types = schema_types(schema);
  return std::find(types.begin(), types.end(), type) != types.end();
}

json::Value& member(json::Value& object, const char* key) {
  if (!object.get(key)) object.set(key, json::Value::object());
  return *object.get(key);
}

class Inputs {
 public:
  Inputs(const json::Value& document, Function& function, json::Value& http)
      : document_(document), function_(function), http_(http), import_{.document = document} {}

  Status read(const json::Value& path_item, const json::Value& operation,
              const std::string& where) {
    SLIPWAY_TRY(all, collect(path_item, operation, where));
    for (const auto& [at, parameter] : all) SLIPWAY_CHECK(read_parameter(*parameter, at));
    if (const auto* body = operation.get("requestBody"))
      SLIPWAY_CHECK(read_body(*body, where + ".requestBody"));
    if (function_.parameters.size() > max_parameters)
      return Error::exhausted(where + " has more than 64 parameters");
    return Status::success();
  }
  const std::vector<std::string>& notes() const { return import_.notes; }

 private:
  using Found = std::vector<std::pair<std::string, const json::Value*>>;

  // The operation's parameters, and of the path's those that it does not repeat.
  Result<Found> collect(const json::Value& path_item, const json::Value& operation,
                        const std::string& where) {
    Found all;
    const auto same = [](const json::Value& a, const json::Value& b) {
      return a.text("name") == b.text("name") && a.text("in") == b.text("in");
    };
    for (const auto* owner : {&path_item, &operation}) {
      const auto* list = owner->get("parameters");
      if (!list) continue;
      if (!list->is_array() || list->size() > 256)
        return Error::invalid_input(where + ".parameters must be a list of at most 256");
      for (size_t i = 0; i < list->size(); ++i) {
        const auto at = where + ".parameters[" + std::to_string(i) + "]";
        SLIPWAY_TRY(parameter, follow_refs(list->as_array()[i], document_, at));
        if (!parameter->is_object()) return Error::invalid_input(at + " must be an object");
        std::erase_if(all, [&](const auto& other) { return same(*other.second, *parameter); });
        all.emplace_back(at, parameter);
      }
    }
    return all;
  }

  Status read_parameter(const json::Value& parameter, const std::string& where) {
    const auto name = parameter.text("name"), in = parameter.text("in");
    if (name.empty()) return Error::invalid_input(where + ".name must be text");
    const bool required = parameter.flag("required") || in == "path";
    const auto lower = to_lower(name);
    if (in == "header" &&
        (lower == "accept" || lower == "content-type" || lower == "authorization")) {
      return Status::success();  // OpenAPI: such a parameter is ignored
    }
    const auto* schema = parameter.get("schema");
    if (in != "path" && in != "query" && in != "header")
      return cannot(required, where, "parameters in '" + in + "' are not supported");
    if (!schema) return cannot(required, where, "only parameters with a 'schema' are supported");
    SLIPWAY_TRY(imported, import_schema(*schema, where + ".schema", import_));
    if (!parameter.text("description").empty())
      imported.set("description", parameter.text("description"));
    const auto style = parameter.text("style", in == "query" ? "form" : "simple");
    const bool explode = parameter.flag("explode", style == "form");
    if (in == "query" && is_of_type(imported, "object"))
      return spread(name, imported, style == "deepObject", required, where);
    if (in == "path" && style != "simple")
      return cannot(required, where, "the path style '" + style + "' is not supported");
    const auto given = add(name, std::move(imported), required);
    place(name, in, given);
    if (is_of_type(function_.parameters.back().schema, "array") && !(in == "query" && explode)) {
      const auto* separator = style == "spaceDelimited"  ? " "
                              : style == "pipeDelimited" ? "|"
                                                         : ",";
      member(http_, "join").set(given, separator);
    }
    return Status::success();
  }

  Status cannot(bool required, const std::string& where, const std::string& why) {
    if (required) return Error::unsupported(where + ": " + why);
    import_.note(where, why + ", so it is never sent");
    return Status::success();
  }

  // An object in the query: one parameter for each of its properties.
  Status spread(const std::string& name, const json::Value& schema, bool deep, bool required,
                const std::string& where) {
    const auto* properties = schema.get("properties");
    if (!properties || properties->size() == 0)
      return cannot(required, where, "an object without named properties in the query");
    for (const auto& [property, inner] : properties->as_object()) {
      const auto key = deep ? name + "[" + property + "]" : property;
      const auto given =
          add(deep ? name + "_" + property : property, inner, required && lists(schema, property));
      place(key, "query", given);
    }
    return Status::success();
  }

  static bool lists(const json::Value& schema, const std::string& property) {
    const auto* required = schema.get("required");
    if (!required || !required->is_array()) return false;
    const auto& names = required->as_array();
    return std::find(names.begin(), names.end(), json::Value(property)) != names.end();
  }

  void place(const std::string& name, const std::string& in, const std::string& given) {
    const auto value = "{" + given + "}";
    if (in == "path")
      http_.set("path", replace_all(http_.text("path"), "{" + name + "}", value));
    else
      member(http_, in == "query" ? "query" : "headers").set(name, value);
  }

  // The name by which calls give it.
  std::string add(const std::string& wanted, json::Value schema, bool required) {
    std::vector<std::string> taken;
    for (const auto& parameter : function_.parameters) taken.push_back(parameter.name);
    Parameter parameter;
    parameter.name = make_identifier(wanted, taken);
    const auto description = short_description(schema);
    if (description.empty())
      schema.erase("description");
    else
      schema.set("description", description);
    parameter.description = description;
    if (const auto* value = schema.get("default"); value && !value->is_null())
      parameter.default_value = *value;
    parameter.required = required;
    parameter.schema = std::move(schema);
    function_.parameters.push_back(std::move(parameter));
    return function_.parameters.back().name;
  }

  Status read_body(const json::Value& source, const std::string& where) {
    SLIPWAY_TRY(body, follow_refs(source, document_, where));
    const bool required = body->flag("required");
    const auto* content = body->get("content");
    if (!content || !content->is_object())
      return Error::invalid_input(where + ".content must be an object");
    const json::Member* chosen = nullptr;
    for (const auto& type : content->as_object()) {
      const auto media = to_lower(trim(split(type.first, ';')[0]));
      if (media == "application/json" || media == "*/*") {
        chosen = &type;
        break;
      }
      if (media.ends_with("+json") && !chosen) chosen = &type;
    }
    if (!chosen) return cannot(required, where, "no JSON body is described");
    if (chosen->first != "*/*" && to_lower(chosen->first) != "application/json")
      member(http_, "headers").set("Content-Type", chosen->first);
    const auto* schema = chosen->second.get("schema");
    const auto at = where + ".content." + chosen->first + ".schema";
    SLIPWAY_TRY(imported, import_schema(schema ? *schema : json::Value::object(), at, import_));
    return place_body(std::move(imported), required);
  }

  Status place_body(json::Value schema, bool required) {
    const auto* properties = schema.get("properties");
    if (!properties || properties->size() == 0 || schema.get("anyOf")) {
      const auto given = add("body", std::move(schema), required);
      http_.set("body", "{" + given + "}");
      return Status::success();
    }
    auto body = json::Value::object();
    for (const auto& [name, inner] : properties->as_object()) {
      const bool taken = function_.find(name) != nullptr;
      const auto given = add(taken ? "body_" + name : name, inner, required && lists(schema, name));
      body.set(name, "{" + given + "}");
    }
    http_.set("body", std::move(body));
    return Status::success();
  }

  const json::Value& document_;
  Function& function_;
  json::Value& http_;
  SchemaImport import_;
};

}  // namespace

std::string short_description(const json::Value& described) {
  constexpr size_t limit = 400;
  auto text = described.text("summary");
  if (text.empty()) text = described.text("description");
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  text = std::string(trim(text));
  if (text.size() <= limit) return text;
  size_t cut = limit;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
  return text.substr(0, cut) + "...";
}

Status read_operation_inputs(const json::Value& document, const json::Value& path_item,
                             const json::Value& operation, const std::string& where,
                             Function& function, json::Value& http,
                             std::vector<std::string>& notes) {
  Inputs inputs(document, function, http);
  const auto status = inputs.read(path_item, operation, where);
  if (status.ok()) notes.insert(notes.end(), inputs.notes().begin(), inputs.notes().end());
  return status;
}

}  // namespace slipway::skill
