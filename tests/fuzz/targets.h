// What is fuzzed: a reader of foreign text, with texts to start from.
//
//     for (auto& target : targets()) if (auto fault = target.run(text)) report(*fault);
//
// `run` returns what is wrong when a property is broken: a rejection without a place, or something
// read that is not read back alike. Targets are values; `run` is thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace slipway::fuzz {

struct Target {
  std::string name;
  std::vector<std::string> corpus;
  std::vector<std::string> dictionary;
  std::function<std::optional<std::string>(const std::string& text, bool& accepted)> run;
};

std::vector<Target> call_targets();      // the call language and each family's form
std::vector<Target> document_targets();  // skill files, OpenAPI documents, normalisers
std::vector<Target> mcp_targets();       // messages of the Model Context Protocol

}  // namespace slipway::fuzz
