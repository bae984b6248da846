// The HTTP face of the household: devices, doors, heating, calendar, lists, facts, messages,
// conversion and knowledge.
#include "answers.h"
#include "body.h"
#include "facts.h"
#include "house.h"
#include "units.h"

#include <charconv>

namespace slipway::home {
namespace {

Result<json::Value> convert(const std::string& amount, const std::string& from,
                            const std::string& to) {
  double number = 0;
  auto [end, error] = std::from_chars(amount.data(), amount.data() + amount.size(), number);
  if (error != std::errc{} || end != amount.data() + amount.size()) {
    return Error::invalid_input("'amount' must be a number");
  }
  SLIPWAY_TRY(converted, convert_units(number, from, to));
  json::Value value = object_of("amount", converted);
  value.set("spoken",
            speak_number(number) + " " + from + " is " + speak_number(converted) + " " + to + ".");
  return value;
}

Result<json::Value> look_up(const std::string& question) {
  if (trim(question).empty()) return Error::invalid_input("no question");
  const auto found = find_fact(question);
  if (!found) return Error::not_found("the book of facts says nothing about that");
  return object_of("answer", *found);
}

}  // namespace

void House::add_household_routes(http::Server& server) {
  using Request = http::ServerRequest;
  server.route("PUT", "/devices/{device}", with_body([this](const Request& r, const auto& body) {
                 return household_.set_device(parameter(r.params, "device"), body);
               }));
  server.route("PUT", "/doors/{door}", with_body([this](const Request& r, const auto& body) {
                 return household_.set_door(parameter(r.params, "door"), body);
               }));
  server.route("PUT", "/heating", with_body([this](const Request&, const auto& body) {
                 return household_.set_heating(body);
               }));
  server.route("GET", "/house/{thing}", [this](const Request& r) {
    return answer(state_of(parameter(r.params, "thing"), parameter(r.query, "room")));
  });
  server.route("GET", "/calendar", [this](const Request& r) {
    return answer(household_.events(parameter(r.query, "date")));
  });
  server.route("POST", "/calendar", with_body([this](const Request&, const auto& body) {
                 return household_.add_event(body);
               }));
  server.route("POST", "/calendar/cancel", with_body([this](const Request&, const auto& body) {
                 return household_.cancel_event(body);
               }));
  server.route("GET", "/convert", [](const Request& r) {
    return answer(convert(parameter(r.query, "amount"), parameter(r.query, "from"),
                          parameter(r.query, "to")));
  });
  server.route("GET", "/knowledge",
               [](const Request& r) { return answer(look_up(parameter(r.query, "question"))); });
  add_list_routes(server);
  add_people_routes(server);
}

void House::add_list_routes(http::Server& server) {
  using Request = http::ServerRequest;
  server.route("GET", "/lists/{list}", [this](const Request& r) {
    return answer(household_.read_list(parameter(r.params, "list")));
  });
  server.route("POST", "/lists/{list}/items", with_body([this](const Request& r, const auto& body) {
                 return household_.add_item(parameter(r.params, "list"), body.text("item"));
               }));
  server.route("POST", "/lists/{list}/items/remove",
               with_body([this](const Request& r, const auto& body) {
                 return household_.remove_item(parameter(r.params, "list"), body.text("item"));
               }));
}

void House::add_people_routes(http::Server& server) {
  using Request = http::ServerRequest;
  server.route("GET", "/memory", [this](const Request& r) {
    return answer(household_.recall(parameter(r.query, "key")));
  });
  server.route("POST", "/memory", with_body([this](const Request&, const auto& body) {
                 return household_.remember(body);
               }));
  server.route("GET", "/messages", [this](const Request& r) {
    return answer(household_.read_messages(parameter(r.query, "sender")));
  });
  server.route("POST", "/messages", with_body([this](const Request&, const auto& body) {
                 return household_.send(body);
               }));
  server.route("GET", "/messages/outbox",
               [this](const Request&) { return answer(household_.outbox()); });
  server.route("POST", "/messages/inbox", with_body([this](const Request&, const auto& body) {
                 return household_.receive(body);
               }));
}

}  // namespace slipway::home
