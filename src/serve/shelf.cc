#include "serve/shelf.h"

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "base/text.h"

namespace slipway::serve {
namespace {

std::shared_ptr<const Served> make_served(lab::Ready ready, const ShelfOptions& options) {
  auto served = std::make_shared<Served>();
  served->id = ready.candidate.id();
  served->fingerprint = fingerprint_of(served->id, ready.model->info().engine_id);
  served->constraint = candidate::constraint_of(ready.candidate);
  served->assistant =
      std::make_shared<candidate::Assistant>(ready.candidate, ready.model, options.dispatcher);
  served->confirmed =
      std::make_shared<candidate::Assistant>(ready.candidate, ready.model, options.confirming);
  served->candidate = std::move(ready.candidate);
  served->model = std::move(ready.model);
  return served;
}

std::string megabytes(uint64_t bytes) {
  return std::to_string((bytes + 999'999) / 1'000'000) + " MB";
}

}  // namespace

std::string fingerprint_of(const std::string& candidate_id, const std::string& engine_id) {
  return "fp_" + short_id(candidate_id) + "_" + sha256_hex(engine_id).substr(0, 8);
}

Shelf::Shelf(ShelfOptions options) : options_(std::move(options)) {}

Result<std::shared_ptr<const Served>> Shelf::get(const std::string& wanted) {
  const auto& names = options_.names;
  if (wanted.empty() && names.empty()) return Error::not_found("nothing is served here");
  const auto name = wanted.empty() ? names.front() : wanted;
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    const auto near = nearest(name, names);
    return Error::not_found("no model '" + name + "' is served here",
                            near ? "did you mean '" + *near + "'?" : "GET /v1/models lists them");
  }
  if (auto open = touch(name)) return open;
  const std::lock_guard one_at_a_time(opening_);
  if (auto open = touch(name)) return open;  // somebody else opened it meanwhile
  auto ready = options_.open(name);
  if (!ready.ok()) return ready.error();
  auto served = make_served(std::move(ready).value(), options_);
  keep(name, served);
  return served;
}

std::shared_ptr<const Served> Shelf::peek(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(name);
  return found == places_.end() ? nullptr : found->second.served;
}

std::shared_ptr<const Served> Shelf::touch(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(name);
  if (found == places_.end()) return nullptr;
  found->second.used = ++uses_;
  return found->second.served;
}

void Shelf::keep(const std::string& name, std::shared_ptr<const Served> served) {
  std::vector<std::shared_ptr<const Served>> leaving;  // closed after the lock
  std::unique_lock lock(mutex_);
  places_[name] = {std::move(served), ++uses_};
  while (places_.size() > 1 && bytes() > options_.memory_bytes) {
    const auto oldest = std::min_element(
        places_.begin(), places_.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    leaving.push_back(std::move(oldest->second.served));
    places_.erase(oldest);
  }
  const auto left = bytes();
  lock.unlock();
  if (left <= options_.memory_bytes || !options_.on_note) return;
  options_.on_note("'" + name + "' alone takes " + megabytes(left) + " of memory, more than the " +
                   megabytes(options_.memory_bytes) + " that --memory gives");
}

uint64_t Shelf::bytes() const {
  std::set<const void*> counted;
  uint64_t bytes = 0;
  for (const auto& [name, place] : places_) {
    const auto& model = place.served->model;
    const auto memory = model->memory();
    if (counted.insert(model.get()).second) bytes += memory.own_bytes;
    if (counted.insert(memory.weights.get()).second) bytes += memory.weights_bytes;
  }
  return bytes;
}

ShelfUse Shelf::use() const {
  const std::lock_guard lock(mutex_);
  return {places_.size(), bytes()};
}

}  // namespace slipway::serve
