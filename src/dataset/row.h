// One dataset row, between JSON and Example. The format is docs/format/dataset.md.
//
//     SLIPWAY_TRY(example,
//                 parse_row(R"row({"input": "weather in boston", )row"
//                           R"row("output": "weather.get_weather(location='boston')"})row"));
//
// Pure functions; thread-safe. Errors: invalid_input, with the key that is wrong and what was
// expected; they do not name the file or line, which the caller knows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/value.h"

namespace slipway::dataset {

struct Message {
  std::string role;  // system, user, assistant or tool
  std::string content;
};

// Either `input` or `messages` is set, never both.
struct Example {
  std::string id;
  std::string input;
  std::vector<Message> messages;
  std::string output;
  json::Value context;  // an object, or null when the row has none
  std::vector<std::string> tags;
  std::string cluster;  // rows that belong together: resampled as one by the statistics
  size_t line = 0;      // 1-based, in the file it came from

  // What the person said: `input`, or the last user message.
  const std::string& text() const;
};

inline constexpr size_t max_id_bytes = 200;
inline constexpr size_t max_messages = 1000;
inline constexpr size_t max_tags = 100;

Result<Example> parse_row(std::string_view json_text);

// The row as JSON, without its line; parse_row(row_json(e).dump()) gives the same example.
json::Value row_json(const Example& example);

// The first 12 hex characters of the SHA-256 of what is asked: the input (or the canonical
// messages) and, when there is one, the canonical context, so that "and tomorrow?" in two contexts
// is two examples.
std::string derived_id(const Example& example);

}  // namespace slipway::dataset
