#include "skill/foreign_schema.h"

#include <algorithm>

#include "base/text.h"
#include "http/client.h"
#include "skill/schema.h"
#include "skill/template.h"

namespace slipway::skill {
namespace {

constexpr int max_depth = 10;  // below max_schema_depth: our own wrapping comes on top
constexpr size_t max_refs = 16;
constexpr size_t max_notes = 100;
constexpr size_t most_free = 16;  // a type or a bound costs nothing: schemas are counted themselves

bool is_one_of(std::string_view key, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), key) != names.end();
}

// Kept as they are; the rest of the subset is treated one by one.
bool is_plain(std::string_view key) {
  return is_one_of(key, {"type", "enum", "const", "minimum", "maximum", "multipleOf", "minLength",
                         "maxLength", "minItems", "maxItems", "uniqueItems", "nullable", "default",
                         "description", "format", "title", "required"});
}

// Keywords that only forbid more: without them what we accept may still be refused by the service.
bool only_forbids(std::string_view key) {
  return is_one_of(
      key, {"not", "if", "then", "else", "propertyNames", "minProperties", "maxProperties",
            "dependentRequired", "dependentSchemas", "dependencies", "contains", "minContains",
            "maxContains", "unevaluatedProperties", "unevaluatedItems", "patternProperties",
            "prefixItems", "additionalItems"});
}

bool is_annotation(std::string_view key) {
  return is_one_of(key, {"title", "description", "default", "format"});
}

Result<const json::Value*> resolve_pointer(std::string_view ref, const json::Value& document,
                                           const std::string& where) {
  const auto missing = [&] {
    return Error::invalid_input(where + ": $ref '" + std::string(ref) + "' leads nowhere");
  };
  if (ref == "#") return &document;
  if (!ref.starts_with("#/")) {
    return Error::unsupported(where + ": $ref '" + std::string(ref) + "' leads out of the document",
                              "put what it names into the document itself");
  }
  const json::Value* at = &document;
  for (const auto& escaped : split(ref.substr(2), '/')) {
    auto decoded = http::percent_decode(escaped);
    if (!decoded.ok()) return missing();
    std::string token;
    for (size_t i = 0; i < decoded->size(); ++i) {
      const bool tilde = (*decoded)[i] == '~' && i + 1 < decoded->size();
      if (tilde && ((*decoded)[i + 1] == '0' || (*decoded)[i + 1] == '1'))
        token += (*decoded)[++i] == '0' ? '~' : '/';
      else
        token += (*decoded)[i];
    }
    if (at->is_array()) {
      const bool index = !token.empty() && token.size() < 7 &&
                         token.find_first_not_of("0123456789") == std::string::npos;
      const size_t i = index ? std::stoul(token) : at->size();
      at = i < at->size() ? &at->as_array()[i] : nullptr;
    } else {
      at = at->get(token);
    }
    if (!at) return missing();
  }
  return at;
}

// Elements and members, and a text as one for each 64 bytes; counted no further than beyond `most`.
size_t weight(const json::Value& value, size_t most) {
  size_t sum = 1 + (value.is_string() ? value.as_string().size() / 64 : 0);
  const auto add = [&](const json::Value& inner) {
    if (sum <= most) sum += weight(inner, most - sum);
  };
  if (value.is_array()) {
    for (const auto& item : value.as_array()) add(item);
  }
  if (value.is_object()) {
    for (const auto& [key, member] : value.as_object()) {
      sum += key.size() / 64;
      add(member);
    }
  }
  return sum;
}

class Importer {
 public:
  explicit Importer(SchemaImport& import) : import_(import) {}

  Result<json::Value> schema(const json::Value& source, const std::string& where, int depth) {
    if (source.is_bool()) {
      if (source.as_bool()) return json::Value::object();
      return Error::unsupported(where + ": the schema 'false' fits nothing");
    }
    if (!source.is_object())
      return Error::invalid_input(where + " must be a JSON Schema (an object)");
    if (import_.budget == 0 || depth > max_depth) return cut(source, where, "it is too large");
    --import_.budget;
    if (const auto* ref = source.get("$ref")) return reference(source, *ref, where, depth);
    SLIPWAY_TRY(result, own(source, where, depth));
    if (const auto* all = source.get("allOf")) {
      if (!all->is_array()) return Error::invalid_input(where + ".allOf must be a list");
      for (size_t i = 0; i < all->size(); ++i) {
        const auto inner = where + ".allOf[" + std::to_string(i) + "]";
        SLIPWAY_TRY(part, schema(all->as_array()[i], inner, depth + 1));
        SLIPWAY_CHECK(merge(result, part, inner));
      }
    }
    tidy(result, where);
    return result;
  }

 private:
  void copy(std::string_view key, const json::Value& value, const std::string& where,
            json::Value& result) {
    const auto size = weight(value, import_.values + most_free);
    if (size > import_.values + most_free) {
      import_.note(where, "'" + std::string(key) + "' is too large, and left to the service");
      return;
    }
    if (size > most_free) import_.values -= size - most_free;
    result.set(key, value);
  }

  json::Value cut(const json::Value& source, const std::string& where, const std::string& why) {
    import_.note(where, why + ", so any value is taken here");
    auto any = json::Value::object();
    for (const char* key : {"type", "description", "nullable"}) {
      if (const auto* value = source.get(key)) copy(key, *value, where, any);
    }
    return any;
  }

  Result<json::Value> reference(const json::Value& source, const json::Value& ref,
                                const std::string& where, int depth) {
    if (!ref.is_string()) return Error::invalid_input(where + ".$ref must be text");
    SLIPWAY_TRY(target, resolve_pointer(ref.as_string(), import_.document, where));
    auto& active = import_.active;
    const bool again = std::find(active.begin(), active.end(), ref.as_string()) != active.end();
    if (again || active.size() >= max_refs) return cut(*target, where, "it refers to itself");
    active.push_back(ref.as_string());
    auto result = schema(*target, where, depth);
    active.pop_back();
    if (!result.ok()) return result;
    for (const auto& [key, value] : source.as_object()) {
      if (is_annotation(key)) copy(key, value, where, *result);
    }
    tidy(*result, where);
    return result;
  }

  // The schema's own keywords, `allOf` aside.
  Result<json::Value> own(const json::Value& source, const std::string& where, int depth) {
    auto result = json::Value::object();
    for (const auto& [key, value] : source.as_object()) {
      if (is_plain(key)) copy(key, value, where, result);
      if (only_forbids(key)) import_.note(where, "'" + key + "' is left to the service to check");
    }
    bounds(source, result);
    pattern(source, result, where);
    SLIPWAY_CHECK(members(source, result, where, depth));
    const bool tuple =
        source.get("prefixItems") || (source.get("items") && source.get("items")->is_array());
    if (const auto* items = source.get("items"); items && !tuple) {
      SLIPWAY_TRY(inner, schema(*items, where + ".items", depth + 1));
      result.set("items", std::move(inner));
    }
    SLIPWAY_CHECK(alternatives(source, result, where, depth));
    return result;
  }

  // OpenAPI 3.0 has flags where JSON Schema has numbers.
  static void bounds(const json::Value& source, json::Value& result) {
    for (const auto& [flag, bound] :
         {std::pair{"exclusiveMinimum", "minimum"}, std::pair{"exclusiveMaximum", "maximum"}}) {
      const auto* value = source.get(flag);
      if (!value) continue;
      if (!value->is_bool()) {
        result.set(flag, *value);
      } else if (value->as_bool() && source.get(bound)) {
        result.set(flag, *source.get(bound));
        result.erase(bound);
      }
    }
  }

  void pattern(const json::Value& source, json::Value& result, const std::string& where) {
    const auto* value = source.get("pattern");
    if (!value) return;
    auto probe = json::Value::object();
    probe.set("pattern", *value);
    if (check_schema(probe, where).ok())
      result.set("pattern", *value);
    else
      import_.note(where, "'pattern' is not one that RE2 knows; left to the service to check");
  }

  Status members(const json::Value& source, json::Value& result, const std::string& where,
                 int depth) {
    if (const auto* properties = source.get("properties")) {
      if (!properties->is_object())
        return Error::invalid_input(where + ".properties must be an object");
      auto kept = json::Value::object();
      for (const auto& [name, value] : properties->as_object()) {
        if (value.flag("readOnly")) continue;  // comes in answers only
        SLIPWAY_TRY(inner, schema(value, where + ".properties." + name, depth + 1));
        kept.set(name, std::move(inner));
      }
      result.set("properties", std::move(kept));
    }
    const auto* additional = source.get("additionalProperties");
    if (!additional || source.get("patternProperties")) return Status::success();
    if (additional->is_bool()) {
      result.set("additionalProperties", *additional);
      return Status::success();
    }
    SLIPWAY_TRY(inner, schema(*additional, where + ".additionalProperties", depth + 1));
    result.set("additionalProperties", std::move(inner));
    return Status::success();
  }

  Status alternatives(const json::Value& source, json::Value& result, const std::string& where,
                      int depth) {
    for (const char* key : {"anyOf", "oneOf"}) {
      const auto* list = source.get(key);
      if (!list) continue;
      if (!list->is_array() || list->size() == 0)
        return Error::invalid_input(where + "." + key + " must be a list of at least one schema");
      if (schema_alternatives(result)) {
        import_.note(where, "only 'anyOf' is read, 'oneOf' is left to the service to check");
        continue;
      }
      auto kept = json::Value::array();
      for (size_t i = 0; i < list->size(); ++i) {
        const auto inner = where + "." + key + "[" + std::to_string(i) + "]";
        SLIPWAY_TRY(one, schema(list->as_array()[i], inner, depth + 1));
        kept.push_back(std::move(one));
      }
      result.set("anyOf", std::move(kept));
    }
    return Status::success();
  }

  Status merge(json::Value& into, const json::Value& part, const std::string& where) {
    for (const auto& [key, value] : part.as_object()) {
      auto* have = into.get(key);
      if (!have) {
        into.set(key, value);
      } else if (key == "properties") {
        for (const auto& [name, inner] : value.as_object()) have->set(name, inner);
      } else if (key == "required" && have->is_array() && value.is_array()) {
        for (const auto& name : value.as_array()) have->push_back(name);
      } else if (key == "type" && !(*have == value)) {
        return Error::unsupported(where + ": the parts of allOf have different types");
      } else if (!is_annotation(key) && !(*have == value)) {
        import_.note(where, "a second '" + key + "' is left to the service to check");
      }
    }
    // Each part speaks of its own properties only.
    if (into.get("additionalProperties") && part.get("properties"))
      into.erase("additionalProperties");
    return Status::success();
  }

  // What remains must be what check_schema takes.
  void tidy(json::Value& schema, const std::string& where) {
    if (schema_alternatives(schema)) {
      const bool shaped = schema.get("properties") || schema.get("items") || schema.get("enum");
      if (shaped) {
        schema.erase("anyOf");
        import_.note(where, "alternatives beside 'properties' are left to the service to check");
      } else {
        json::Value bare = json::Value::object();
        for (const auto& [key, value] : schema.as_object()) {
          if (is_annotation(key) || key == "nullable" || key == "anyOf") bare.set(key, value);
        }
        schema = std::move(bare);
      }
    }
    if (const auto* required = schema.get("required")) {
      auto kept = json::Value::array();
      const auto* properties = schema.get("properties");
      for (const auto& name : required->is_array() ? required->as_array() : json::Array()) {
        const bool known = name.is_string() && properties && properties->get(name.as_string());
        const auto& all = kept.as_array();
        if (known && std::find(all.begin(), all.end(), name) == all.end()) kept.push_back(name);
      }
      schema.erase("required");
      if (kept.size() > 0) schema.set("required", std::move(kept));
    }
    if (schema.get("default") && !check_schema(schema, where, 1).ok()) {
      auto without = schema;
      without.erase("default");
      if (!check_schema(without, where, 1).ok()) return;  // something else is wrong: said later
      schema = std::move(without);
      import_.note(where, "the default does not fit its own schema and is not used");
    }
  }

  SchemaImport& import_;
};

}  // namespace

void SchemaImport::note(const std::string& where, const std::string& what) {
  const auto text = where + ": " + what;
  if (notes.size() < max_notes && std::find(notes.begin(), notes.end(), text) == notes.end())
    notes.push_back(text);
}

Result<json::Value> import_schema(const json::Value& schema, const std::string& where,
                                  SchemaImport& import) {
  SLIPWAY_TRY(result, Importer(import).schema(schema, where, 0));
  SLIPWAY_CHECK(check_schema(result, where, 1));
  return result;
}

Result<const json::Value*> follow_refs(const json::Value& value, const json::Value& document,
                                       const std::string& where) {
  const json::Value* at = &value;
  for (size_t hops = 0;; ++hops) {
    const auto* ref = at->get("$ref");
    if (!ref) return at;
    if (!ref->is_string()) return Error::invalid_input(where + ".$ref must be text");
    if (hops == max_refs)
      return Error::invalid_input(where + ": $ref '" + ref->as_string() + "' never ends");
    SLIPWAY_TRY(next, resolve_pointer(ref->as_string(), document, where));
    at = next;
  }
}

std::string make_identifier(std::string_view wanted, const std::vector<std::string>& taken) {
  std::string name;
  for (const char c : wanted) {
    const bool fits = is_identifier(std::string("_") + c);
    if (fits) name += c;
    if (!fits && !name.empty() && !name.ends_with('_')) name += '_';
  }
  while (name.size() > 1 && name.ends_with('_') && !wanted.ends_with('_')) name.pop_back();
  if (name.empty() || !is_identifier(name.substr(0, 1))) name = "_" + name;
  name.resize(std::min<size_t>(name.size(), 60));
  auto unique = name;
  for (int i = 2; std::find(taken.begin(), taken.end(), unique) != taken.end(); ++i)
    unique = name + "_" + std::to_string(i);
  return unique;
}

}  // namespace slipway::skill
