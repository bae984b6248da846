// One page of a search as SQL: "WHERE ... ORDER BY ... LIMIT ... OFFSET ...".
//
//     SLIPWAY_TRY(sql,
//                 page_sql(run_fields(), search, "r.deleted_ms", "", "r.start_ms DESC, r.id"));
//
// One row more than the page holds is asked for: it tells whether another page follows. Pure.
// Errors: invalid_input (filter, order, the page's size).
#pragma once

#include <string_view>

#include "store/experiments.h"
#include "store/search.h"

namespace slipway::store {

// `deleted` is the column that tells the deleted; `otherwise` orders what is not ordered by the
// search, and `ties` the rest. `and_also` is a condition more, with its values.
Result<Sql> page_sql(const SearchFields& fields, const Search& search, std::string_view deleted,
                     std::string_view otherwise, std::string_view ties, const Sql& and_also = {});

}  // namespace slipway::store
