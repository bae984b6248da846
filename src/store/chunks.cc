#include "store/chunks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <tuple>

#include "json/value.h"
#include "store/objects.h"

namespace slipway::store {
namespace {

constexpr uint32_t kPointsFormat = 1;
constexpr size_t kHeaderBytes = 8;
constexpr size_t kPointBytes = 24;
constexpr uint64_t kMostSpanBytes = uint64_t{256} << 20;

void put_little_endian(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
}

uint64_t get_little_endian(std::string_view bytes, size_t offset, int count) {
  uint64_t value = 0;
  for (int i = 0; i < count; ++i) {
    value |= uint64_t{static_cast<unsigned char>(bytes[offset + static_cast<size_t>(i)])}
             << (8 * i);
  }
  return value;
}

auto order_of(const Point& p) {
  return std::make_tuple(p.step, p.unix_ms, std::bit_cast<uint64_t>(p.value));
}

Error damaged(const std::string& what) {
  return Error::corrupt("a damaged chunk: " + what, "restore it from a backup");
}

// [key, type, value]: JSON alone would not tell 1 from 1.0, nor hold NaN.
json::Value attribute_json(const std::string& key, const AttributeValue& value) {
  json::Array row = {key};
  if (const auto* text = std::get_if<std::string>(&value)) {
    row.insert(row.end(), {"string", *text});
  } else if (const auto* integer = std::get_if<int64_t>(&value)) {
    row.insert(row.end(), {"int", *integer});
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    row.insert(row.end(), {"bool", *flag});
  } else {
    const double number = std::get<double>(value);
    row.emplace_back("double");
    if (std::isfinite(number))
      row.emplace_back(number);
    else if (std::isnan(number))
      row.emplace_back("NaN");
    else
      row.emplace_back(number > 0 ? "Infinity" : "-Infinity");
  }
  return row;
}

Result<double> double_of(const json::Value& value) {
  if (value.is_number()) return value.as_number();
  const std::string& name = value.is_string() ? value.as_string() : std::string();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (name == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (name == "Infinity") return infinity;
  if (name == "-Infinity") return -infinity;
  return damaged("an attribute that is no double");
}

Result<std::pair<std::string, AttributeValue>> attribute_of(const json::Value& row) {
  if (!row.is_array() || row.size() != 3 || !row.as_array()[0].is_string() ||
      !row.as_array()[1].is_string()) {
    return damaged("an attribute that is no [key, type, value]");
  }
  const std::string& key = row.as_array()[0].as_string();
  const std::string& type = row.as_array()[1].as_string();
  const json::Value& value = row.as_array()[2];
  if (type == "string" && value.is_string())
    return std::make_pair(key, AttributeValue(value.as_string()));
  if (type == "int" && value.is_integer())
    return std::make_pair(key, AttributeValue(value.as_integer()));
  if (type == "bool" && value.is_bool())
    return std::make_pair(key, AttributeValue(value.as_bool()));
  if (type != "double") return damaged("an attribute of an unknown type");
  SLIPWAY_TRY(number, double_of(value));
  return std::make_pair(key, AttributeValue(number));
}

int64_t integer_member(const json::Value& value, std::string_view key) {
  const json::Value* member = value.get(key);
  return member != nullptr && member->is_integer() ? member->as_integer() : 0;
}

}  // namespace

json::Value span_json(const SpanRecord& span) {
  auto value = json::Value::object();
  value.set("trace_id", span.trace_id)
      .set("span_id", span.span_id)
      .set("parent_span_id", span.parent_span_id)
      .set("name", span.name)
      .set("start_unix_ns", span.start_unix_ns)
      .set("end_unix_ns", span.end_unix_ns)
      .set("ok", span.ok)
      .set("status_message", span.status_message);
  auto attributes = json::Value::array();
  for (const auto& [key, attribute] : span.attributes)
    attributes.push_back(attribute_json(key, attribute));
  value.set("attributes", std::move(attributes));
  return value;
}

Result<SpanRecord> span_of(const json::Value& value) {
  SpanRecord span;
  span.trace_id = value.text("trace_id");
  span.span_id = value.text("span_id");
  span.parent_span_id = value.text("parent_span_id");
  span.name = value.text("name");
  span.start_unix_ns = integer_member(value, "start_unix_ns");
  span.end_unix_ns = integer_member(value, "end_unix_ns");
  span.ok = value.flag("ok", true);
  span.status_message = value.text("status_message");
  if (span.trace_id.empty() || span.span_id.empty()) return damaged("a span without its ids");
  const json::Value* attributes = value.get("attributes");
  if (attributes == nullptr || !attributes->is_array()) return damaged("a span without attributes");
  for (const auto& row : attributes->as_array()) {
    SLIPWAY_TRY(attribute, attribute_of(row));
    span.attributes.push_back(std::move(attribute));
  }
  return span;
}

void sort_unique(std::vector<Point>& points) {
  std::sort(points.begin(), points.end(),
            [](const Point& a, const Point& b) { return order_of(a) < order_of(b); });
  const auto same = [](const Point& a, const Point& b) { return order_of(a) == order_of(b); };
  points.erase(std::unique(points.begin(), points.end(), same), points.end());
}

std::string encode_points(const std::vector<Point>& points) {
  std::string out;
  out.reserve(kHeaderBytes + points.size() * kPointBytes);
  put_little_endian(out, kPointsFormat, 4);
  put_little_endian(out, points.size(), 4);
  for (const auto& point : points) {
    put_little_endian(out, static_cast<uint64_t>(point.step), 8);
    put_little_endian(out, static_cast<uint64_t>(point.unix_ms), 8);
    put_little_endian(out, std::bit_cast<uint64_t>(point.value), 8);
  }
  return out;
}

Result<std::vector<Point>> decode_points(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return damaged("shorter than its header");
  if (get_little_endian(bytes, 0, 4) != kPointsFormat)
    return damaged("an unknown format of points");
  const uint64_t count = get_little_endian(bytes, 4, 4);
  if (bytes.size() != kHeaderBytes + count * kPointBytes)
    return damaged("its size does not match its count");
  std::vector<Point> points(static_cast<size_t>(count));
  size_t offset = kHeaderBytes;
  for (auto& point : points) {
    point.step = static_cast<int64_t>(get_little_endian(bytes, offset, 8));
    point.unix_ms = static_cast<int64_t>(get_little_endian(bytes, offset + 8, 8));
    point.value = std::bit_cast<double>(get_little_endian(bytes, offset + 16, 8));
    offset += kPointBytes;
  }
  return points;
}

std::string encode_spans(const std::vector<SpanRecord>& spans) {
  std::string lines;
  for (const auto& span : spans) lines.append(span_json(span).canonical()).append("\n");
  return compress(lines);
}

Result<std::vector<SpanRecord>> decode_spans(std::string_view bytes) {
  SLIPWAY_TRY(lines, expand(bytes, kMostSpanBytes));
  std::vector<SpanRecord> spans;
  for (size_t at = 0; at < lines.size();) {
    const size_t end = lines.find('\n', at);
    if (end == std::string::npos) return damaged("a last line without an end");
    const auto value = json::parse(std::string_view(lines).substr(at, end - at));
    if (!value.ok()) return damaged("a line that is no JSON");
    SLIPWAY_TRY(span, span_of(*value));
    spans.push_back(std::move(span));
    at = end + 1;
  }
  return spans;
}

}  // namespace slipway::store
