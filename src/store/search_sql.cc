#include "store/search.h"

namespace slipway::store {
namespace {

// GLOB knows the case, as LIKE must: % and _ become * and ?, and GLOB's own signs stand for
// themselves.
std::string glob_of(const std::string& like) {
  std::string glob;
  for (const char c : like) {
    if (c == '%') {
      glob += '*';
    } else if (c == '_') {
      glob += '?';
    } else if (c == '*' || c == '?' || c == '[') {
      glob.append("[") += c;
      glob += ']';
    } else {
      glob += c;
    }
  }
  return glob;
}

const char* sign_of(Comparator comparator) {
  switch (comparator) {
    case Comparator::ne:
      return " != ?";
    case Comparator::lt:
      return " < ?";
    case Comparator::le:
      return " <= ?";
    case Comparator::gt:
      return " > ?";
    case Comparator::ge:
      return " >= ?";
    case Comparator::like:
      return " GLOB ?";
    case Comparator::ilike:
      return " LIKE ?";
    default:
      return " = ?";
  }
}

void append(Sql& sql, const std::string& left, const Comparison& comparison) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&comparison.value)) {
    sql.text += left + (comparison.comparator == Comparator::in ? " IN (" : " NOT IN (");
    for (size_t i = 0; i < list->size(); ++i) {
      sql.text += i == 0 ? "?" : ", ?";
      sql.values.emplace_back((*list)[i]);
    }
    sql.text += ")";
    return;
  }
  sql.text += left + sign_of(comparison.comparator);
  if (const auto* number = std::get_if<double>(&comparison.value)) {
    sql.values.emplace_back(*number);
    // NULL is NaN, which is unlike every number.
    if (comparison.key.kind == KeyKind::metric && comparison.comparator == Comparator::ne)
      sql.text = sql.text.substr(0, sql.text.size() - (left.size() + 5)) + "(" + left +
                 " != ? OR " + left + " IS NULL)";
  } else {
    const auto& text = std::get<std::string>(comparison.value);
    const bool glob = comparison.comparator == Comparator::like;
    sql.values.emplace_back(glob ? glob_of(text) : text);
  }
}

const std::string* computed_tag(const SearchFields& fields, const SearchKey& key) {
  if (key.kind != KeyKind::tag) return nullptr;
  const auto found = fields.computed_tags.find(key.name);
  return found == fields.computed_tags.end() ? nullptr : &found->second;
}

void append_presence(Sql& sql, const std::string& column, Comparator comparator) {
  sql.text += column + (comparator == Comparator::is_null ? " IS NULL" : " IS NOT NULL");
}

void append_one(Sql& sql, const SearchFields& fields, const Comparison& comparison) {
  const auto comparator = comparison.comparator;
  const bool presence = comparator == Comparator::is_null || comparator == Comparator::is_not_null;
  const auto& key = comparison.key;
  if (key.kind == KeyKind::attribute)
    return append(sql, fields.attributes.at(key.name).column, comparison);
  if (const auto* column = computed_tag(fields, key)) {
    if (presence) return append_presence(sql, *column, comparator);
    return append(sql, *column, comparison);
  }
  if (comparator == Comparator::is_null) sql.text += "NOT ";
  sql.text += "EXISTS (SELECT 1 FROM " + fields.sides.at(key.kind);
  if (key.kind == KeyKind::dataset) {
    sql.text += " AND ";
    append(sql, fields.datasets.at(key.name), comparison);
  } else {
    sql.text += " AND t.key = ?";
    sql.values.emplace_back(key.name);
    if (!presence) {
      sql.text += " AND ";
      append(sql, "t.value", comparison);
    }
  }
  sql.text += ")";
}

}  // namespace

Sql filter_sql(const SearchFields& fields, const Filter& filter) {
  Sql sql{"1", {}};
  for (const auto& comparison : filter) {
    sql.text += " AND ";
    append_one(sql, fields, comparison);
  }
  return sql;
}

Sql order_sql(const SearchFields& fields, const std::vector<Order>& orders) {
  Sql sql;
  for (const auto& [key, ascending] : orders) {
    if (!sql.text.empty()) sql.text += ", ";
    const char* direction = ascending ? " ASC" : " DESC";
    std::string column;
    bool nullable = true;
    if (key.kind == KeyKind::attribute) {
      column = fields.attributes.at(key.name).column;
      nullable = fields.attributes.at(key.name).nullable;
    } else if (const auto* computed = computed_tag(fields, key)) {
      column = *computed;
    }
    if (!column.empty()) {
      sql.text += (nullable ? column + " IS NULL, " : std::string()) + column + direction;
      continue;
    }
    const std::string from = " FROM " + fields.sides.at(key.kind) + " AND t.key = ?)";
    sql.text += "ifnull((SELECT t.value IS NULL" + from + ", 2), (SELECT t.value" + from;
    sql.text += direction;
    sql.values.insert(sql.values.end(), {key.name, key.name});
  }
  return sql;
}

}  // namespace slipway::store
