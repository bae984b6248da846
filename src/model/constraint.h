// The Constraint seam: what text may come next, byte by byte, as a deterministic automaton that
// knows nothing of tokens. The call language (src/skill) implements it; the engine walks its
// vocabulary through it (model/token_trie.h).
//
//     fits(constraint, "music.pause()")     // a byte at a time, then: may the text end here?
//
// States are small integers that stay valid as long as the constraint lives, so masks and forced
// text can be remembered by state. Thread-safe: implementations that build states lazily lock
// inside.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::model {

class Constraint {
 public:
  using State = uint32_t;
  static constexpr State dead = 0xffff'ffff;

  virtual ~Constraint() = default;
  virtual State start() const = 0;
  // `dead` when the byte is not allowed.
  virtual State next(State state, unsigned char byte) const = 0;
  virtual bool accepts(State state) const = 0;  // the text may end here
  // Everything that decides the language, hashed: part of a candidate's id and of cache keys.
  virtual std::string fingerprint() const = 0;
};

// Is the whole text allowed? Inline: layers that only implement the seam do not link this one.
inline bool fits(const Constraint& constraint, std::string_view text) {
  auto state = constraint.start();
  for (const unsigned char byte : text) {
    if ((state = constraint.next(state, byte)) == Constraint::dead) return false;
  }
  return constraint.accepts(state);
}

// The bytes that must follow `state`: empty when there is a choice or the text may end.
std::string forced_text(const Constraint& constraint, Constraint::State state,
                        size_t max_bytes = 256);

}  // namespace slipway::model
