// The household's facts and messages.
#include <algorithm>

#include "body.h"
#include "household.h"
#include "words.h"

namespace slipway::home {
namespace {

Status push_message(std::vector<Message>& messages, Message message) {
  if (messages.size() >= Household::max_entries) return too_many("messages");
  messages.push_back(std::move(message));
  return Status::success();
}

}  // namespace

Result<json::Value> Household::remember(const json::Value& body) {
  SLIPWAY_TRY(key, text_of(body, "key"));
  SLIPWAY_TRY(value, text_of(body, "value"));
  return change([&](HouseholdState& state) -> Result<json::Value> {
    if (state.facts.size() >= max_entries && !state.facts.contains(to_lower(key))) {
      return too_many("facts");
    }
    state.facts[to_lower(key)] = value;
    return object_of("key", key).set("value", value);
  });
}

Result<json::Value> Household::recall(const std::string& key) {
  SLIPWAY_TRY(wanted, text_of(object_of("key", key), "key"));
  std::lock_guard lock(mutex_);
  std::vector<std::string> known;
  for (const auto& [name, value] : state_.facts) known.push_back(name);
  const auto meant = find_title(wanted, known);
  if (!meant) return Error::not_found("nothing is remembered about '" + wanted + "'");
  const std::string& value = state_.facts.at(*meant);
  return object_of("key", *meant).set("value", value).set("summary", *meant + ": " + value + ".");
}

Result<json::Value> Household::send(const json::Value& body) {
  SLIPWAY_TRY(to, text_of(body, "to"));
  SLIPWAY_TRY(text, text_of(body, "text"));
  return change([&](HouseholdState& state) -> Result<json::Value> {
    SLIPWAY_CHECK(push_message(state.outbox, {to, text, true}));
    return object_of("to", to).set("text", text);
  });
}

Result<json::Value> Household::receive(const json::Value& body) {
  SLIPWAY_TRY(from, text_of(body, "from"));
  SLIPWAY_TRY(text, text_of(body, "text"));
  return change([&](HouseholdState& state) -> Result<json::Value> {
    SLIPWAY_CHECK(push_message(state.inbox, {from, text, false}));
    return object_of("from", from).set("text", text);
  });
}

Result<json::Value> Household::read_messages(const std::string& sender) {
  return change([&](HouseholdState& state) -> Result<json::Value> {
    std::vector<std::string> senders;
    for (const auto& message : state.inbox) senders.push_back(message.person);
    const auto meant = find_title(sender, senders);
    std::vector<std::string> spoken;
    for (auto& message : state.inbox) {
      if (message.read || (!sender.empty() && message.person != meant)) continue;
      message.read = true;
      spoken.push_back(message.person + " writes: " + message.text);
    }
    const std::string from = sender.empty() ? "" : " from " + sender;
    const bool none = spoken.empty();
    return object_of("count", spoken.size())
        .set("summary", none ? "No new message" + from + "." : join(spoken, ". ") + ".");
  });
}

json::Value Household::outbox() {
  std::lock_guard lock(mutex_);
  json::Value array = json::Value::array();
  for (const auto& message : state_.outbox) {
    array.push_back(object_of("to", message.person).set("text", message.text));
  }
  return object_of("messages", std::move(array));
}

}  // namespace slipway::home
