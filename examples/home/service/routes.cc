// The HTTP face of House: parse, call, answer.
#include "answers.h"
#include "house.h"

namespace slipway::home {
void House::add_routes(http::Server& server) {
  server.route("GET", "/health", [](const http::ServerRequest&) {
    return http::ServerResponse::json(200, R"({"service": "home"})");
  });
  server.route("GET", "/weather/{location}", [this](const http::ServerRequest& request) {
    return answer(weather(parameter(request.params, "location"), parameter(request.query, "when")));
  });
  server.route("GET", "/timers", [this](const http::ServerRequest&) { return answer(timers()); });
  server.route("POST", "/timers",
               with_body([this](const auto&, const json::Value& body) { return set_timer(body); }));
  server.route("POST", "/timers/cancel", with_body([this](const auto&, const json::Value& body) {
                 return cancel_timer(body);
               }));
  server.route("POST", "/alarms",
               with_body([this](const auto&, const json::Value& body) { return set_alarm(body); }));
  server.route("POST", "/alarms/cancel", with_body([this](const auto&, const json::Value& body) {
                 return cancel_alarm(body);
               }));
  server.route("GET", "/lights", [this](const http::ServerRequest&) { return answer(lights()); });
  server.route("PUT", "/lights/{room}",
               with_body([this](const http::ServerRequest& request, const json::Value& body) {
                 return set_light(parameter(request.params, "room"), body);
               }));
  add_music_routes(server);
  add_household_routes(server);
}

void House::add_music_routes(http::Server& server) {
  server.route("GET", "/music/state",
               [this](const http::ServerRequest&) { return answer(music_state()); });
  server.route("POST", "/music/play", [this](const http::ServerRequest& request) {
    auto body = body_of(request);
    auto played = body.ok() ? play(body->text("title"), body->text("artist")) : body;
    if (played.ok() || played.error().code() != ErrorCode::not_found) return answer(played);
    json::Value known = json::Value::array();
    for (const auto& title : titles()) known.push_back(title);
    json::Value error = json::Value::object();
    error.set("error", played.error().message()).set("titles", std::move(known));
    return http::ServerResponse::json(404, error.dump() + "\n");
  });
  server.route("POST", "/music/pause", [this](const http::ServerRequest&) {
    auto paused = player_.pause();
    return answer(paused.ok() ? Result<json::Value>(music_state()) : paused.error());
  });
  server.route("POST", "/music/resume", [this](const http::ServerRequest&) {
    auto resumed = player_.resume();
    return answer(resumed.ok() ? Result<json::Value>(music_state()) : resumed.error());
  });
  server.route("POST", "/music/stop", [this](const http::ServerRequest&) {
    player_.stop();
    return answer(music_state());
  });
  server.route("PUT", "/music/volume", with_body([this](const auto&, const json::Value& body) {
                 return set_volume(body);
               }));
  server.route("POST", "/music/volume/step", with_body([this](const auto&, const auto& body) {
                 return change_volume(body.text("direction"));
               }));
  server.route("POST", "/radio/play", with_body([this](const auto&, const auto& body) {
                 return play_radio(body.text("station"));
               }));
  server.route("POST", "/radio/stop",
               [this](const http::ServerRequest&) { return answer(stop_radio()); });
}

}  // namespace slipway::home
