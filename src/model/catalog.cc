#include "model/catalog.h"

#include <algorithm>

#include "base/files.h"
#include "base/text.h"
#include "model/weights.h"

namespace slipway::model {
namespace {

constexpr uint64_t max_catalog_bytes = 16 << 20;

bool is_url(std::string_view text) {
  return starts_with(text, "http://") || starts_with(text, "https://");
}

std::string without_final_slash(std::string url) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

Result<OpenOptions> resolve_url(const std::string& url,
                                const std::map<std::string, Endpoint>& endpoints) {
  const size_t hash = url.find('#');
  if (hash == std::string::npos || hash + 1 == url.size()) {
    return Error::invalid_input("an endpoint's URL ends in '#' and the model's name",
                                "for example http://127.0.0.1:8080/v1#my-model");
  }
  OpenOptions options;
  options.name = url;
  options.endpoint_url = without_final_slash(url.substr(0, hash));
  options.endpoint_model = url.substr(hash + 1);
  for (const auto& [name, endpoint] : endpoints) {
    if (without_final_slash(endpoint.url) == options.endpoint_url)
      options.api_key = endpoint.api_key;
  }
  return options;
}

Result<OpenOptions> resolve_entry(const Entry& entry, const std::string& models_dir) {
  OpenOptions options;
  options.name = entry.name;
  options.path = files::join(models_dir, entry.file);
  if (!files::exists(options.path)) {
    return Error::not_found("the model '" + entry.name + "' is not on this machine yet",
                            "`slipway models pull " + entry.name + "` brings it");
  }
  SLIPWAY_TRY(bytes, files::size(options.path));
  if (bytes != entry.bytes) {
    return Error::corrupt("'" + options.path + "' has " + std::to_string(bytes) +
                              " bytes instead of " + std::to_string(entry.bytes),
                          "`slipway models verify " + entry.name +
                              "` checks it, `slipway models pull " + entry.name +
                              "` brings it again");
  }
  return options;
}

Result<OpenOptions> resolve_path(const std::string& path) {
  if (!files::exists(path))
    return Error::not_found("no model file '" + path + "'", "check the path");
  if (files::is_directory(path)) {
    return Error::invalid_input("'" + path + "' is a folder", "name the GGUF file in it");
  }
  OpenOptions options;
  options.name = path;
  options.path = files::absolute(path);
  return options;
}

bool looks_like_path(const std::string& text) {
  constexpr std::string_view extension = ".gguf";
  const bool gguf = text.size() > extension.size() &&
                    to_lower(text.substr(text.size() - extension.size())) == extension;
  return gguf || text.find('/') != std::string::npos;
}

}  // namespace

std::string Source::describe() const {
  switch (type) {
    case Type::url:
      return mask_secrets(url);
    case Type::file:
      return paths.front() +
             (paths.size() > 1 ? " and " + std::to_string(paths.size() - 1) + " more" : "");
    case Type::pypi:
      break;
  }
  std::string text = "package " + parts.front().package + " " + parts.front().version;
  if (parts.size() > 1) text += " and " + std::to_string(parts.size() - 1) + " more";
  return text;
}

std::string Source::fingerprint() const {
  std::string text = std::to_string(static_cast<int>(type)) + "\n" + url;
  for (const Part& part : parts)
    text += "\n" + part.package + "\t" + part.version + "\t" + part.member;
  for (const std::string& path : paths) text += "\n" + path;
  return sha256_hex(text);
}

Result<Catalog> Catalog::load_builtin() {
  auto catalog = parse(builtin_catalog_json, "");
  if (!catalog.ok()) return Error::internal("the built-in catalog: " + catalog.error().to_string());
  return catalog;
}

Status Catalog::add_file(const std::string& path) {
  if (!files::exists(path)) return {};
  SLIPWAY_TRY(text, files::read(path, max_catalog_bytes));
  auto added = parse(text, files::parent(files::absolute(path)));
  if (!added.ok()) return added.error().in(path);
  for (Entry& entry : added->entries_) {
    const auto old = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& e) { return e.name == entry.name; });
    if (old == entries_.end()) {
      entries_.push_back(std::move(entry));
    } else {
      *old = std::move(entry);
    }
  }
  return {};
}

const Entry* Catalog::find(std::string_view name) const {
  const auto at = std::find_if(entries_.begin(), entries_.end(),
                               [&](const Entry& e) { return e.name == name; });
  return at == entries_.end() ? nullptr : &*at;
}

std::vector<ModelStatus> Catalog::list(const std::string& models_dir) const {
  std::vector<ModelStatus> all;
  for (const Entry& entry : entries_) {
    ModelStatus status{entry, files::join(models_dir, entry.file)};
    const auto bytes = files::size(status.path);
    status.present = bytes.ok() && *bytes == entry.bytes;
    status.verified = status.present && remembered_sha256(status.path) == entry.sha256;
    all.push_back(std::move(status));
  }
  return all;
}

Result<std::string> Catalog::verify(const Entry& entry, const std::string& models_dir,
                                    const ByteProgress& progress) {
  const std::string path = files::join(models_dir, entry.file);
  const std::string again = "`slipway models pull " + entry.name + "` brings it again";
  if (!files::exists(path)) {
    return Error::not_found("the model '" + entry.name + "' is not on this machine yet",
                            "`slipway models pull " + entry.name + "` brings it");
  }
  SLIPWAY_TRY(sha256, rehash_weights(path, progress));
  if (sha256 == entry.sha256) return sha256;
  return Error::corrupt("'" + path + "' has SHA-256 " + short_id(sha256) + "... instead of " +
                            short_id(entry.sha256) + "...",
                        again);
}

Result<OpenOptions> Catalog::resolve(const std::string& name, const std::string& models_dir,
                                     const std::map<std::string, Endpoint>& endpoints) const {
  if (const auto at = endpoints.find(name); at != endpoints.end()) {
    OpenOptions options;
    options.name = name;
    options.endpoint_url = without_final_slash(at->second.url);
    options.endpoint_model = at->second.model;
    options.api_key = at->second.api_key;
    return options;
  }
  if (is_url(name)) return resolve_url(name, endpoints);
  if (const Entry* entry = find(name)) return resolve_entry(*entry, models_dir);
  if (looks_like_path(name)) return resolve_path(name);
  std::vector<std::string> names;
  for (const Entry& entry : entries_) names.push_back(entry.name);
  for (const auto& [endpoint_name, endpoint] : endpoints) names.push_back(endpoint_name);
  const auto near = nearest(name, names);
  return Error::not_found(
      "no model '" + name + "'",
      (near ? "did you mean '" + *near + "'? " : std::string()) +
          "`slipway models` lists them; a file or an endpoint's URL will do as well");
}

}  // namespace slipway::model
