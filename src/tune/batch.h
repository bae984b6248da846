// Examples laid out for one pass: one after another without padding, tokens that several examples
// begin with only once.
//
//     prompt "turn on the"     completion " light"
//     prompt "turn on the tv"  completion " now"
//
//     rows   0 turn  1 on  2 the ─┬─ (row 2 predicts " light")
//                                 └─ 3 tv (predicts " now")
//
// A segment is a run of rows; it sees its own earlier rows and all rows of its ancestors. What a
// row computes depends on the tokens before it alone, so examples that share a prefix share its
// rows exactly, forward and backward: nothing is approximated. (Prior art for GPUs: Prefix Grouper,
// arXiv 2506.05433.) Values; no locking.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace slipway::tune {

struct Example {
  // Read, not learnt; may be empty only if completion has two tokens or more.
  std::vector<int32_t> prompt;
  std::vector<int32_t> completion;  // learnt, token by token
  // What each token of the completion is chosen from, itself among them; an empty list: from the
  // whole vocabulary. No lists at all: every token is. Where there is one choice nothing is learnt.
  std::vector<std::vector<int32_t>> choices;
};

struct Segment {
  int first_row = 0;
  int rows = 0;
  int parent = -1;                 // an earlier segment, or none
  int first_position = 0;          // in the sequence = rows of all ancestors
  int first_loss = 0, losses = 0;  // which of Packed::loss_rows lie in it
};

struct Target {
  int loss_row = 0;   // index into Packed::loss_rows
  int32_t token = 0;  // to be predicted there
  std::span<const int32_t> choices;  // from these (they lie in the Example); empty: from all
};

struct Packed {
  std::vector<int32_t> tokens;     // [rows]
  std::vector<int32_t> positions;  // [rows]
  std::vector<Segment> segments;   // parents first, in the order of rows
  std::vector<int32_t> loss_rows;  // rows that predict something, ascending
  std::vector<Target> targets;     // by loss row; a row may have several
  int given_tokens = 0;  // what the rows stand for: prompt and completion tokens of all examples
  int rows() const { return static_cast<int>(tokens.size()); }
};

// Lays out all examples in one pass. With `share`, prefixes of at least `min_shared` tokens are
// rows of their own segment.
Packed pack(std::span<const Example> examples, bool share, int min_shared = 4);

// Divides examples (sorted by their tokens, so that prefixes meet) into passes of at most
// `max_rows` rows, or one example. Rows that begin all examples of a pass come on top, up to
// `max_rows` again: a second pass would compute them once more.
std::vector<Packed> pack_in_passes(std::span<const Example> examples, bool share, int max_rows);

}  // namespace slipway::tune
