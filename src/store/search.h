// The filter language of MLflow's searches: text to comparisons, comparisons to SQL with bound
// parameters.
//
//     SLIPWAY_TRY(filter, parse_filter(run_fields(),
//                                      "metrics.loss < 0.5 and tags.`a b` LIKE 'x%'"));
//     SLIPWAY_TRY(order, parse_order(run_fields(), "params.lr DESC"));
//     Sql sql = filter_sql(run_fields(), filter);   // text with ?; values in their order
//
//     filter     := comparison ("AND" comparison)*
//     comparison := key op value
//                 | key ["NOT"] "IN" "(" text ("," text)* ")"
//                 | key "IS" ["NOT"] "NULL"
//     key        := [kind "."] name           name: letters, digits, _ . - / : or quoted by ` or "
//     op         := = == != <> < <= > >= LIKE ILIKE
//     value      := number | 'text' | "text"  a quote is doubled inside its own quotes
//
// The language's words are of any case. LIKE knows the case and has % and _; ILIKE ignores the case
// of ASCII. What lacks a key matches nothing but IS NULL. At most 64 KiB and 256 comparisons.
// Pure; thread-safe. Errors: invalid_input with the column where the text went wrong.
// Source: MLflow's documentation of its search syntax.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "store/database.h"

namespace slipway::store {

enum class KeyKind { attribute, metric, param, tag, dataset };
enum class Comparator { eq, ne, lt, le, gt, ge, like, ilike, in, not_in, is_null, is_not_null };

struct SearchKey {
  KeyKind kind = KeyKind::attribute;
  std::string name;  // of an attribute: its canonical one
  friend bool operator==(const SearchKey&, const SearchKey&) = default;
};

struct Comparison {
  using Value = std::variant<std::monostate, double, std::string, std::vector<std::string>>;
  SearchKey key;
  Comparator comparator = Comparator::eq;
  Value value;  // IS NULL has none
  friend bool operator==(const Comparison&, const Comparison&) = default;
};
using Filter = std::vector<Comparison>;  // all of them hold

struct Order {
  SearchKey key;
  bool ascending = true;
};

// What can be searched for in one kind of thing, and where SQL finds it.
struct SearchFields {
  struct Attribute {
    std::string column;  // an SQL expression
    bool is_number = false;
    bool takes_list = false;  // IN
    bool in_filter = true;
    bool in_order = true;
    bool nullable = false;
  };
  std::map<std::string, Attribute, std::less<>> attributes;
  std::map<std::string, std::string, std::less<>> synonyms;  // of attributes
  // "tags t WHERE t.run_id = r.id": rows with the columns key and value.
  std::map<KeyKind, std::string> sides;
  std::map<std::string, std::string, std::less<>> computed_tags;  // by key: an SQL expression
  std::map<std::string, std::string, std::less<>> datasets;  // by name: an expression over `sides`
};

const SearchFields& run_fields();            // over "runs r"
const SearchFields& experiment_fields();     // over "experiments e"
const SearchFields& model_fields();          // over "registered_models m"
const SearchFields& model_version_fields();  // over "model_versions v JOIN registered_models m"
const SearchFields& logged_model_fields();   // over "logged_models l"

Result<Filter> parse_filter(const SearchFields& fields, std::string_view text);
Result<Order> parse_order(const SearchFields& fields, std::string_view text);

struct Sql {
  std::string text;
  std::vector<Bound> values;
};
// "1" when the filter is empty.
Sql filter_sql(const SearchFields& fields, const Filter& filter);
// Terms of an ORDER BY: what lacks the key comes last, NaN before it.
Sql order_sql(const SearchFields& fields, const std::vector<Order>& orders);

}  // namespace slipway::store
