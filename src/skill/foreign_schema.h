// JSON Schemas of others (OpenAPI documents, MCP servers) in our subset; internal to this layer.
//
//     SchemaImport import{.document = openapi};
//     SLIPWAY_TRY(schema, import_schema(theirs, "paths./pets.get...", import));
//     import.notes      // what the result no longer says
//
// Local `$ref` are written out and `allOf` merged. What the subset has no word for is dropped where
// that only makes our check weaker (the service still checks), recursion and great depth are cut to
// "any value"; each with a note. docs/format/skill.md lists it. Pure. Bounded by `budget` and
// `values`: each $ref to one large schema copies it.
// Errors: invalid_input, unsupported (a $ref elsewhere, a schema nothing fits), with the JSON path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/value.h"

namespace slipway::skill {

struct SchemaImport {
  const json::Value& document;           // what "#/..." points into
  size_t budget = 1000;                  // schemas still to be written; then the rest is cut
  size_t values = 20'000;                // in enums, defaults and texts still to be copied
  std::vector<std::string> notes;        // bounded by 100
  std::vector<std::string> active = {};  // the $ref being written out: a repeated one is recursion

  void note(const std::string& where, const std::string& what);
};

Result<json::Value> import_schema(const json::Value& schema, const std::string& where,
                                  SchemaImport& import);

// What a chain of local references ends in, at most 16 of them; `value` itself when it is none.
Result<const json::Value*> follow_refs(const json::Value& value, const json::Value& document,
                                       const std::string& where);

// `wanted` as an identifier, not among `taken`: "get pets/{id}" becomes "get_pets_id".
std::string make_identifier(std::string_view wanted, const std::vector<std::string>& taken);

}  // namespace slipway::skill
