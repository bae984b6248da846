// Reading a catalog's JSON. Everything that later becomes a path, an argument or a URL is checked
// here, once.
#include <algorithm>
#include <array>
#include <cctype>

#include "base/files.h"
#include "base/text.h"
#include "json/value.h"
#include "model/catalog.h"

namespace slipway::model {
namespace {

constexpr size_t max_entries = 1000;
constexpr size_t max_parts = 1000;
constexpr uint64_t max_file_bytes = uint64_t{1} << 42;
constexpr std::string_view word_characters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_+!";

Error wrong(const std::string& what) {
  return Error::invalid_input(what, "the form is described in docs/format/catalog.md");
}

// Safe as one path component and as one program argument: starts with a letter or digit.
bool is_word(const std::string& text) {
  return !text.empty() && text.size() <= 200 && std::isalnum(static_cast<unsigned char>(text[0])) &&
         text.find_first_not_of(word_characters) == std::string::npos;
}

bool is_inner_path(const std::string& path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != std::string::npos) return false;
  const auto pieces = split(path, '/');
  return std::none_of(pieces.begin(), pieces.end(),
                      [](const auto& p) { return p.empty() || p == "." || p == ".."; });
}

bool is_web_url(const std::string& url) {
  return (starts_with(url, "https://") || starts_with(url, "http://")) && http::parse_url(url).ok();
}

Result<Part> parse_part(const json::Value& value) {
  Part part{value.text("package"), value.text("version"), value.text("member")};
  if (!is_word(part.package))
    return wrong("\"package\" is no package name: '" + part.package + "'");
  if (!is_word(part.version)) return wrong("\"version\" is no version: '" + part.version + "'");
  if (!is_inner_path(part.member))
    return wrong("\"member\" is no path inside a wheel: '" + part.member + "'");
  return part;
}

Status parse_parts(const json::Value& value, Source& source) {
  const json::Value* parts = value.get("parts");
  if (!parts || !parts->is_array() || parts->size() == 0 || parts->size() > max_parts) {
    return wrong("a pypi source needs \"parts\", 1 to " + std::to_string(max_parts));
  }
  for (const json::Value& item : parts->as_array()) {
    SLIPWAY_TRY(part, parse_part(item));
    source.parts.push_back(std::move(part));
  }
  return {};
}

Status parse_paths(const json::Value& value, const std::string& folder, Source& source) {
  const json::Value* paths = value.get("paths");
  if (!paths || !paths->is_array() || paths->size() == 0 || paths->size() > max_parts) {
    return wrong("a file source needs \"paths\", 1 to " + std::to_string(max_parts));
  }
  for (const json::Value& path : paths->as_array()) {
    if (!path.is_string() || path.as_string().empty()) return wrong("\"paths\" holds texts");
    source.paths.push_back(files::join(folder, path.as_string()));
  }
  return {};
}

Result<Source> parse_source(const json::Value& value, const std::string& folder) {
  Source source;
  const std::string type = value.text("type");
  if (type == "pypi") {
    source.type = Source::Type::pypi;
    SLIPWAY_CHECK(parse_parts(value, source));
  } else if (type == "url") {
    source.type = Source::Type::url;
    source.url = value.text("url");
    if (!is_web_url(source.url)) return wrong("a url source needs \"url\", http or https");
  } else if (type == "file") {
    source.type = Source::Type::file;
    SLIPWAY_CHECK(parse_paths(value, folder, source));
  } else {
    return wrong("\"type\" of a source is \"pypi\", \"url\" or \"file\", not '" + type + "'");
  }
  return source;
}

Result<Licence> parse_licence(const json::Value& value) {
  const json::Value* licence = value.get("licence");
  if (!licence || licence->text("name").empty())
    return wrong("\"licence\" with a \"name\" is missing");
  return Licence{licence->text("name"), licence->text("url"), licence->text("notice")};
}

Status parse_identity(const json::Value& value, Entry& entry) {
  entry.file = value.text("file");
  entry.sha256 = to_lower(value.text("sha256"));
  entry.kind = value.text("kind");
  entry.description = value.text("description");
  if (!is_word(entry.file)) return wrong("\"file\" is no plain file name: '" + entry.file + "'");
  if (entry.sha256.size() != 64 ||
      entry.sha256.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return wrong("\"sha256\" is not 64 hexadecimal digits");
  }
  constexpr std::array<std::string_view, 5> kinds = {"base", "instruct", "speech", "wake",
                                                     "library"};
  if (std::find(kinds.begin(), kinds.end(), entry.kind) == kinds.end()) {
    return wrong("\"kind\" is base, instruct, speech, wake or library, not '" + entry.kind + "'");
  }
  const json::Value* bytes = value.get("bytes");
  if (!bytes || !bytes->is_integer() || bytes->as_integer() <= 0 ||
      static_cast<uint64_t>(bytes->as_integer()) > max_file_bytes) {
    return wrong("\"bytes\" is no size of a file");
  }
  entry.bytes = static_cast<uint64_t>(bytes->as_integer());
  return {};
}

Result<Entry> parse_entry(const json::Value& value, const std::string& folder) {
  Entry entry;
  entry.name = value.text("name");
  SLIPWAY_CHECK(parse_identity(value, entry));
  SLIPWAY_TRY(licence, parse_licence(value));
  entry.licence = std::move(licence);
  const json::Value* sources = value.get("sources");
  if (!sources || !sources->is_array()) return wrong("\"sources\" is missing");
  for (const json::Value& item : sources->as_array()) {
    SLIPWAY_TRY(source, parse_source(item, folder));
    entry.sources.push_back(std::move(source));
  }
  return entry;
}

}  // namespace

Result<Catalog> Catalog::parse(std::string_view text, const std::string& folder) {
  SLIPWAY_TRY(value, json::parse(text));
  const json::Value* version = value.get("version");
  if (!version || !(*version == json::Value(1))) return wrong("\"version\" is not 1");
  const json::Value* models = value.get("models");
  if (!models || !models->is_array() || models->size() > max_entries) {
    return wrong("\"models\" is missing, or longer than " + std::to_string(max_entries));
  }
  Catalog catalog;
  for (const json::Value& item : models->as_array()) {
    const std::string name = item.text("name");
    if (!is_word(name)) return wrong("\"name\" of a model is no plain word: '" + name + "'");
    if (catalog.find(name)) return wrong("two models are called '" + name + "'");
    auto entry = parse_entry(item, folder);
    if (!entry.ok()) return entry.error().in("model '" + name + "'");
    catalog.entries_.push_back(std::move(*entry));
  }
  return catalog;
}

}  // namespace slipway::model
