#include "cli/table.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace slipway::cli {
namespace {

size_t width_of(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

Table::Table(std::vector<std::string> headers) {
  for (auto& header : headers) {
    right_.push_back(!header.empty() && header[0] == '>');
    headers_.push_back(right_.back() ? header.substr(1) : header);
  }
}

void Table::row(std::vector<std::string> cells) {
  cells.resize(headers_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::line(const std::vector<std::string>& cells, const std::vector<int>& widths,
                        const std::vector<bool>& right) {
  std::string text;
  for (size_t i = 0; i < cells.size(); ++i) {
    const auto cell = printable_line(cells[i]);  // no wider, no narrower
    const auto have = width_of(cell);
    const auto want = static_cast<size_t>(widths[i]);
    const std::string padding(want > have ? want - have : 0, ' ');
    text += (i ? "  " : "") + (right[i] ? padding + cell : cell + padding);
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text + "\n";
}

std::string Table::text() const {
  std::vector<int> widths;
  for (size_t i = 0; i < headers_.size(); ++i) {
    auto widest = width_of(headers_[i]);
    for (const auto& row : rows_) widest = std::max(widest, width_of(row[i]));
    widths.push_back(static_cast<int>(widest));
  }
  std::string text = line(headers_, widths, right_);
  for (const auto& row : rows_) text += line(row, widths, right_);
  return text;
}

std::string percent(double rate) { return fmt::format("{:.1f} %", rate * 100); }

std::string percent_interval(double low, double high) {
  return fmt::format("{:.1f}–{:.1f} %", low * 100, high * 100);
}

std::string duration(double ms) {
  if (ms < 1000) return fmt::format("{:.0f} ms", ms);
  if (ms < 60'000) return fmt::format("{:.1f} s", ms / 1000);
  const auto seconds = static_cast<int64_t>(std::llround(ms / 1000));
  return fmt::format("{}m {:02}s", seconds / 60, seconds % 60);
}

std::string shorten(const std::string& text, size_t width) {
  const auto flat = printable_line(text);
  if (width_of(flat) <= width) return flat;
  std::string cut;
  size_t count = 0;
  for (char c : flat) {
    if ((c & 0xC0) != 0x80 && ++count == width) break;
    cut += c;
  }
  return cut + "…";
}

std::string bytes(uint64_t count) {
  if (count < 1'000'000) return fmt::format("{:.0f} kB", static_cast<double>(count) / 1e3);
  return fmt::format("{:.0f} MB", static_cast<double>(count) / 1e6);
}

std::string sparkline(const std::vector<double>& values, size_t width) {
  static const char* const kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const size_t columns = std::min(width, values.size());
  std::vector<double> heights;
  for (size_t i = 0; i < columns; ++i) {
    const size_t begin = i * values.size() / columns, end = (i + 1) * values.size() / columns;
    double sum = 0;
    for (size_t j = begin; j < end; ++j) sum += values[j];
    heights.push_back(std::log(std::max(sum / static_cast<double>(end - begin), 1e-6)));
  }
  if (heights.empty()) return {};
  const auto [low, high] = std::minmax_element(heights.begin(), heights.end());
  const double range = std::max(*high - *low, 1e-9);
  std::string text;
  for (const double height : heights)
    text += kBlocks[static_cast<size_t>((height - *low) / range * 7.0 + 0.5)];
  return text;
}

}  // namespace slipway::cli
