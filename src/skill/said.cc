#include "skill/said.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/hash.h"
#include "base/text.h"
#include "skill/automaton.h"

namespace slipway::skill {
namespace {

// One character: its bytes, and whether it belongs to a word, is one of its own, or stands between
// words.
struct Piece {
  size_t bytes = 1;
  enum class Kind { word, alone, between } kind = Kind::word;
};

Piece piece_at(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) {
    const bool word = (lead >= 'a' && lead <= 'z') || (lead >= '0' && lead <= '9') || lead == '_';
    return {1, word ? Piece::Kind::word : Piece::Kind::between};
  }
  const size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const auto second = static_cast<unsigned char>(text[at + 1]);
  // U+0080 to U+00BF and U+2000 to U+206F are punctuation; from U+2E80 on no spaces are written.
  if (lead == 0xe2 && (second == 0x80 || second == 0x81)) return {bytes, Piece::Kind::between};
  if (lead == 0xc2 && second <= 0xbf) return {bytes, Piece::Kind::between};
  const bool alone = lead >= 0xe3 || (lead == 0xe2 && second >= 0xba);
  return {bytes, alone ? Piece::Kind::alone : Piece::Kind::word};
}

// The word that begins here; empty: none does.
std::string_view word_at(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size()) {
    const auto piece = piece_at(text, end);
    if (piece.kind == Piece::Kind::between) break;
    if (piece.kind == Piece::Kind::alone) return text.substr(at, end > at ? end - at : piece.bytes);
    end += piece.bytes;
  }
  return text.substr(at, end - at);
}

// Every run of words of some texts, as a graph of bytes.
class Words {
 public:
  using Set = std::vector<uint32_t>;  // of bytes just read, sorted; empty: none yet

  explicit Words(const std::vector<std::string>& texts) {
    for (const auto& text : texts) {
      if (is_valid_utf8(text)) add(to_lower(text));
    }
  }

  bool empty() const { return starts_.empty(); }

  // The bytes that `byte` may be, after those of `from`; empty: it may not follow.
  Set after(const Set& from, unsigned char byte) const {
    Set reached;
    const auto take = [&](uint32_t at) {
      if (nodes_[at].byte == byte) reached.push_back(at);
    };
    if (from.empty()) std::for_each(starts_.begin(), starts_.end(), take);
    for (const auto at : from) {
      for (size_t i = 0; i < nodes_[at].ways; ++i) take(nodes_[at].next[i]);
    }
    std::sort(reached.begin(), reached.end());
    reached.erase(std::unique(reached.begin(), reached.end()), reached.end());
    return reached;
  }

  bool may_end(const Set& set) const {
    return std::any_of(set.begin(), set.end(), [&](uint32_t at) { return nodes_[at].may_end; });
  }

 private:
  struct Node {
    unsigned char byte;
    bool may_end = false;
    uint8_t ways = 0;
    std::array<uint32_t, 2> next{};
  };

  void link(uint32_t from, uint32_t to) {
    auto& node = nodes_[from];
    node.next[node.ways++] = to;
  }

  uint32_t add_byte(char byte) {
    nodes_.push_back({static_cast<unsigned char>(byte)});
    return static_cast<uint32_t>(nodes_.size() - 1);
  }

  // Returns the last byte's node.
  uint32_t add_chain(std::string_view bytes, const std::vector<uint32_t>& before) {
    auto last = add_byte(bytes[0]);
    for (const auto from : before) link(from, last);
    for (const char byte : bytes.substr(1)) {
      const auto node = add_byte(byte);
      link(last, node);
      last = node;
    }
    return last;
  }

  void add(std::string_view text) {
    std::vector<uint32_t> before;       // what the next word follows
    std::string between, last_between;  // since the last word, and before it; spaces as one
    std::optional<uint32_t> last;       // byte of the last word
    for (size_t at = 0; at < text.size();) {
      const auto word = word_at(text, at);
      if (word.empty()) {
        const auto bytes = piece_at(text, at).bytes;
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte > ' ' && byte != 0x7f) between += text.substr(at, bytes);
        else if (!between.ends_with(' ')) between += ' ';
        at += bytes;
        continue;
      }
      if (last) before = add_between(between, last_between, *last);
      starts_.push_back(static_cast<uint32_t>(nodes_.size()));
      last = add_chain(word, before);
      nodes_[*last].may_end = true;
      last_between = std::exchange(between, "");
      at += word.size();
    }
    if (last && last_between == "." && between.starts_with('.'))
      nodes_[add_chain(".", {*last})].may_end = true;
  }

  // The two ways on from a word to the next: as it was written, and by a space.
  std::vector<uint32_t> add_between(const std::string& between, const std::string& last_between,
                                    uint32_t word) {
    if (between.empty()) return {word};
    const auto first = static_cast<uint32_t>(nodes_.size());
    std::vector<uint32_t> ends{add_chain(between, {word})};
    if (last_between == "." && between.starts_with('.')) nodes_[first].may_end = true;
    if (between != " ") ends.push_back(add_chain(" ", {word}));
    return ends;
  }

  std::vector<Node> nodes_;
  std::vector<uint32_t> starts_;
};

class AsSaid : public model::Constraint {
 public:
  AsSaid(std::shared_ptr<const Automaton> grammar, Words words, std::string fingerprint)
      : grammar_(std::move(grammar)),
        words_(std::move(words)),
        fingerprint_(std::move(fingerprint)) {}

  State start() const override { return grammar_->start(); }
  bool accepts(State state) const override {
    return state < first_inside && grammar_->accepts(state);
  }
  std::string fingerprint() const override { return fingerprint_; }

  State next(State state, unsigned char byte) const override {
    if (state == dead) return dead;
    if (state >= first_inside) return next_inside(inside(state), byte);
    const auto to = grammar_->next(state, byte);
    return to == dead || !grammar_->said(to) ? to : intern({to, false, {}});
  }

 private:
  struct Inside {  // of a value
    State grammar;
    bool escaped;  // a backslash was read
    Words::Set words;
    auto operator<=>(const Inside&) const = default;
  };
  static constexpr State first_inside = Automaton::max_states;

  State next_inside(const Inside& from, unsigned char byte) const {
    const auto to = grammar_->next(from.grammar, byte);
    if (to == dead) return dead;
    if (!from.escaped && !grammar_->said(to)) return words_.may_end(from.words) ? to : dead;
    if (!from.escaped && byte == '\\')
      return leads_on(from, to) ? intern({to, true, from.words}) : dead;
    auto words = words_.after(from.words, byte);
    return words.empty() ? dead : intern({to, false, std::move(words)});
  }

  // Is there a character to escape?
  bool leads_on(const Inside& from, State escape) const {
    constexpr std::string_view escapable = "'\"\\";
    return std::any_of(escapable.begin(), escapable.end(), [&](unsigned char byte) {
      return grammar_->next(escape, byte) != dead && !words_.after(from.words, byte).empty();
    });
  }

  const Inside& inside(State state) const {
    const std::lock_guard lock(mutex_);
    return *insides_[state - first_inside];
  }

  State intern(Inside one) const {
    const std::lock_guard lock(mutex_);
    const auto [at, is_new] =
        ids_.try_emplace(std::move(one), static_cast<State>(first_inside + insides_.size()));
    if (is_new) insides_.push_back(&at->first);
    return at->second;
  }

  const std::shared_ptr<const Automaton> grammar_;
  const Words words_;
  const std::string fingerprint_;
  mutable std::mutex mutex_;
  mutable std::map<Inside, State> ids_;           // keys stay where they are
  mutable std::deque<const Inside*> insides_;
};

}  // namespace

std::shared_ptr<const model::Constraint> as_said(std::shared_ptr<const model::Constraint> grammar,
                                                 const std::vector<std::string>& texts) {
  const auto automaton = std::dynamic_pointer_cast<const Automaton>(grammar);
  if (!automaton || !automaton->has_said()) return grammar;
  Words words(texts);
  if (words.empty()) return grammar;
  const std::string nul(1, '\0');
  auto fingerprint = sha256_hex(automaton->fingerprint() + nul + join(texts, nul));
  return std::make_shared<AsSaid>(automaton, std::move(words), std::move(fingerprint));
}

bool is_said(std::string_view value, const std::vector<std::string>& texts) {
  const Words words(texts);
  Words::Set set;
  for (const unsigned char byte : value) {
    set = words.after(set, byte);
    if (set.empty()) return false;
  }
  return words.may_end(set);
}

}  // namespace slipway::skill
