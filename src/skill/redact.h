// What services say, made fit to be kept and shown; internal to this layer. Pure; thread-safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "json/value.h"

namespace slipway::skill {

// The longest first: one that is part of another would leave the rest of it.
std::vector<std::string> values_of(const std::map<std::string, std::string>& secrets);

// Each secret, also percent-encoded or escaped as in JSON, becomes "***": a service may echo the
// key it was sent.
std::string without_secrets(std::string text, const std::vector<std::string>& secrets);
json::Value without_secrets(json::Value value, const std::vector<std::string>& secrets);

// One printable line of at most 200 bytes; secrets go before it is cut, or half of one would stay.
std::string bounded_line(std::string text, const std::vector<std::string>& secrets = {});

}  // namespace slipway::skill
