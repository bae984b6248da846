#include "model/constraint.h"

namespace slipway::model {

std::string forced_text(const Constraint& constraint, Constraint::State state, size_t max_bytes) {
  std::string text;
  while (text.size() < max_bytes && state != Constraint::dead && !constraint.accepts(state)) {
    auto only = Constraint::dead;
    int choices = 0;
    unsigned char chosen = 0;
    for (int byte = 0; byte < 256 && choices < 2; ++byte) {
      auto next = constraint.next(state, static_cast<unsigned char>(byte));
      if (next == Constraint::dead) continue;
      ++choices;
      only = next;
      chosen = static_cast<unsigned char>(byte);
    }
    if (choices != 1) break;
    text += static_cast<char>(chosen);
    state = only;
  }
  return text;
}

}  // namespace slipway::model
