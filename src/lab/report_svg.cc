// The drawings of a report.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "lab/markup.h"
#include "lab/report_page.h"

namespace slipway::lab {
namespace {

constexpr double width = 640, height = 220, left = 56, right = 14, top = 12, bottom = 34;
constexpr size_t most_drawn = 1200;

double share(double value) { return std::clamp(std::isfinite(value) ? value : 0.0, 0.0, 1.0); }

std::string text_at(double x, double y, const char* anchor, const std::string& text) {
  return fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)", x, y, anchor,
                     escape_markup(text));
}

std::string open_svg(double high, const std::string& label) {
  return fmt::format(R"(<svg class="chart" viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">)",
                     width, high, escape_markup(label));
}

// A round step that divides the range into about four.
double round_step(double range) {
  if (!(range > 0)) return 1;
  const double rough = range / 4, power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (rough <= factor * power) return factor * power;
  }
  return 10 * power;
}

struct Frame {
  double x_low, x_high, y_low, y_high;
  double x(double value) const {
    const double range = x_high > x_low ? x_high - x_low : 1;
    return left + (value - x_low) / range * (width - left - right);
  }
  double y(double value) const {
    const double range = y_high > y_low ? y_high - y_low : 1;
    return height - bottom - (value - y_low) / range * (height - top - bottom);
  }
};

std::string axes(const Frame& frame, bool percent, const std::string& below) {
  std::string svg;
  const double step = round_step(frame.y_high - frame.y_low);
  for (int i = 0; i <= 8; ++i) {
    const double value = (std::ceil(frame.y_low / step) + i) * step;
    if (value > frame.y_high + step * 1e-6) break;
    svg += fmt::format(R"(<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>)",
                       left, width - right, frame.y(value), frame.y(value));
    svg += text_at(left - 6, frame.y(value) + 4, "end",
                   percent ? fmt::format("{:g} %", std::round(1000 * value) / 10)
                           : fmt::format("{:g}", std::round(value / step) * step));
  }
  svg += text_at(left, height - 12, "start", fmt::format("{:g}", frame.x_low));
  svg += text_at(width - right, height - 12, "end", fmt::format("{:g}", frame.x_high));
  return svg + text_at((left + width) / 2, height - 12, "middle", below);
}

}  // namespace

std::string share_svg(const eval::Proportion& p) {
  const auto interval = p.interval();
  const double low = 200 * share(interval.low), high = 200 * share(interval.high);
  const double rate = std::min(200 * share(p.rate()), 198.0);
  return fmt::format(
      R"(<svg class="share" viewBox="0 0 200 12" preserveAspectRatio="none" aria-hidden="true">)"
      R"(<rect class="track" x="0" y="4.5" width="200" height="3"/>)"
      R"(<rect class="range" x="{:.2f}" y="3" width="{:.2f}" height="6"/>)"
      R"(<rect class="mark" x="{:.2f}" y="0" width="2" height="12"/></svg>)",
      low, std::max(high - low, 0.5), rate);
}

std::string curve_svg(const std::vector<CurvePoint>& points, const std::string& label) {
  std::vector<CurvePoint> finite;
  for (const auto& point : points) {
    if (std::isfinite(point.x) && std::isfinite(point.y)) finite.push_back(point);
  }
  if (finite.size() < 2) return {};
  Frame frame{finite.front().x, finite.back().x, 0, 0};
  for (const auto& point : finite) {
    frame.y_low = std::min(frame.y_low, point.y);
    frame.y_high = std::max(frame.y_high, point.y);
  }
  const size_t stride = finite.size() / most_drawn + 1;
  std::string path;
  for (size_t i = 0; i < finite.size(); i += stride)
    path +=
        fmt::format("{}{:.1f} {:.1f}", i ? "L" : "M", frame.x(finite[i].x), frame.y(finite[i].y));
  return open_svg(height, label) + axes(frame, false, label) + R"(<path class="curve" d=")" + path +
         R"("/></svg>)";
}

std::string scaling_svg(const std::vector<ScalingPoint>& points) {
  if (points.size() < 2) return {};
  Frame frame{0, static_cast<double>(points.back().examples), 1, 0};
  for (const auto& point : points) {
    frame.y_low = std::min(frame.y_low, share(point.interval.low));
    frame.y_high = std::max(frame.y_high, share(point.interval.high));
  }
  std::string path, marks;
  for (const auto& point : points) {
    const double x = frame.x(static_cast<double>(point.examples)), y = frame.y(share(point.score));
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x, y);
    marks +=
        fmt::format(R"(<line class="whisker" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>)"
                    R"(<circle class="dot" cx="{0:.1f}" cy="{3:.1f}" r="3.5"/>)",
                    x, frame.y(share(point.interval.low)), frame.y(share(point.interval.high)), y);
  }
  const std::string label = "examples trained on";
  return open_svg(height, "exact match by number of examples trained on") +
         axes(frame, true, label) + R"(<path class="curve" d=")" + path + R"("/>)" + marks +
         "</svg>";
}

std::string ladder_svg(const std::vector<NotebookEntry>& evaluations) {
  if (evaluations.empty()) return {};
  constexpr double row = 26, names = 170, numbers = 64;
  const double high = row * static_cast<double>(evaluations.size()) + 8;
  const double span = width - names - numbers;
  std::string svg = open_svg(high, "exact match of each candidate, in the order they were tried");
  double y = 4;
  for (const auto& entry : evaluations) {
    const auto figure = [&](const char* key) {
      const auto found = entry.figures.find(key);
      return found == entry.figures.end() ? 0.0 : share(found->second);
    };
    auto name = entry.candidate_name;
    if (name.size() > 24) name = name.substr(0, 22) + "..";
    const double rate = figure("exact_match");
    svg += text_at(names - 10, y + 16, "end", name);
    svg += fmt::format(R"(<rect class="track" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="14"/>)",
                       names, y + 4, span);
    svg += fmt::format(R"(<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="14"/>)",
                       names, y + 4, span * rate);
    svg += fmt::format(R"(<line class="whisker" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>)",
                       names + span * figure("exact_match_low"),
                       names + span * figure("exact_match_high"), y + 11, y + 11);
    svg += text_at(width - 4, y + 16, "end", fmt::format("{:.1f} %", 100 * rate));
    y += row;
  }
  return svg + "</svg>";
}

}  // namespace slipway::lab
