// The shelf: the candidates that a server answers with, each opened when it is first asked for and
// kept while it is used.
//
//     Shelf shelf({.names = {"tuned", "naive"}, .open = open});
//     SLIPWAY_TRY(served, shelf.get("tuned"));      // std::shared_ptr<Served>
//
// What is open takes at most `memory_bytes`, weights and models that several share counted once.
// When one that was opened makes it more, those not used for longest go, each once its last request
// is answered. One that takes more alone is served all the same, and a note says so.
//
// Thread-safe: a candidate being opened holds up nobody who asks for an open one. Errors: not_found
// (with the nearest name), and those of `open`.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "candidate/assistant.h"
#include "lab/workbench.h"
#include "skill/dispatch.h"

namespace slipway::serve {

// A candidate ready to answer. Const members; its assistants are thread-safe.
struct Served {
  candidate::Candidate candidate;
  std::shared_ptr<model::Model> model;
  std::string id;           // of the candidate
  std::string fingerprint;  // "fp_" + what decides the answer: candidate and engine, shortened
  std::shared_ptr<const model::Constraint> constraint;
  std::shared_ptr<candidate::Assistant> assistant;
  // The same for a person who has said yes: functions of permission `confirm` are called.
  std::shared_ptr<candidate::Assistant> confirmed;
};

struct ShelfOptions {
  std::vector<std::string> names;  // what may be asked for; the first when no name is given
  std::function<Result<lab::Ready>(const std::string& name)> open;  // one call at a time
  std::shared_ptr<skill::Dispatcher> dispatcher;
  std::shared_ptr<skill::Dispatcher> confirming;
  uint64_t memory_bytes = std::numeric_limits<uint64_t>::max();
  std::function<void(const std::string&)> on_note;  // a line for whoever runs the server
};

struct ShelfUse {
  size_t open = 0;
  uint64_t bytes = 0;
};

class Shelf {
 public:
  explicit Shelf(ShelfOptions options);
  // Empty: the first name.
  Result<std::shared_ptr<const Served>> get(const std::string& name);
  // What is open under this name, or nullptr; opens nothing.
  std::shared_ptr<const Served> peek(const std::string& name) const;
  const std::vector<std::string>& names() const { return options_.names; }
  ShelfUse use() const;

 private:
  struct Place {
    std::shared_ptr<const Served> served;
    uint64_t used = 0;
  };
  std::shared_ptr<const Served> touch(const std::string& name);
  void keep(const std::string& name, std::shared_ptr<const Served> served);
  uint64_t bytes() const;  // with the lock held

  const ShelfOptions options_;
  std::mutex opening_;
  mutable std::mutex mutex_;  // of what follows; never held while opening
  std::map<std::string, Place> places_;
  uint64_t uses_ = 0;
};

// "fp_" + 12 characters of the candidate's id + "_" + 8 of the engine id's hash.
std::string fingerprint_of(const std::string& candidate_id, const std::string& engine_id);

}  // namespace slipway::serve
