// What an alias such as `production` points to, and everything it ever pointed to.
//
//     SLIPWAY_TRY(now, store->promote({.alias = "production", .candidate = id, ...}));
//     SLIPWAY_TRY(before, store->roll_back("production", "ada"));
//     SLIPWAY_TRY(current, store->release_of("production"));     // std::optional<Release>
//
// A release is candidate × engine. The history is only ever added to: the newest row of an alias is
// what it points to. A plain value.
#pragma once

#include <cstdint>
#include <string>

namespace slipway::store {

struct Release {
  int64_t number = 0;  // order of all releases; filled in
  std::string alias = "production";
  std::string action;            // promote or rollback; filled in
  std::string candidate;         // id
  std::string candidate_name;    // for people
  std::string candidate_object;  // SHA-256 of the object with the candidate as JSON
  std::string engine_id;         // what executed it when it was proved
  std::string gate_run_id;       // the evidence; empty only when forced
  std::string because;           // why it was forced; empty: it passed its gate
  std::string who;
  int64_t unix_ms = 0;   // filled in
  int64_t previous = 0;  // the number of the release that a rollback returns to; 0: none

  bool forced() const { return !because.empty(); }
};

}  // namespace slipway::store
