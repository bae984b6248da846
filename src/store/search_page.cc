#include "store/search_page.h"

namespace slipway::store {
namespace {

constexpr int64_t kMostPerPage = 50'000;
constexpr size_t kMostOrders = 64;

std::string view_sql(View view, std::string_view deleted) {
  if (deleted.empty() || view == View::all) return "";
  return " AND " + std::string(deleted) + (view == View::active ? " IS NULL" : " IS NOT NULL");
}

Result<std::vector<Order>> orders_of(const SearchFields& fields,
                                     const std::vector<std::string>& texts) {
  std::vector<Order> orders;
  if (texts.size() > kMostOrders)
    return Error::invalid_input("more than 64 keys to order by", "name fewer");
  for (const auto& text : texts) {
    SLIPWAY_TRY(order, parse_order(fields, text));
    for (const auto& other : orders) {
      if (other.key == order.key)
        return Error::invalid_input("the order names '" + order.key.name + "' twice",
                                    "name each key once");
    }
    orders.push_back(std::move(order));
  }
  return orders;
}

}  // namespace

Result<Sql> page_sql(const SearchFields& fields, const Search& search, std::string_view deleted,
                     std::string_view otherwise, std::string_view ties, const Sql& and_also) {
  if (search.limit < 1 || search.limit > kMostPerPage || search.offset < 0) {
    return Error::invalid_input("a page of " + std::to_string(search.limit) + " results",
                                "ask for 1 to 50,000 at a time");
  }
  SLIPWAY_TRY(filter, parse_filter(fields, search.filter));
  SLIPWAY_TRY(orders, orders_of(fields, search.order));
  auto where = filter_sql(fields, filter);
  auto order = order_sql(fields, orders);
  Sql sql{"WHERE ", {}};
  if (!and_also.text.empty()) sql.text += and_also.text + " AND ";
  sql.values = and_also.values;
  sql.text += where.text + view_sql(search.view, deleted) + " ORDER BY ";
  sql.values.insert(sql.values.end(), where.values.begin(), where.values.end());
  if (orders.empty() && !otherwise.empty()) order.text = otherwise;
  sql.text += order.text + (order.text.empty() ? "" : ", ") + std::string(ties);
  sql.values.insert(sql.values.end(), order.values.begin(), order.values.end());
  sql.text += " LIMIT ? OFFSET ?";
  sql.values.insert(sql.values.end(), {search.limit + 1, search.offset});
  return sql;
}

}  // namespace slipway::store
