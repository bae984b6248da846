// Bounds for llama.cpp's Jinja runtime, which has none: the parsed tree is rewritten so that its
// nodes count their work, and the token list is checked before the recursive parser sees it.
//
//     SLIPWAY_CHECK(check_tokens(lexed));
//     auto program = jinja::parse_from_tokens(lexed);
//     guard_program(program);
//     TemplateBudget budget;
//     BudgetScope scope(budget);   // this thread's renders are charged to it
//
// A guarded program may be rendered by several threads, each with its own budget. Breaking a bound
// throws jinja::rethrown_exception with "template limit: ...", which the runtime passes on
// untouched; llama_template.cc catches it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"

namespace jinja {
struct lexer_result;
struct program;
}  // namespace jinja

namespace slipway::model {

struct TemplateBudget {
  int64_t nodes = 1'000'000;          // nodes evaluated and value nodes visited
  int64_t bytes = int64_t{32} << 20;  // text produced by expressions
  int mutations = 2'000;              // containers put into containers
  const char* stack = nullptr;        // where the render began
};

class BudgetScope {
 public:
  explicit BudgetScope(TemplateBudget& budget);
  ~BudgetScope();
  BudgetScope(const BudgetScope&) = delete;
  BudgetScope& operator=(const BudgetScope&) = delete;

 private:
  TemplateBudget* previous_;
};

// Errors: exhausted (with the line): nesting of blocks and brackets, length of one expression.
Status check_tokens(const jinja::lexer_result& lexed);
void guard_program(jinja::program& program);

}  // namespace slipway::model
