// What one store hands to another: canonical records and the objects they name, in an order in
// which a receiver can take them (docs/format/bundle.md#records).
//
//     Importer importer(*to, {.from = "lab.slipway"});
//     SLIPWAY_CHECK(hand_over(*from, {.runs = {id}}, importer));      // a store to a store
//     SLIPWAY_CHECK(hand_over(*from, {.all = true}, bundle_writer));  // a store to a file
//     importer.taken().runs                                           // that were new here
//
// The same record twice is one record: a run that is here and ended, or was made here, stays as it
// is and nothing is added to it. A run that comes in is marked by the tag `imported`, which stays
// behind when it travels on: such a run is never continued here, and is no evidence for a
// promotion. An import that was killed is finished by the next one. One thread. Errors: corrupt (a
// record that is none), already_exists (a run of the same id with other content), those of Store.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "json/value.h"
#include "store/store.h"

namespace slipway::store {

// Takes records and objects. Objects come before the records that name them, parents before
// children, a run before what it logged.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual bool wants_object(const std::string&) const { return true; }
  virtual bool wants_run(const std::string&) { return true; }
  virtual Status object(const std::string& bytes) = 0;
  virtual Status record(const json::Value& record) = 0;
  virtual Status end() { return {}; }  // all was given
};

struct Selection {
  bool all = false;               // everything, and nothing else is looked at
  std::vector<std::string> runs;  // ids; what is above and below each comes along
  std::set<std::string> hashes;   // of candidates and objects
};

// Every SHA-256 that stands in what travels, with what the objects among them name.
Result<std::set<std::string>> hashes_of(const Store& from, const Selection& selection);

Status hand_over(const Store& from, const Selection& selection, Sink& sink);

// Errors: already_exists, when a run of `from` is in `to` with another kind, parent, start, inputs
// or environment.
Status check_same_runs(const Store& from, const Store& to);

struct ImportOptions {
  std::string from;       // into the tag `imported`; empty: no tag
  bool releases = false;  // take the history of an alias that was never released here
};

struct Taken {
  std::vector<std::string> runs;  // ids that were not here
  int64_t known_runs = 0;
  int64_t objects = 0, entities = 0, releases = 0, traces = 0;
};

class Importer : public Sink {
 public:
  Importer(Store& to, ImportOptions options) : to_(to), options_(std::move(options)) {}
  bool wants_object(const std::string& sha256) const override { return !to_.has_object(sha256); }
  bool wants_run(const std::string& id) override;
  Status object(const std::string& bytes) override;
  Status record(const json::Value& record) override;
  Status end() override;  // takes the releases, all or none
  const Taken& taken() const { return taken_; }

 private:
  Status take_run(const json::Value& record);
  Status take_pairs(const json::Value& record, bool tags);
  Status take_points(const json::Value& record);
  Status take_cases(const json::Value& record);
  Status take_spans(const json::Value& record);
  Status take_artifacts(const json::Value& record);
  Status take_end(const json::Value& record);
  Status take_entity(const json::Value& record);
  Status take_release(const json::Value& record);
  bool leaves(const json::Value& record) const;  // it belongs to a run that stays as it is

  Store& to_;
  ImportOptions options_;
  Taken taken_;
  std::set<std::string> known_;      // runs that were here
  std::set<std::string> open_runs_;  // whose records are taken
  std::vector<Release> releases_;    // as they are there
};

// A text that is no UTF-8 as {"hex": ...}, else as it is; and back.
json::Value text_json(const std::string& text);
Result<std::string> text_member(const json::Value& record, std::string_view key);
// A double to the last bit: a number, or {"bits": "7ff8000000000000"} where JSON has none.
json::Value double_json(double value);
Result<double> double_of_json(const json::Value& value);

}  // namespace slipway::store
