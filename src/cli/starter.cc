#include "cli/starter.h"

namespace slipway::cli {
namespace {

constexpr const char* kProject = R"text(# docs/format/project.md explains every key.
slipway = 1
name = "starter"
skills = ["skills/*.json"]
candidate = "first"

[candidates.first]
model = "gemma-3-270m"
prompt = "prompts/first.jinja"
constrain = true
max_tokens = 48
stop = ["\n"]

[datasets.test]
path = "data/test.jsonl"
)text";

constexpr const char* kSkill = R"text({
  "slipway_skill": 1,
  "name": "weather",
  "description": "The weather now and tomorrow.",
  "base_url": "http://127.0.0.1:8765",
  "tools": [
    {"type": "function", "function": {
      "name": "get_weather",
      "description": "The weather at a place.",
      "parameters": {
        "type": "object",
        "properties": {"location": {"type": "string", "description": "A city, as the person said it."}},
        "required": ["location"]}}}
  ],
  "functions": {
    "get_weather": {
      "permission": "allow",
      "http": {"method": "GET", "path": "/weather/{location}"},
      "reply": "It is {{ result.temperature }} degrees in {{ arguments.location }}."
    }
  }
}
)text";

constexpr const char* kPrompt = R"text(Write the one call that does what is asked, and nothing else.

{% for f in functions -%}
{{ f.signature }}: {{ f.description }}
{% endfor %}
request: what is it like in paris
call: weather.get_weather(location='paris')

request: {{ input }}
call:
)text";

constexpr const char* kRows =
    R"text({"id": "1", "input": "what is the weather in boston", "output": "weather.get_weather(location='boston')"}
{"id": "2", "input": "is it cold in oslo", "output": "weather.get_weather(location='oslo')"}
{"id": "3", "input": "tell me about the weather in new york please", "output": "weather.get_weather(location='new york')"}
)text";

}  // namespace

std::vector<std::pair<std::string, std::string>> starter_files() {
  return {{"slipway.toml", kProject},
          {"skills/weather.json", kSkill},
          {"prompts/first.jinja", kPrompt},
          {"data/test.jsonl", kRows},
          {".gitignore", ".slipway/\n"}};
}

}  // namespace slipway::cli
