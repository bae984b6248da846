// The operations of an OpenAPI 3.0 or 3.1 document as functions of a skill; internal to this layer.
//
//     Skill skill;  skill.name = "petstore";
//     SLIPWAY_CHECK(read_openapi(document, {.include = {"get*"}}, skill));
//
// What cannot be honoured is left out with its reason in `skill.notes`, or is an error when
// `include` names it. docs/format/skill.md says how each part is read. Pure.
// Errors: invalid_input (with the JSON path), unsupported (another version), exhausted (256
// operations), not_found (an `include` or `exclude` that fits nothing).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "json/value.h"
#include "skill/signature.h"

namespace slipway::skill {

struct OpenApiSelection {
  std::vector<std::string> include;  // "getPet", "GET /pets/{id}", "get*"; empty: all
  std::vector<std::string> exclude;
  std::map<std::string, std::string> secrets;  // security scheme -> name of the secret
};

// `skill.name` is set; `skill.base_url`, when set, wins over the document's servers.
Status read_openapi(const json::Value& document, const OpenApiSelection& selection, Skill& skill);

// One operation's parameters and body: `function.parameters`, and their places in `http` (the JSON
// of a binding: path, query, headers, join, body).
Status read_operation_inputs(const json::Value& document, const json::Value& path_item,
                             const json::Value& operation, const std::string& where,
                             Function& function, json::Value& http,
                             std::vector<std::string>& notes);

// At most 400 bytes of what a document says, in one line.
std::string short_description(const json::Value& described);

}  // namespace slipway::skill
