// JSON-Schema signatures become the graph of their canonical calls, in one form.
#include "skill/grammar.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "skill/automaton.h"
#include "skill/call.h"
#include "skill/foreign_schema.h"
#include "skill/schema.h"

namespace slipway::skill {
namespace {

using Id = Graph::Id;
using Kind = GraphNode::Kind;

constexpr int max_any_depth = 3;  // nesting of values without a schema
constexpr int64_t max_listed_integers = 1000;
constexpr int max_integer_digits = 15;  // exact in a double
constexpr int max_number_digits = 9;    // before the point
constexpr int64_t max_counted = 4096;      // characters; longer bounds are left to check_call
constexpr int64_t max_counted_items = 64;  // so are longer lists
constexpr size_t max_nodes = 500'000;      // then lists of bounded length end earlier

int digits_of(int64_t number) { return static_cast<int>(std::to_string(std::abs(number)).size()); }

// What one form writes around calls and their values.
struct Form {
  char quote = '\'';
  std::string first, between = "\n", last;  // around all calls, and from one to the next
  std::string open, open_arguments = "(", close = ")";
  std::string no_call{no_call_text};
  std::string (*literal)(const json::Value&) = print_value;

  bool json() const { return quote == '"'; }
};

Form form_of(CallForm form) {
  if (form == CallForm::python || form == CallForm::functiongemma) return {};
  Form json;
  json.quote = '"';
  json.open = "{\"name\": ";
  json.open_arguments = ", \"arguments\": {";
  json.close = "}}";
  json.no_call = "";
  json.literal = print_json_value;
  if (form == CallForm::qwen) {
    json.open = "<tool_call>\n" + json.open;
    json.close += "\n</tool_call>";
  } else if (form == CallForm::llama3) {
    json.open_arguments = ", \"parameters\": {";
    json.between = "; ";
  } else {
    json.first = "[TOOL_CALLS][";
    json.between = ", ";
    json.last = "]";
  }
  return json;
}

class Compiler {
 public:
  // In a call a text says something; elsewhere it may be empty, unless the schema says otherwise.
  Compiler(Graph& graph, const GrammarOptions& options, int64_t shortest_string = 1)
      : graph_(graph),
        options_(options),
        form_(form_of(options.form)),
        shortest_string_(shortest_string) {}

  Id json_text(const json::Value& schema) { return value(schema, graph_.accept(), 0); }

  Id calls(const std::vector<const Function*>& functions) {
    const Id accept = graph_.accept();
    const Id another = graph_.placeholder();
    const auto bound = static_cast<uint16_t>(std::clamp(options_.max_calls, 1, 16));
    const Id more = graph_.guard(Kind::next_call, 0, bound, graph_.text(form_.between, another));
    const Id after = graph_.split(graph_.text(form_.last, accept), more);
    std::vector<Id> choices;
    for (const auto* function : functions) choices.push_back(call(*function, after));
    const Id any_call = graph_.any_of(choices);
    graph_.set(another, any_call, any_call);
    const Id first = graph_.text(form_.first, any_call);
    return options_.allow_no_call ? graph_.split(graph_.text(form_.no_call, accept), first) : first;
  }

 private:
  struct Member {
    std::string prefix;  // "location=" or "'location': "
    const json::Value* schema;
    bool required;
  };

  std::string key(const std::string& name) const { return form_.literal(json::Value(name)) + ": "; }

  Id call(const Function& function, Id next) {
    std::vector<Member> members;
    for (const auto& p : function.parameters)
      members.push_back({form_.json() ? key(p.name) : p.name + "=", &p.schema, p.required});
    const auto name = function.qualified_name();
    return graph_.text(form_.open + (form_.json() ? form_.literal(json::Value(name)) : name) +
                           form_.open_arguments,
                       sequence(members, graph_.text(form_.close, next), 0));
  }

  // Members in order, optional ones skipped or not: before each, either nothing was written yet or
  // ", " is due.
  Id sequence(const std::vector<Member>& members, Id close, int depth) {
    Id first = close, rest = close;
    for (size_t i = members.size(); i > 0; --i) {
      const auto& member = members[i - 1];
      const Id named = graph_.text(member.prefix, value(*member.schema, rest, depth + 1));
      const Id with_comma = graph_.text(", ", named);
      first = member.required ? named : graph_.split(named, first);
      rest = member.required ? with_comma : graph_.split(with_comma, rest);
    }
    return first;
  }

  Id value(const json::Value& schema, Id next, int depth) {
    if (said_ || !schema.flag(said_key)) return plain_value(schema, next, depth);
    said_ = true;
    const Id first = plain_value(schema, next, depth);
    said_ = false;
    return first;
  }

  Id plain_value(const json::Value& schema, Id next, int depth) {
    if (depth > max_schema_depth) return any_value(next, 0);
    if (const auto* list = schema_alternatives(schema)) {
      std::vector<Id> choices;
      for (const auto& alternative : list->as_array())
        choices.push_back(value(alternative, next, depth + 1));
      if (schema.flag("nullable")) choices.push_back(graph_.text("null", next));
      return graph_.any_of(choices);
    }
    if (const auto* one = schema.get("const")) return literals({*one}, schema, next);
    if (const auto* values = schema.get("enum"); values && values->is_array()) {
      return literals(values->as_array(), schema, next);
    }
    const auto types = schema_types(schema);
    if (types.empty()) return any_value(next, max_any_depth);
    std::vector<Id> choices;
    for (const auto& type : types) choices.push_back(typed(type, schema, next, depth));
    return graph_.any_of(choices);
  }

  Id literals(const json::Array& values, const json::Value& schema, Id next) {
    std::vector<Id> choices;
    for (const auto& one : values) choices.push_back(graph_.text(form_.literal(one), next));
    if (schema.flag("nullable")) choices.push_back(graph_.text("null", next));
    return graph_.any_of(choices);
  }

  Id typed(const std::string& type, const json::Value& schema, Id next, int depth) {
    if (type == "string") return string(schema, next);
    if (type == "integer") return integer(schema, next);
    if (type == "number") return number(schema, next);
    if (type == "boolean") return boolean(next);
    if (type == "array") return array(schema, next, depth);
    if (type == "object") return object(schema, next, depth);
    return graph_.text("null", next);
  }

  Id boolean(Id next) {
    return graph_.split(graph_.text("true", next), graph_.text("false", next));
  }

  // One character as the printer writes it: escapes, and UTF-8 of 1 to 4 bytes (Unicode, table 3-7)
  // without control characters.
  Id ascii(Id next) {
    const Id escaped = graph_.any_of({graph_.byte(quote(), quote(), next), graph_.text("\\", next),
                                      graph_.text("n", next), graph_.text("t", next)});
    const auto before = static_cast<unsigned char>(quote() - 1);
    const auto behind = static_cast<unsigned char>(quote() + 1);
    return graph_.any_of({graph_.byte(0x20, before, next), graph_.byte(behind, 0x5b, next),
                          graph_.byte(0x5d, 0x7e, next), graph_.text("\\", escaped)});
  }

  Id two_bytes(Id next) {
    return graph_.split(graph_.byte(0xc2, 0xc2, graph_.byte(0xa0, 0xbf, next)),
                        graph_.byte(0xc3, 0xdf, graph_.byte(0x80, 0xbf, next)));
  }

  Id three_bytes(Id next) {
    const Id last = graph_.byte(0x80, 0xbf, next);
    const Id two = graph_.byte(0x80, 0xbf, last);
    return graph_.any_of(
        {graph_.byte(0xe0, 0xe0, graph_.byte(0xa0, 0xbf, last)), graph_.byte(0xe1, 0xec, two),
         graph_.byte(0xed, 0xed, graph_.byte(0x80, 0x9f, last)), graph_.byte(0xee, 0xef, two)});
  }

  Id four_bytes(Id next) {
    const Id two = graph_.byte(0x80, 0xbf, graph_.byte(0x80, 0xbf, next));
    return graph_.any_of({graph_.byte(0xf0, 0xf0, graph_.byte(0x90, 0xbf, two)),
                          graph_.byte(0xf1, 0xf3, graph_.byte(0x80, 0xbf, two)),
                          graph_.byte(0xf4, 0xf4, graph_.byte(0x80, 0x8f, two))});
  }

  // Without bounds a string is one loop; with them every character passes a counter.
  Id string(const json::Value& schema, Id next) {
    const auto number = [&](const char* key, int64_t otherwise) {
      const auto* v = schema.get(key);
      return v && v->is_integer() ? std::clamp<int64_t>(v->as_integer(), 0, max_counted)
                                  : otherwise;
    };
    const int64_t low = number("minLength", shortest_string_);
    const auto* stated = schema.get("maxLength");
    const bool in_characters =
        stated && stated->is_integer() && stated->as_integer() <= max_counted;
    const int64_t high = in_characters
                             ? number("maxLength", 0)
                             : std::clamp<int64_t>(options_.max_string_bytes, 0, max_counted);
    const bool bounded = in_characters || high > 0;
    if (!bounded && low <= 1) return free_string(low == 0, next, said_);
    const auto least = static_cast<uint16_t>(bounded ? std::min(low, high) : low);
    const auto most = static_cast<uint16_t>(bounded ? high : low);
    const Id loop = graph_.placeholder();
    const auto counted = [&](uint16_t bytes, Id character) {
      return graph_.guard(bounded ? Kind::count : Kind::saturate,
                          in_characters || !bounded ? 1 : bytes, most, character);
    };
    const Id more = graph_.any_of({counted(1, ascii(loop)), counted(2, two_bytes(loop)),
                                   counted(3, three_bytes(loop)), counted(4, four_bytes(loop))});
    const Id end = graph_.byte(quote(), quote(), graph_.guard(Kind::reset, 0, 0, next));
    graph_.set(loop, graph_.guard(Kind::at_least, 0, least, end), more);
    return graph_.byte(quote(), quote(), loop);
  }

  Id free_string(bool may_be_empty, Id next, bool said = false) {
    const Id loop = graph_.placeholder();
    const Id more =
        graph_.any_of({ascii(loop), two_bytes(loop), three_bytes(loop), four_bytes(loop)});
    graph_.set(loop, graph_.byte(quote(), quote(), next), more);
    if (said) graph_.mark_said(loop, static_cast<Id>(graph_.size()));
    return graph_.byte(quote(), quote(), may_be_empty ? loop : more);
  }

  // 0 to `count` digits.
  Id up_to_digits(int count, Id next) {
    Id entry = next;
    for (int i = 0; i < count; ++i) entry = graph_.split(graph_.byte('0', '9', entry), next);
    return entry;
  }

  // 1 to `count` digits, the first no zero.
  Id natural(int count, Id next) { return graph_.byte('1', '9', up_to_digits(count - 1, next)); }

  // Small ranges are listed; else sign and number of digits are kept, exact bounds are
  // check_call's.
  Id integer(const json::Value& schema, Id next) {
    const auto range = integer_range(schema);
    std::vector<Id> choices;
    if (range.low && range.high && *range.high - *range.low < max_listed_integers) {
      for (auto n = *range.low; n <= *range.high; ++n)
        choices.push_back(graph_.text(std::to_string(n), next));
      return graph_.any_of(choices);
    }
    const auto digits = [](std::optional<int64_t> bound) {
      return bound ? std::min(digits_of(*bound), max_integer_digits) : max_integer_digits;
    };
    if (range.low.value_or(0) <= 0 && range.high.value_or(0) >= 0)
      choices.push_back(graph_.text("0", next));
    if (range.high.value_or(1) > 0) choices.push_back(natural(digits(range.high), next));
    if (range.low.value_or(-1) < 0)
      choices.push_back(graph_.text("-", natural(digits(range.low), next)));
    return graph_.any_of(choices);
  }

  // ".", then up to six digits of which the last is no zero.
  Id fraction(Id next) {
    Id entry = graph_.byte('1', '9', next);
    for (int i = 1; i < max_fraction_digits; ++i) {
      entry = graph_.split(graph_.byte('1', '9', next), graph_.byte('0', '9', entry));
    }
    return graph_.text(".", entry);
  }

  Id number(const json::Value& schema, Id next) {
    const auto bound = [&](const char* key, const char* exclusive, double otherwise) {
      return schema.get(key) ? schema.number(key) : schema.number(exclusive, otherwise);
    };
    const double low = bound("minimum", "exclusiveMinimum", -1e9),
                 high = bound("maximum", "exclusiveMaximum", 1e9);
    const auto digits = [](double limit) {
      return limit == std::clamp(limit, -1e8, 1e8) ? digits_of(static_cast<int64_t>(limit))
                                                   : max_number_digits;
    };
    const Id part = fraction(next);
    const Id tail = graph_.split(next, part);
    std::vector<Id> choices;
    if (low <= 0 && high >= 0) choices.push_back(graph_.text("0", next));
    if (high > 0)
      choices.push_back(graph_.split(graph_.text("0", part), natural(digits(high), tail)));
    if (low < 0) {
      choices.push_back(
          graph_.text("-", graph_.split(graph_.text("0", part), natural(digits(low), tail))));
    }
    return graph_.any_of(choices);
  }

  Id array(const json::Value& schema, Id next, int depth) {
    const auto bound = [&](const char* key) -> std::optional<int64_t> {
      const auto* v = schema.get(key);
      return v && v->is_integer() && v->as_integer() <= max_counted_items
                 ? std::optional(v->as_integer())
                 : std::nullopt;
    };
    const json::Value anything;
    const auto& items = schema.get("items") ? *schema.get("items") : anything;
    const auto low = bound("minItems").value_or(0);
    const auto high = bound("maxItems");
    const Id close = graph_.text("]", next);
    // From the end: with `written` items behind, what may follow.
    Id rest = close;
    if (!high || *high < low) rest = item_loop(items, close, depth);
    for (auto written = high.value_or(low); written > 1 && graph_.size() < max_nodes; --written) {
      const Id item = graph_.text(", ", value(items, rest, depth + 1));
      rest = written <= low ? item : graph_.split(close, item);
    }
    const Id first = high == 0 ? close : value(items, rest, depth + 1);
    return graph_.text("[", low == 0 ? graph_.split(close, first) : first);
  }

  Id item_loop(const json::Value& items, Id close, int depth) {
    const Id loop = graph_.placeholder();
    graph_.set(loop, close, graph_.text(", ", value(items, loop, depth + 1)));
    return loop;
  }

  Id object(const json::Value& schema, Id next, int depth) {
    const auto* properties = schema.get("properties");
    if (!properties || properties->size() == 0) {
      return schema.flag("additionalProperties", true) ? any_object(next, max_any_depth - 1)
                                                       : graph_.text("{}", next);
    }
    std::vector<Member> members;
    for (const auto& [name, inner] : properties->as_object()) {
      const auto* required = schema.get("required");
      const bool must = required && required->is_array() &&
                        std::find(required->as_array().begin(), required->as_array().end(),
                                  json::Value(name)) != required->as_array().end();
      members.push_back({key(name), &inner, must});
    }
    return graph_.text("{", sequence(members, graph_.text("}", next), depth));
  }

  Id any_object(Id next, int nesting) {
    const Id close = graph_.text("}", next);
    const Id loop = graph_.placeholder();
    const Id member = free_string(false, graph_.text(": ", any_value(loop, nesting)));
    graph_.set(loop, close, graph_.text(", ", member));
    return graph_.text("{", graph_.split(close, member));
  }

  Id any_value(Id next, int nesting) {
    const json::Value unbounded = json::Value::object();
    std::vector<Id> choices{string(unbounded, next), number(unbounded, next), boolean(next),
                            graph_.text("null", next)};
    if (nesting > 0) {
      const Id close = graph_.text("]", next);
      const Id loop = graph_.placeholder();
      const Id item = any_value(loop, nesting - 1);
      graph_.set(loop, close, graph_.text(", ", item));
      choices.push_back(graph_.text("[", graph_.split(close, item)));
      choices.push_back(any_object(next, nesting - 1));
    }
    return graph_.any_of(choices);
  }

  unsigned char quote() const { return static_cast<unsigned char>(form_.quote); }

  Graph& graph_;
  const GrammarOptions& options_;
  const Form form_;
  const int64_t shortest_string_;
  bool said_ = false;  // inside a parameter that takes only what was said
};

// What decides the language, and nothing else: descriptions, bindings and replies may change.
std::string fingerprint_of(const std::vector<const Function*>& functions,
                           const GrammarOptions& options) {
  auto signatures = json::Value::array();
  for (const auto* function : functions) {
    auto parameters = json::Value::array();
    for (const auto& p : function->parameters) {
      auto schema = p.schema;
      if (schema.is_object()) schema.erase("description"), schema.erase(normalise_key);
      auto one = json::Value::object();
      parameters.push_back(
          one.set("name", p.name).set("schema", std::move(schema)).set("required", p.required));
    }
    auto one = json::Value::object();
    signatures.push_back(
        one.set("name", function->qualified_name()).set("parameters", std::move(parameters)));
  }
  auto all = json::Value::object();
  all.set("call_grammar", 1)
      .set("functions", std::move(signatures))
      .set("max_calls", options.max_calls);
  all.set("allow_no_call", options.allow_no_call).set("max_string_bytes", options.max_string_bytes);
  if (options.form != CallForm::python) all.set("form", form_name(options.form));
  return sha256_hex(all.canonical());
}

}  // namespace

std::shared_ptr<const model::Constraint> call_grammar(const SkillSet& skills,
                                                      const GrammarOptions& options) {
  std::vector<const Function*> permitted;
  for (const auto* function : skills.functions()) {
    if (function->permission != Permission::deny) permitted.push_back(function);
  }
  Graph graph;
  const auto start = Compiler(graph, options).calls(permitted);
  return std::make_shared<Automaton>(std::move(graph), start, fingerprint_of(permitted, options));
}

namespace {

// What our subset knows and the graph does not hold to.
void note_unheld(const json::Value& schema, const std::string& where,
                 std::vector<std::string>& notes) {
  if (!schema.is_object()) return;
  for (const auto& [key, value] : schema.as_object()) {
    if (key == "pattern" || key == "multipleOf" || key == "uniqueItems")
      notes.push_back("'" + key + "' at " + where);
    if (key == "items") note_unheld(value, where + ".items", notes);
    if (key == "properties" && value.is_object()) {
      for (const auto& [name, inner] : value.as_object())
        note_unheld(inner, where + ".properties." + name, notes);
    }
    if ((key == "anyOf" || key == "oneOf") && value.is_array()) {
      for (const auto& inner : value.as_array()) note_unheld(inner, where + "." + key, notes);
    }
  }
}

}  // namespace

Result<ValueGrammar> value_grammar(const json::Value& schema) {
  SchemaImport import{.document = schema};
  SLIPWAY_TRY(known, import_schema(schema, "schema", import));
  note_unheld(known, "schema", import.notes);
  const GrammarOptions options{.form = CallForm::llama3};  // JSON
  Graph graph;
  const auto start = Compiler(graph, options, 0).json_text(known);
  auto described = json::Value::object();
  described.set("value_grammar", 1).set("schema", known);
  // By the text: the order of members is part of the language.
  return ValueGrammar{
      std::make_shared<Automaton>(std::move(graph), start, sha256_hex(described.dump())),
      std::move(import.notes)};
}

}  // namespace slipway::skill
