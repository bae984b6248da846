// Who may speak to the server: the guards that look at every request, and the token.
//
//     for (auto& guard : guards_of({.loopback = true})) server.guard(std::move(guard));
//     SLIPWAY_TRY(token, stored_token(config_folder));        // made once, readable by its owner
//
// On loopback the request's Host and Origin must be loopback's names: a web page in the user's own
// browser reaches 127.0.0.1 as well. Off loopback every request but the health checks needs
// `Authorization: Bearer TOKEN`, and a web page of another host is refused all the same.
// Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "http/server.h"

namespace slipway::serve {

bool is_loopback(const std::string& ip);

struct Access {
  bool loopback = true;  // listening on a loopback address
  std::string token;     // empty: none is needed, on loopback only
};

std::vector<http::Guard> guards_of(const Access& access);

// The token of `folder`/serve-token, made when there is none: 64 hexadecimal characters in a file
// of mode 0600. Errors: unavailable; permission_denied when others can read the file.
Result<std::string> stored_token(const std::string& folder);
std::string token_path(const std::string& folder);

}  // namespace slipway::serve
