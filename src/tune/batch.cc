#include "tune/batch.h"

#include <algorithm>
#include <compare>

namespace slipway::tune {
namespace {

// One example as a sequence of rows: every token but the last, which is only predicted.
struct Sequence {
  std::vector<int32_t> tokens;
  int prompt = 0;
  const std::vector<std::vector<int32_t>>* choices = nullptr;
  int rows() const { return static_cast<int>(tokens.size()) - 1; }
  // Rows that predict completion tokens.
  int first_loss() const { return std::max(prompt - 1, 0); }
  std::span<const int32_t> choices_after(int row) const {
    if (choices->empty()) return {};
    return (*choices)[static_cast<size_t>(row + 1 - prompt)];
  }
};

Sequence sequence_of(const Example& example) {
  Sequence s{example.prompt, static_cast<int>(example.prompt.size()), &example.choices};
  s.tokens.insert(s.tokens.end(), example.completion.begin(), example.completion.end());
  return s;
}

int common_rows(const Sequence& a, const Sequence& b) {
  const int most = std::min(a.rows(), b.rows());
  int n = 0;
  while (n < most && a.tokens[static_cast<size_t>(n)] == b.tokens[static_cast<size_t>(n)]) ++n;
  return n;
}

// Builds the tree of segments from sorted sequences.
class Packer {
 public:
  Packer(std::span<const Sequence> sequences, bool share, int min_shared)
      : sequences_(sequences), share_(share), min_shared_(min_shared) {}

  Packed pack() {
    place(0, static_cast<int>(sequences_.size()), 0, -1);
    std::stable_sort(learnt_.begin(), learnt_.end(), [](const Learnt& a, const Learnt& b) {
      return a.row != b.row ? a.row < b.row : a.token < b.token;
    });
    for (const auto& [row, token, choices] : learnt_) {
      if (out_.loss_rows.empty() || out_.loss_rows.back() != row) out_.loss_rows.push_back(row);
      out_.targets.push_back({static_cast<int>(out_.loss_rows.size()) - 1, token, choices});
    }
    for (Segment& s : out_.segments) {
      const auto lower = [&](int row) {
        return static_cast<int>(
            std::lower_bound(out_.loss_rows.begin(), out_.loss_rows.end(), row) -
            out_.loss_rows.begin());
      };
      s.first_loss = lower(s.first_row);
      s.losses = lower(s.first_row + s.rows) - s.first_loss;
    }
    return std::move(out_);
  }

 private:
  // Sequences [begin, end) agree on their first `depth` rows, which `parent` and its ancestors
  // hold.
  void place(int begin, int end, int depth, int parent) {
    while (begin < end) {
      int group = begin + 1;
      int shared = sequences_[static_cast<size_t>(begin)].rows();
      while (share_ && group < end) {
        const int common = common_rows(sequences_[static_cast<size_t>(begin)],
                                       sequences_[static_cast<size_t>(group)]);
        if (common - depth < min_shared_) break;
        shared = std::min(shared, common);
        ++group;
      }
      const int segment =
          add_segment(sequences_[static_cast<size_t>(begin)], depth, shared, parent);
      for (int i = begin; i < group; ++i) learn(sequences_[static_cast<size_t>(i)], segment);
      int rest = begin;  // sequences that end with the segment sort before those that go on
      while (rest < group && sequences_[static_cast<size_t>(rest)].rows() == shared) ++rest;
      place(rest, group, shared, segment);
      begin = group;
    }
  }

  int add_segment(const Sequence& s, int from, int to, int parent) {
    out_.segments.push_back({out_.rows(), to - from, parent, from, 0, 0});
    for (int i = from; i < to; ++i) {
      out_.tokens.push_back(s.tokens[static_cast<size_t>(i)]);
      out_.positions.push_back(i);
    }
    return static_cast<int>(out_.segments.size()) - 1;
  }

  // Notes what rows of `segment` predict in sequence s.
  void learn(const Sequence& s, int segment) {
    const Segment& part = out_.segments[static_cast<size_t>(segment)];
    for (int i = std::max(part.first_position, s.first_loss()); i < part.first_position + part.rows;
         ++i) {
      const auto choices = s.choices_after(i);
      if (choices.size() == 1) continue;
      learnt_.push_back({part.first_row + i - part.first_position,
                         s.tokens[static_cast<size_t>(i) + 1], choices});
    }
  }

  std::span<const Sequence> sequences_;
  bool share_;
  int min_shared_;
  Packed out_;
  struct Learnt {
    int row;
    int32_t token;
    std::span<const int32_t> choices;
  };
  std::vector<Learnt> learnt_;
};

std::vector<Sequence> sorted_sequences(std::span<const Example> examples) {
  std::vector<Sequence> out;
  for (const Example& e : examples) {
    if (e.prompt.size() + e.completion.size() >= 2 && !e.completion.empty())
      out.push_back(sequence_of(e));
  }
  std::stable_sort(out.begin(), out.end(), [](const Sequence& a, const Sequence& b) {
    const auto rows_end = [](const Sequence& s) {
      return s.tokens.end() - 1;
    };  // then one that ends precedes longer ones
    const auto order = std::lexicographical_compare_three_way(a.tokens.begin(), rows_end(a),
                                                              b.tokens.begin(), rows_end(b));
    if (order != 0) return order < 0;
    return a.tokens.back() != b.tokens.back() ? a.tokens.back() < b.tokens.back()
                                              : a.prompt < b.prompt;
  });
  return out;
}

Packed pack_sequences(std::span<const Sequence> sequences, bool share, int min_shared) {
  Packed out = Packer(sequences, share, min_shared).pack();
  for (const Sequence& s : sequences) out.given_tokens += static_cast<int>(s.tokens.size());
  return out;
}

}  // namespace

Packed pack(std::span<const Example> examples, bool share, int min_shared) {
  return pack_sequences(sorted_sequences(examples), share, min_shared);
}

std::vector<Packed> pack_in_passes(std::span<const Example> examples, bool share, int max_rows) {
  constexpr int min_shared = 4;
  const std::vector<Sequence> all = sorted_sequences(examples);
  std::vector<Packed> passes;
  size_t begin = 0;
  int rows = 0, beginning = 0;  // of the pass; that all of it share
  for (size_t i = 0; i < all.size(); ++i) {
    int common = share && i > begin ? common_rows(all[i - 1], all[i]) : 0;
    if (common < min_shared) common = 0;
    const int more = all[i].rows() - common, shared = std::min(beginning, common);
    if (i > begin && rows + more - std::min(shared, max_rows) > max_rows) {
      passes.push_back(pack_sequences(std::span(all).subspan(begin, i - begin), share, min_shared));
      begin = i;
    }
    rows = i == begin ? all[i].rows() : rows + more;
    beginning = i == begin ? all[i].rows() : shared;
  }
  if (begin < all.size())
    passes.push_back(pack_sequences(std::span(all).subspan(begin), share, min_shared));
  return passes;
}

}  // namespace slipway::tune
