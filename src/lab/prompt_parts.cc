#include "lab/prompt_parts.h"

#include <algorithm>

#include "base/text.h"

namespace slipway::lab {
namespace {

bool has_jinja(std::string_view text) {
  return text.find("{{") != text.npos || text.find("{%") != text.npos ||
         text.find("{#") != text.npos;
}

// The lines with their ends, so that they join to the text.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines, size_t begin, size_t end) {
  std::string text;
  for (size_t i = begin; i < end; ++i) text += lines[i];
  return text;
}

Error other_form() {
  return Error::unsupported(
      "the prompt has no line such as 'request: {{ input }}' with 'call:' below it",
      "give a prompt of that form; examples/home/prompts/formatted.jinja is one");
}

std::string written(const PromptParts& parts, const WorkedExample& example) {
  return parts.ask + example.input + "\n" + parts.answer + " " + example.output + "\n\n";
}

// The block that begins at a line, and how many lines it has; 0: there is none.
size_t block_at(const PromptParts& parts, const std::vector<std::string>& lines, size_t at,
                size_t end, WorkedExample& into) {
  if (at + 2 >= end || !starts_with(lines[at], parts.ask)) return 0;
  if (!starts_with(lines[at + 1], parts.answer + " ")) return 0;
  into.input = std::string(trim(std::string_view(lines[at]).substr(parts.ask.size())));
  into.output = std::string(trim(std::string_view(lines[at + 1]).substr(parts.answer.size())));
  size_t next = at + 2;
  for (; next < end && lines[next] != "\n"; ++next)
    into.output += "\n" + std::string(trim(lines[next]));
  if (next == end || !can_be_worked(into)) return 0;
  const bool same = joined(lines, at, next + 1) == written(parts, into);
  return same ? next + 1 - at : 0;
}

}  // namespace

bool can_be_worked(const WorkedExample& example) {
  const auto& [input, output] = example;
  return !input.empty() && !output.empty() && !has_jinja(input) && !has_jinja(output) &&
         input.find('\n') == input.npos && output.find("\n\n") == output.npos &&
         trim(input) == input && trim(output) == output;
}

Result<PromptParts> PromptParts::of(std::string_view source) {
  const auto lines = lines_of(source);
  if (source.find("=== ") == 0 || source.find("\n=== ") != source.npos) return other_form();
  PromptParts parts;
  size_t asking = lines.size();
  for (size_t i = 0; i + 1 < lines.size(); ++i) {
    const auto at = lines[i].find("{{ input }}");
    if (at == std::string::npos || at == 0 || has_jinja(lines[i].substr(0, at))) continue;
    parts.ask = lines[i].substr(0, at);
    parts.answer = std::string(trim(lines[i + 1]));
    asking = i;
  }
  if (asking == lines.size() || parts.answer.empty() || has_jinja(parts.answer))
    return other_form();
  size_t text_end = 0;
  while (text_end < asking && lines[text_end] != "\n" && !has_jinja(lines[text_end])) ++text_end;
  if (text_end < asking && lines[text_end] == "\n") parts.instructions = joined(lines, 0, text_end);
  const size_t begin = parts.instructions.empty() ? 0 : text_end;
  size_t first = begin;
  WorkedExample example;
  while (first < asking && block_at(parts, lines, first, asking, example) == 0) ++first;
  size_t at = first;
  while (const size_t count = at < asking ? block_at(parts, lines, at, asking, example) : 0) {
    parts.examples.push_back(example);
    at += count;
  }
  parts.middle = joined(lines, begin, first);
  parts.rest = joined(lines, at, lines.size());
  return parts;
}

std::string PromptParts::source() const {
  std::string text = instructions + middle;
  for (const auto& example : examples) text += written(*this, example);
  return text + rest;
}

}  // namespace slipway::lab
