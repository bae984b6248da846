// Prefixes that outlive the process: the KV state of a prompt's beginning in a file, so that the
// first answer after a start need not read a long prompt again.
//
//     KeptPrefixes kept(folder, key);             // key: whatever decides a bit of the state
//     auto match = kept.longest(prompt);          // the longest file that the prompt begins with
//     SLIPWAY_TRY(state, kept.load(match.file));  // for llama_state_seq_set_data
//     SLIPWAY_CHECK(kept.keep(tokens, state));
//
// The folder is the user's own cache, never a project's: a state is read by llama.cpp as it is. At
// most `kFiles` files, the least recently used goes; readable by the user alone. Format:
// docs/format/prefix.md. Not thread-safe: one engine thread owns it. Errors: corrupt (a file that
// is not what its name and hash say; it is removed), unavailable.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace slipway::model {

class KeptPrefixes {
 public:
  using Tokens = std::span<const int32_t>;
  static constexpr size_t kFiles = 16;
  static constexpr size_t kWorthKeeping = 256;  // tokens; fewer are read faster than they are found

  KeptPrefixes(std::string folder, const std::string& key);

  struct Match {
    size_t file = 0;
    size_t length = 0;  // 0: none
  };
  Match longest(Tokens prompt) const;
  const std::vector<int32_t>& tokens(size_t file) const { return files_[file].tokens; }
  Result<std::string> load(size_t file);
  Status keep(Tokens tokens, std::string_view state);

 private:
  struct File {
    std::string path;
    std::vector<int32_t> tokens;
  };
  void drop_oldest() const;

  std::string folder_;
  std::string key_;  // 32 hex digits
  std::vector<File> files_;
};

}  // namespace slipway::model
