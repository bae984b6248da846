// Columns of text, aligned for people. Widths count code points, so accents and arrows line up.
//
//     Table table({"run", "exact match"});
//     table.row({"3f2a", "98.0 %"});
//     out << table.text();
//
// Not thread-safe.
#pragma once

#include <string>
#include <vector>

namespace slipway::cli {

class Table {
 public:
  // A header that starts with '>' is right-aligned.
  explicit Table(std::vector<std::string> headers);
  void row(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  std::string text() const;
  // For live tables: widths fixed beforehand, one line at a time.
  static std::string line(const std::vector<std::string>& cells, const std::vector<int>& widths,
                          const std::vector<bool>& right);

 private:
  std::vector<std::string> headers_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

// "98.0 %"; "93.0-99.4 %"; "3.4 s" or "120 ms"; "1m 05s"; at most `width` code points with an
// ellipsis.
std::string percent(double rate);
std::string percent_interval(double low, double high);
std::string duration(double ms);
std::string shorten(const std::string& text, size_t width);
std::string bytes(uint64_t count);
// "█▆▃▂▁": `width` blocks, each the mean of its share of the values, on a logarithmic scale.
std::string sparkline(const std::vector<double>& values, size_t width);

}  // namespace slipway::cli
