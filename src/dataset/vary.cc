#include "dataset/vary.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>

#include "base/text.h"
#include "skill/call.h"
#include "skill/schema.h"

namespace slipway::dataset {
namespace {

std::vector<std::string> split_words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

// The values that one argument has, each once, as they first came.
struct Pool {
  std::vector<std::string> values;
  std::set<std::string> known, words;

  void add(const std::string& value) {
    if (!known.insert(value).second) return;
    values.push_back(value);
    const auto said = split_words(value);
    words.insert(said.begin(), said.end());
  }

  // Names keep bringing words that no other has, unlike days and times: any words may be one.
  bool open() const { return values.size() >= 100 && words.size() >= values.size(); }

  const std::string& draw(std::mt19937_64& random) const {
    return values[random() % values.size()];
  }

  // How one value begins and how another ends: a name that nobody can know by heart.
  std::string draw_joined(std::mt19937_64& random) const {
    const auto begin = split_words(draw(random)), end = split_words(draw(random));
    if (begin.empty() || end.empty()) return draw(random);
    auto joined = begin.front();
    const auto first = 1 + random() % begin.size(), last = 1 + random() % end.size();
    for (size_t i = 1; i < first; ++i) joined += " " + begin[i];
    for (size_t i = end.size() - last; i < end.size(); ++i) joined += " " + end[i];
    return joined;
  }
};

struct Slot {
  size_t begin = 0, end = 0;  // in the text
  size_t call = 0, argument = 0, item = 0;  // of a list
  Pool* pool = nullptr;

  json::Value& of(std::vector<skill::Call>& calls) const {
    auto& value = calls[call].arguments[argument].value;
    return value.is_array() ? value.as_array()[item] : value;
  }
};

// A row whose output is calls that the skills know, and the values in it that can be replaced.
struct Parsed {
  std::vector<skill::Call> calls;
  std::vector<Slot> slots;  // by place
};

bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Where the words stand in the text (both in lower case), when that is in one place.
std::optional<size_t> only_place(const std::string& text, const std::string& words) {
  std::optional<size_t> place;
  for (size_t at = text.find(words); at != text.npos; at = text.find(words, at + 1)) {
    const auto end = at + words.size();
    if (at > 0 && is_word_byte(text[at - 1])) continue;
    if (end < text.size() && is_word_byte(text[end])) continue;
    if (place) return std::nullopt;
    place = at;
  }
  return place;
}

bool by_chance(double share, std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1.0p-53 < share;
}

class Varying {
 public:
  Varying(const std::vector<Example>& rows, const skill::SkillSet& skills) : skills_(skills) {
    for (const auto& row : rows) parsed_.push_back(parse(row));
  }

  Example varied(const Example& row, size_t number, const VaryOptions& options,
                 std::mt19937_64& random) const {
    auto copy = row;
    const auto& original = parsed_[number];
    auto calls = original.calls;
    for (auto slot = original.slots.rbegin(); slot != original.slots.rend(); ++slot) {
      if (!by_chance(options.share, random)) continue;
      const auto& pool = *slot->pool;
      const bool joined = pool.open() && by_chance(options.joined, random);
      const auto value = joined ? pool.draw_joined(random) : pool.draw(random);
      copy.input.replace(slot->begin, slot->end - slot->begin, value);
      slot->of(calls) = value;
    }
    if (!original.slots.empty()) copy.output = skill::print_calls(calls, skills_);
    return copy;
  }

 private:
  Parsed parse(const Example& row) {
    Parsed parsed;
    if (row.input.empty()) return parsed;
    auto calls = skill::parse_calls(row.output);
    if (!calls.ok()) return parsed;
    for (const auto& call : *calls) {
      auto checked = skill::check_call(call, skills_);
      if (!checked.ok()) return Parsed();
      parsed.calls.push_back(std::move(*checked));
    }
    const auto text = to_lower(row.input);
    for (size_t c = 0; c < parsed.calls.size(); ++c) {
      const auto& call = parsed.calls[c];
      for (size_t a = 0; a < call.arguments.size(); ++a) {
        const auto& [name, value] = call.arguments[a];
        if (!skills_.find(call.function)->find(name)->schema.flag(skill::said_key)) continue;
        Slot slot{.call = c, .argument = a, .pool = &pools_[{call.function, name}]};
        add_slots(text, slot, value, parsed.slots);
      }
    }
    keep_apart(parsed.slots);
    for (const auto& slot : parsed.slots) slot.pool->add(slot.of(parsed.calls).as_string());
    return parsed;
  }

  // A text, or the texts of a list.
  static void add_slots(const std::string& text, Slot slot, const json::Value& value,
                        std::vector<Slot>& slots) {
    if (value.is_array()) {
      for (slot.item = 0; slot.item < value.size(); ++slot.item)
        add_slots(text, slot, value.as_array()[slot.item], slots);
    } else if (value.is_string() && !value.as_string().empty()) {
      const auto place = only_place(text, to_lower(value.as_string()));
      if (!place) return;
      slot.begin = *place;
      slot.end = *place + value.as_string().size();
      slots.push_back(slot);
    }
  }

  // By place; none of them when two lie over each other.
  static void keep_apart(std::vector<Slot>& slots) {
    std::sort(slots.begin(), slots.end(),
              [](const Slot& a, const Slot& b) { return a.begin < b.begin; });
    for (size_t i = 1; i < slots.size(); ++i) {
      if (slots[i].begin < slots[i - 1].end) {
        slots.clear();
        return;
      }
    }
  }

  const skill::SkillSet& skills_;
  std::map<std::pair<std::string, std::string>, Pool> pools_;
  std::vector<Parsed> parsed_;
};

}  // namespace

std::vector<Example> vary(const std::vector<Example>& rows, const skill::SkillSet& skills,
                          const VaryOptions& options) {
  const Varying varying(rows, skills);
  std::mt19937_64 random(options.seed);
  auto all = rows;
  std::set<std::string> ids;
  for (const auto& row : rows) ids.insert(row.id);
  for (int copy = 1; copy <= options.copies; ++copy) {
    for (size_t i = 0; i < rows.size(); ++i) {
      auto example = varying.varied(rows[i], i, options, random);
      if (example.input == rows[i].input) continue;
      const auto mark = "~" + std::to_string(copy);
      do {  // rows that were varied before may have such ids
        example.id += mark;
      } while (!ids.insert(example.id).second);
      all.push_back(std::move(example));
    }
  }
  return all;
}

}  // namespace slipway::dataset
