#include "store/search.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "store/search_tokens.h"

namespace slipway::store {
namespace {

constexpr size_t kMostBytes = size_t{64} << 10;
constexpr size_t kMostComparisons = 256;
constexpr size_t kMostPatternBytes = 8'000;  // SQLite's own limit, escapes included, is 50,000

std::optional<KeyKind> kind_named(std::string_view name) {
  const std::pair<std::string_view, KeyKind> names[] = {{"metric", KeyKind::metric},
                                                        {"metrics", KeyKind::metric},
                                                        {"param", KeyKind::param},
                                                        {"params", KeyKind::param},
                                                        {"parameter", KeyKind::param},
                                                        {"parameters", KeyKind::param},
                                                        {"tag", KeyKind::tag},
                                                        {"tags", KeyKind::tag},
                                                        {"attribute", KeyKind::attribute},
                                                        {"attributes", KeyKind::attribute},
                                                        {"attr", KeyKind::attribute},
                                                        {"run", KeyKind::attribute},
                                                        {"dataset", KeyKind::dataset},
                                                        {"datasets", KeyKind::dataset}};
  for (const auto& [known, kind] : names) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

std::string attribute_names(const SearchFields& fields) {
  std::vector<std::string> names;
  for (const auto& [name, attribute] : fields.attributes) names.push_back(name);
  return join(names, ", ");
}

// The language's words are of any case.
bool is_word(const Token& token, std::string_view word) {
  return token.kind == Token::Kind::word && to_lower(token.raw) == word;
}

class Parser {
 public:
  Parser(const SearchFields& fields, std::string_view text) : fields_(fields), tokens_(text) {}

  Result<Filter> filter() {
    Filter filter;
    SLIPWAY_TRY(first, tokens_.peek());
    if (first.kind == Token::Kind::end) return filter;
    while (true) {
      SLIPWAY_TRY(comparison, this->comparison());
      filter.push_back(std::move(comparison));
      SLIPWAY_TRY(token, tokens_.next());
      if (token.kind == Token::Kind::end) return filter;
      if (!is_word(token, "and")) return tokens_.error_at(token.offset, "expected AND");
      if (filter.size() == kMostComparisons)
        return tokens_.error_at(token.offset, "more than 256 comparisons");
    }
  }

  Result<Order> order() {
    SLIPWAY_TRY(token, tokens_.next());
    SLIPWAY_TRY(key, this->key(token));
    const bool attribute = key.kind == KeyKind::attribute;
    if (key.kind == KeyKind::dataset || (attribute && !fields_.attributes.at(key.name).in_order))
      return tokens_.error_at(token.offset, "nothing is ordered by this");
    Order order{std::move(key), true};
    SLIPWAY_TRY(direction, tokens_.next());
    if (direction.kind == Token::Kind::end) return order;
    order.ascending = is_word(direction, "asc");
    if (!order.ascending && !is_word(direction, "desc"))
      return tokens_.error_at(direction.offset, "expected ASC or DESC");
    SLIPWAY_TRY(end, tokens_.next());
    if (end.kind != Token::Kind::end) return tokens_.error_at(end.offset, "expected the end");
    return order;
  }

 private:
  Result<SearchKey> key(const Token& token) {
    if (token.kind != Token::Kind::word)
      return tokens_.error_at(token.offset, "expected a key such as metrics.loss");
    SearchKey key;
    std::string_view name = token.raw;
    const bool quoted = name.front() == '`' || name.front() == '"';
    if (const size_t dot = name.find('.'); !quoted && dot != std::string_view::npos) {
      const auto kind = kind_named(name.substr(0, dot));
      if (!kind || (*kind != KeyKind::attribute && !fields_.sides.contains(*kind)))
        return tokens_.error_at(token.offset, "'" + std::string(name.substr(0, dot)) +
                                                  "' is nothing that can be searched here");
      key.kind = *kind;
      name.remove_prefix(dot + 1);
    }
    key.name = unquoted(name);
    return checked(std::move(key), token);
  }

  Result<SearchKey> checked(SearchKey key, const Token& token) {
    if (key.name.empty()) return tokens_.error_at(token.offset, "the key has no name");
    if (key.kind == KeyKind::dataset && !fields_.datasets.contains(key.name))
      return tokens_.error_at(token.offset, "known of a dataset are name, digest, context");
    if (key.kind != KeyKind::attribute) return key;
    if (const auto same = fields_.synonyms.find(key.name); same != fields_.synonyms.end())
      key.name = same->second;
    if (!fields_.attributes.contains(key.name))
      return tokens_.error_at(
          token.offset, "no attribute '" + key.name + "'; known are " + attribute_names(fields_));
    return key;
  }

  Result<Comparison> comparison() {
    SLIPWAY_TRY(token, tokens_.next());
    SLIPWAY_TRY(key, this->key(token));
    if (key.kind == KeyKind::attribute && !fields_.attributes.at(key.name).in_filter)
      return tokens_.error_at(token.offset, "nothing is filtered by '" + key.name + "'");
    Comparison comparison{.key = std::move(key), .comparator = {}, .value = {}};
    SLIPWAY_TRY(sign, tokens_.peek());
    SLIPWAY_TRY(comparator, this->comparator());
    comparison.comparator = comparator;
    if (!takes(comparison.key, comparator))
      return tokens_.error_at(sign.offset, "this cannot be compared so");
    SLIPWAY_TRY(value, this->value(comparison));
    comparison.value = std::move(value);
    return comparison;
  }

  Result<Comparator> comparator() {
    SLIPWAY_TRY(token, tokens_.next());
    const std::pair<std::string_view, Comparator> signs[] = {
        {"=", Comparator::eq},  {"==", Comparator::eq}, {"!=", Comparator::ne},
        {"<>", Comparator::ne}, {"<", Comparator::lt},  {"<=", Comparator::le},
        {">", Comparator::gt},  {">=", Comparator::ge}};
    for (const auto& [sign, comparator] : signs) {
      if (token.raw == sign) return comparator;
    }
    if (is_word(token, "like")) return Comparator::like;
    if (is_word(token, "ilike")) return Comparator::ilike;
    if (is_word(token, "in")) return Comparator::in;
    const bool is = is_word(token, "is");
    if (!is && !is_word(token, "not"))
      return tokens_.error_at(token.offset, "expected =, <, LIKE, IN ...");
    SLIPWAY_TRY(second, tokens_.next());
    if (!is && is_word(second, "in")) return Comparator::not_in;
    if (is && is_word(second, "null")) return Comparator::is_null;
    if (!is || !is_word(second, "not"))
      return tokens_.error_at(second.offset, is ? "expected NULL" : "expected IN");
    SLIPWAY_TRY(third, tokens_.next());
    if (is_word(third, "null")) return Comparator::is_not_null;
    return tokens_.error_at(third.offset, "expected NULL");
  }

  bool takes(const SearchKey& key, Comparator comparator) const {
    const bool attribute = key.kind == KeyKind::attribute;
    const bool number =
        key.kind == KeyKind::metric || (attribute && fields_.attributes.at(key.name).is_number);
    switch (comparator) {
      case Comparator::eq:
      case Comparator::ne:
        return true;
      case Comparator::lt:
      case Comparator::le:
      case Comparator::gt:
      case Comparator::ge:
        return number;
      case Comparator::like:
      case Comparator::ilike:
        return !number;
      case Comparator::in:
      case Comparator::not_in:
        return key.kind == KeyKind::dataset ||
               (attribute && fields_.attributes.at(key.name).takes_list);
      case Comparator::is_null:
      case Comparator::is_not_null:
        return key.kind == KeyKind::param || key.kind == KeyKind::tag;
    }
    return false;
  }

  Result<Comparison::Value> value(const Comparison& comparison) {
    const auto comparator = comparison.comparator;
    if (comparator == Comparator::is_null || comparator == Comparator::is_not_null)
      return Comparison::Value();
    if (comparator == Comparator::in || comparator == Comparator::not_in) return list();
    const bool number = comparison.key.kind == KeyKind::metric ||
                        (comparison.key.kind == KeyKind::attribute &&
                         fields_.attributes.at(comparison.key.name).is_number);
    SLIPWAY_TRY(token, tokens_.next());
    if (number) return this->number(token);
    SLIPWAY_TRY(text, this->text(token));
    const bool pattern = comparator == Comparator::like || comparator == Comparator::ilike;
    if (pattern && text.size() > kMostPatternBytes)
      return tokens_.error_at(token.offset, "the pattern is longer than 8,000 bytes");
    return Comparison::Value(std::move(text));
  }

  Result<Comparison::Value> number(const Token& token) {
    double value = 0;
    const char* end = token.raw.data() + token.raw.size();
    const auto read = std::from_chars(token.raw.data(), end, value);
    if (token.kind == Token::Kind::number && read.ec == std::errc() && read.ptr == end)
      return Comparison::Value(value);
    return tokens_.error_at(token.offset, "expected a number");
  }

  Result<std::string> text(const Token& token) {
    const bool double_quoted = token.kind == Token::Kind::word && token.raw.front() == '"' &&
                               token.raw.back() == '"' && token.raw.size() > 1;
    if (token.kind == Token::Kind::text || double_quoted) return unquoted(token.raw);
    return tokens_.error_at(token.offset, "expected a text in quotes");
  }

  Result<Comparison::Value> list() {
    SLIPWAY_TRY(open, tokens_.next());
    if (open.raw != "(") return tokens_.error_at(open.offset, "expected a list such as ('a', 'b')");
    std::vector<std::string> texts;
    while (true) {
      SLIPWAY_TRY(token, tokens_.next());
      SLIPWAY_TRY(text, this->text(token));
      texts.push_back(std::move(text));
      SLIPWAY_TRY(after, tokens_.next());
      if (after.raw == ")") return Comparison::Value(std::move(texts));
      if (after.raw != ",") return tokens_.error_at(after.offset, "expected , or )");
    }
  }

  const SearchFields& fields_;
  Tokens tokens_;
};

Status check_size(std::string_view text) {
  if (text.size() <= kMostBytes && is_valid_utf8(text)) return {};
  return Error::invalid_input("the search is longer than 64 KiB, or no UTF-8",
                              "ask for less at once");
}

}  // namespace

Result<Filter> parse_filter(const SearchFields& fields, std::string_view text) {
  SLIPWAY_CHECK(check_size(text));
  return Parser(fields, text).filter();
}

Result<Order> parse_order(const SearchFields& fields, std::string_view text) {
  SLIPWAY_CHECK(check_size(text));
  return Parser(fields, text).order();
}

}  // namespace slipway::store
