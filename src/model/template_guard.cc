#include "model/template_guard.h"

#include <jinja/lexer.h>
#include <jinja/runtime.h>

#include <set>

#include "base/text.h"

namespace slipway::model {
namespace {

using jinja::statement_ptr;
using jinja::value;

constexpr int kMaxDepth = 64;         // of nested blocks, brackets, values
constexpr int kMaxExpression = 1500;  // tokens: a chain of them is as deep a tree
constexpr int64_t kMaxValueNodes = 200'000;
constexpr int64_t kMaxText = int64_t{4} << 20;  // one value
constexpr int64_t kMaxNumber = 1'000'000'000;   // as an argument
constexpr int64_t kMaxRange = 10'000;           // and turns of one loop
constexpr int64_t kScopeCost = 20;  // nodes: the runtime copies all names into every scope
constexpr int kMaxNames = 300;      // set and macro statements
// Input size times argument: what replace, join, indent may build.
constexpr int64_t kMaxProduct = int64_t{16} << 20;
// Split and replace move the rest at every hit.
constexpr int64_t kMaxSearched = int64_t{128} << 10;
constexpr ptrdiff_t kMaxStack = ptrdiff_t{2} << 20;

thread_local TemplateBudget* budget = nullptr;

[[noreturn]] void limit(const std::string& what) {
  throw jinja::rethrown_exception("template limit: " + what);
}

void step(int64_t nodes = 1) {
  if (!budget) return;
  if ((budget->nodes -= nodes) < 0) limit("more than 1,000,000 steps");
  const char* here = static_cast<const char*>(__builtin_frame_address(0));
  if (budget->stack && (budget->stack - here > kMaxStack || here - budget->stack > kMaxStack))
    limit("recursion too deep");
}

void charge(int64_t bytes) {
  if (budget && (budget->bytes -= bytes) < 0) limit("more than 32 MiB of text");
}

struct Weight {
  int64_t nodes = 0;
  int64_t bytes = 0;
};

void weigh(const value& v, Weight& weight, int depth) {
  if (!v) return;
  if (depth > kMaxDepth) limit("a value nested deeper than 64");
  if (++weight.nodes > kMaxValueNodes) limit("a value of more than 200,000 parts");
  for (const auto& part : v->val_str.parts) weight.bytes += static_cast<int64_t>(part.val.size());
  if (weight.bytes > kMaxText) limit("a value of more than 4 MiB");
  for (const auto& item : v->val_arr) weigh(item, weight, depth + 1);
  for (const auto& [key, item] : v->val_obj) {
    weigh(key, weight, depth + 1);
    weigh(item, weight, depth + 1);
  }
  if (jinja::is_val<jinja::value_kwarg>(v))
    weigh(jinja::cast_val<jinja::value_kwarg>(v)->val, weight, depth + 1);
}

Weight weigh(const value& v) {
  Weight weight;
  weigh(v, weight, 0);
  step(weight.nodes);
  return weight;
}

value produced(value v) {
  charge(weigh(v).bytes);
  return v;
}

bool contains(const value& v, const jinja::value_t* target) {
  if (!v) return false;
  if (v.get() == target) return true;
  for (const auto& item : v->val_arr) {
    if (contains(item, target)) return true;
  }
  for (const auto& [key, item] : v->val_obj) {
    if (contains(item, target)) return true;
  }
  return false;
}

// A container going into another: a cycle or an endless chain would outlive or overflow us.
void check_stored(const value& stored, const jinja::value_t* target) {
  if (!jinja::is_val<jinja::value_array>(stored) && !jinja::is_val<jinja::value_object>(stored))
    return;
  if (weigh(stored).nodes && contains(stored, target)) limit("a value that contains itself");
  if (budget && --budget->mutations < 0)
    limit("more than 2,000 values put into lists and namespaces");
}

// What a filter or function may build from this argument, per byte of its input.
int64_t factor(const value& argument) {
  value v = argument;
  if (jinja::is_val<jinja::value_kwarg>(v)) v = jinja::cast_val<jinja::value_kwarg>(v)->val;
  if (jinja::is_val<jinja::value_int>(v)) {
    int64_t n = v->as_int();
    if (n > kMaxNumber || n < -kMaxNumber) limit("an argument beyond 1,000,000,000");
    return n < 0 ? -n : n;
  }
  return weigh(v).bytes;
}

void check_call(const std::string& name, const value& input, const std::vector<value>& arguments) {
  int64_t most = 1;
  for (const auto& argument : arguments) most = std::max(most, factor(argument));
  if (!input) return;
  auto weight = weigh(input);
  if ((weight.bytes + weight.nodes) > kMaxProduct / most)
    limit("a filter or function that builds more than 16 MiB");
  bool quadratic = name == "split" || name == "rsplit" || name == "replace";
  if (quadratic && weight.bytes > kMaxSearched) limit(name + " of more than 128 KiB");
}

struct Constant : jinja::expression {
  value held;
  explicit Constant(value v) : held(std::move(v)) {}
  value execute_impl(jinja::context&) const override { return held; }
};

statement_ptr constant(const value& v) { return std::make_unique<Constant>(v); }

template <typename Base>
struct Moved : Base {
  explicit Moved(Base&& base) : Base(std::move(base)) {}
};

// Evaluates the child and charges its text: around everything that a block writes.
struct Output : jinja::statement {
  statement_ptr child;
  explicit Output(statement_ptr c) : child(std::move(c)) { pos = child->pos; }
  value execute_impl(jinja::context& ctx) const override {
    step();
    return produced(child->execute(ctx));
  }
};

struct SliceBound : jinja::expression {
  statement_ptr child;
  explicit SliceBound(statement_ptr c) : child(std::move(c)) { pos = child->pos; }
  value execute_impl(jinja::context& ctx) const override {
    auto v = child->execute(ctx);
    factor(v);
    return v;
  }
};

struct LoopSource : jinja::expression {
  statement_ptr child;
  explicit LoopSource(statement_ptr c) : child(std::move(c)) { pos = child->pos; }
  value execute_impl(jinja::context& ctx) const override {
    auto v = child->execute(ctx);
    auto turns = static_cast<int64_t>(v->val_arr.size() + v->val_obj.size());
    if (turns > kMaxRange) limit("a loop of more than 10,000 turns");
    step(turns * kScopeCost);
    return v;
  }
};

struct Stored : jinja::expression {  // the right side of {% set namespace.member = ... %}
  statement_ptr child;
  const jinja::member_expression* target;
  Stored(statement_ptr c, const jinja::member_expression* t) : child(std::move(c)), target(t) {
    pos = child->pos;
  }
  value execute_impl(jinja::context& ctx) const override {
    auto v = child->execute(ctx);
    check_stored(v, target->object->execute(ctx).get());
    return v;
  }
};

// Same meaning as the base, without copying the table of builtins for every name.
struct Identifier : Moved<jinja::identifier> {
  using Moved::Moved;
  value execute_impl(jinja::context& ctx) const override {
    step();
    auto v = ctx.get_val(val);
    if (!v->is_undefined()) {
      weigh(v);
      return v;
    }
    const auto& builtins = jinja::global_builtins();
    auto found = builtins.find(val);
    if (found == builtins.end()) return jinja::mk_val<jinja::value_undefined>(val);
    return jinja::mk_val<jinja::value_func>(val, found->second);
  }
};

template <typename Base>
struct Produced : Moved<Base> {
  using Moved<Base>::Moved;
  value execute_impl(jinja::context& ctx) const override {
    step();
    return produced(Base::execute_impl(ctx));
  }
};

struct Binary : Moved<jinja::binary_expression> {
  using Moved::Moved;
  value execute_impl(jinja::context& ctx) const override {
    step();
    if (op.value != "*") return produced(binary_expression::execute_impl(ctx));
    auto a = left->execute(ctx);
    auto b = right->execute(ctx);
    if (jinja::is_val<jinja::value_string>(a)) check_call("*", a, {b});
    if (jinja::is_val<jinja::value_string>(b)) check_call("*", b, {a});
    jinja::binary_expression product(op, constant(a), constant(b));
    product.pos = pos;
    return produced(product.execute_impl(ctx));
  }
};

struct Call : Moved<jinja::call_expression> {
  using Moved::Moved;
  value execute_impl(jinja::context& ctx) const override {
    step(kScopeCost);
    jinja::func_args arguments(ctx);
    for (const auto& argument : args) arguments.push_back(argument->execute(ctx));
    auto called = callee->execute(ctx);
    if (!jinja::is_val<jinja::value_func>(called))
      throw std::runtime_error("not a function: " + called->type());
    auto* function = jinja::cast_val<jinja::value_func>(called);
    check_call(function->name, function->arg0, arguments.get_args());
    if (function->name == "range") check_range(arguments.get_args());
    if (function->name == "append" && arguments.count() == 1 && function->arg0) {
      check_stored(arguments.get_args()[0], function->arg0.get());
    }
    return produced(function->invoke(arguments));
  }
  static void check_range(const std::vector<value>& arguments) {
    for (const auto& argument : arguments) {
      if (factor(argument) > kMaxRange) limit("a range beyond 10,000");
    }
  }
};

struct Filter : Moved<jinja::filter_expression> {
  using Moved::Moved;
  value execute_impl(jinja::context& ctx) const override {
    step();
    auto input = operand->execute(ctx);
    const auto* call = dynamic_cast<const jinja::call_expression*>(filter.get());
    const auto* named =
        dynamic_cast<const jinja::identifier*>(call ? call->callee.get() : filter.get());
    if (!named) throw std::runtime_error("a filter must be a name");
    std::vector<value> arguments;
    jinja::statements constants;
    if (call) {
      for (const auto& argument : call->args) {
        arguments.push_back(argument->execute(ctx));
        constants.push_back(constant(arguments.back()));
      }
    }
    check_call(named->val, input, arguments);
    if (named->val == "append" && arguments.size() == 1) check_stored(arguments[0], input.get());
    statement_ptr target = std::make_unique<jinja::identifier>(named->val);
    if (call)
      target = std::make_unique<jinja::call_expression>(std::move(target), std::move(constants));
    jinja::filter_expression applied(constant(input), std::move(target));
    applied.pos = pos;
    return produced(applied.execute_impl(ctx));
  }
};

// {% filter %} charges its body first; its filter takes constants only from the template, which the
// product rule sees.
struct FilterBlock : Moved<jinja::filter_statement> {
  using Moved::Moved;
  value execute_impl(jinja::context& ctx) const override {
    step();
    if (const auto* call = dynamic_cast<const jinja::call_expression*>(filter.get())) {
      for (const auto& argument : call->args) {
        if (factor(argument->execute(ctx)) > 1024)
          limit("an argument beyond 1,024 in a filter block");
      }
    }
    return produced(filter_statement::execute_impl(ctx));
  }
};

void guard(statement_ptr& node);

void guard(jinja::statements& list) {
  for (auto& node : list) guard(node);
}

void guard_body(jinja::statements& body) {
  for (auto& node : body) {
    guard(node);
    if (node) node = std::make_unique<Output>(std::move(node));
  }
}

template <typename Wrapper, typename Base>
bool wrap(statement_ptr& node, Base* base) {
  auto wrapped = std::make_unique<Wrapper>(std::move(*base));
  node = std::move(wrapped);
  return true;
}

bool guard_statement(statement_ptr& node) {
  if (auto* s = jinja::cast_stmt<jinja::if_statement>(node)) {
    guard(s->test);
    guard_body(s->body);
    guard_body(s->alternate);
  } else if (auto* f = jinja::cast_stmt<jinja::for_statement>(node)) {
    guard(f->iterable);
    auto* select = jinja::cast_stmt<jinja::select_expression>(f->iterable);
    auto& source = select ? select->lhs : f->iterable;
    source = std::make_unique<LoopSource>(std::move(source));
    guard_body(f->body);
    guard_body(f->default_block);
  } else if (auto* set = jinja::cast_stmt<jinja::set_statement>(node)) {
    auto* member = jinja::cast_stmt<jinja::member_expression>(set->assignee);
    if (member) guard(member->object);
    guard(set->val);
    guard_body(set->body);
    if (member && set->val) set->val = std::make_unique<Stored>(std::move(set->val), member);
  } else if (auto* m = jinja::cast_stmt<jinja::macro_statement>(node)) {
    for (auto& argument : m->args) {
      if (auto* keyword = jinja::cast_stmt<jinja::keyword_argument_expression>(argument))
        guard(keyword->val);
    }
    guard_body(m->body);
  } else if (auto* c = jinja::cast_stmt<jinja::call_statement>(node)) {
    auto* call = jinja::cast_stmt<jinja::call_expression>(c->call);
    guard(call->args);
    guard_body(c->body);
  } else if (auto* b = jinja::cast_stmt<jinja::filter_statement>(node)) {
    if (auto* call = jinja::cast_stmt<jinja::call_expression>(b->filter)) guard(call->args);
    guard_body(b->body);
    return wrap<FilterBlock>(node, b);
  } else {
    return false;
  }
  return true;
}

bool guard_call(statement_ptr& node) {
  if (auto* b = jinja::cast_stmt<jinja::binary_expression>(node)) {
    guard(b->left);
    guard(b->right);
    return wrap<Binary>(node, b);
  }
  if (auto* c = jinja::cast_stmt<jinja::call_expression>(node)) {
    guard(c->callee);
    guard(c->args);
    return wrap<Call>(node, c);
  }
  if (auto* f = jinja::cast_stmt<jinja::filter_expression>(node)) {
    guard(f->operand);
    if (auto* call = jinja::cast_stmt<jinja::call_expression>(f->filter)) guard(call->args);
    return wrap<Filter>(node, f);
  }
  if (auto* i = jinja::cast_stmt<jinja::identifier>(node)) return wrap<Identifier>(node, i);
  return false;
}

bool guard_literal(statement_ptr& node) {
  if (auto* a = jinja::cast_stmt<jinja::array_literal>(node)) {
    guard(a->val);
    return wrap<Produced<jinja::array_literal>>(node, a);
  }
  if (auto* t = jinja::cast_stmt<jinja::tuple_literal>(node)) {
    guard(t->val);
    return wrap<Produced<jinja::tuple_literal>>(node, t);
  }
  if (auto* o = jinja::cast_stmt<jinja::object_literal>(node)) {
    for (auto& [key, item] : o->val) {
      guard(key);
      guard(item);
    }
    return wrap<Produced<jinja::object_literal>>(node, o);
  }
  return false;
}

void guard_slice(statement_ptr& bound) {
  if (!bound) return;
  guard(bound);
  bound = std::make_unique<SliceBound>(std::move(bound));
}

void guard(statement_ptr& node) {
  if (!node || guard_statement(node) || guard_call(node) || guard_literal(node)) return;
  if (auto* m = jinja::cast_stmt<jinja::member_expression>(node)) {
    guard(m->object);
    if (auto* s = jinja::cast_stmt<jinja::slice_expression>(m->property)) {
      for (auto* bound : {&s->start_expr, &s->stop_expr, &s->step_expr}) guard_slice(*bound);
    } else if (m->computed) {
      guard(m->property);
    }
    wrap<Produced<jinja::member_expression>>(node, m);
  } else if (auto* t = jinja::cast_stmt<jinja::test_expression>(node)) {
    guard(t->operand);
    if (auto* call = jinja::cast_stmt<jinja::call_expression>(t->test)) guard(call->args);
  } else if (auto* s = jinja::cast_stmt<jinja::select_expression>(node)) {
    guard(s->lhs);
    guard(s->test);
  } else if (auto* u = jinja::cast_stmt<jinja::unary_expression>(node)) {
    guard(u->argument);
  } else if (auto* x = jinja::cast_stmt<jinja::ternary_expression>(node)) {
    for (auto* child : {&x->condition, &x->true_expr, &x->false_expr}) guard(*child);
  } else if (auto* k = jinja::cast_stmt<jinja::keyword_argument_expression>(node)) {
    guard(k->val);
  } else if (auto* spread = jinja::cast_stmt<jinja::spread_expression>(node)) {
    guard(spread->argument);
  }
}

}  // namespace

BudgetScope::BudgetScope(TemplateBudget& given) : previous_(budget) {
  given.stack = static_cast<const char*>(__builtin_frame_address(0));
  budget = &given;
}

BudgetScope::~BudgetScope() { budget = previous_; }

Status check_tokens(const jinja::lexer_result& lexed) {
  static const std::set<std::string, std::less<>> openers = {"if", "for", "macro", "call",
                                                             "filter"};
  std::vector<int> blocks;  // per open block, how many it nests (an elif nests once more)
  int brackets = 0;
  int length = 0;
  int depth = 0;
  int names = 0;
  for (size_t i = 0; i < lexed.tokens.size(); ++i) {
    const auto& token = lexed.tokens[i];
    using jinja::token;
    bool opens = token.t == token::open_statement || token.t == token::open_expression;
    length = opens || token.t == token::text ? 0 : length + 1;
    if (opens) brackets = 0;
    brackets += token.t == token::open_paren || token.t == token::open_square_bracket ||
                token.t == token::open_curly_bracket;
    brackets -= token.t == token::close_paren || token.t == token::close_square_bracket ||
                token.t == token::close_curly_bracket;
    if (token.t == token::open_statement && i + 1 < lexed.tokens.size()) {
      const auto& name = lexed.tokens[i + 1].value;
      names += name == "set" || name == "macro";
      if (name == "elif" && !blocks.empty()) {
        ++blocks.back();
        ++depth;
      } else if (openers.count(name)) {
        blocks.push_back(1);
        ++depth;
      } else if (starts_with(name, "end") && !blocks.empty() && name != "endset") {
        depth -= blocks.back();
        blocks.pop_back();
      }
    }
    if (brackets > kMaxDepth || depth > kMaxDepth || length > kMaxExpression || names > kMaxNames) {
      auto line = position_at(lexed.source, token.pos).line;
      return Error::exhausted(
          "template line " + std::to_string(line) + ": nested too deep or too large",
          "at most 64 nested blocks or brackets, 1,500 words in one expression, 300 set and macro");
    }
  }
  return {};
}

void guard_program(jinja::program& program) { guard_body(program.body); }

}  // namespace slipway::model
