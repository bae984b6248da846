// Writes JSON text: compact, indented, or canonical (sorted, for hashing).
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "json/value.h"

namespace slipway::json {
namespace {

void append_integer(std::string& out, int64_t value) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

void append_number(std::string& out, double value, bool canonical) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  const bool integral = std::trunc(value) == value;
  if (canonical && integral && value >= -0x1p63 && value < 0x1p63) {
    append_integer(out, static_cast<int64_t>(value));
    return;
  }
  char buffer[40];
  // Plain digits where people expect them: 100000.0, not 1e+05.
  const bool plain = integral && std::abs(value) < 1e15;
  const auto end = plain ? std::to_chars(buffer, buffer + sizeof buffer, value,
                                         std::chars_format::fixed).ptr
                         : std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  const std::string_view digits(buffer, static_cast<size_t>(end - buffer));
  out += digits;
  if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";  // stays a double
}

void append_escaped(std::string& out, unsigned char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  constexpr char hex[] = "0123456789abcdef";
  out += "\\u00";
  out += hex[c >> 4];
  out += hex[c & 15];
}

size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC0) return 0;
  if (lead < 0xE0) return 2;
  return lead < 0xF0 ? 3 : 4;
}

void append_quoted(std::string& out, std::string_view text) {
  const bool valid = is_valid_utf8(text);  // then bytes can be copied without a second look
  out += '"';
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == '"' || c == '\\') {
      append_escaped(out, c);
    } else if (valid || c < 0x80) {
      out += text[i];
    } else {
      const size_t length = sequence_length(c);
      const auto sequence = text.substr(i, length);
      if (length > 0 && sequence.size() == length && is_valid_utf8(sequence)) {
        out += sequence;
        i += length - 1;
      } else {
        out += "\xEF\xBF\xBD";  // U+FFFD
      }
    }
  }
  out += '"';
}

class Writer {
 public:
  explicit Writer(int indent, bool canonical) : indent_(indent), canonical_(canonical) {}

  void write(const Value& value) {
    switch (value.kind()) {
      case Kind::null: out_ += "null"; break;
      case Kind::boolean: out_ += value.as_bool() ? "true" : "false"; break;
      case Kind::integer: append_integer(out_, value.as_integer()); break;
      case Kind::number: append_number(out_, value.as_number(), canonical_); break;
      case Kind::string: append_quoted(out_, value.as_string()); break;
      case Kind::array: write_array(value.as_array()); break;
      case Kind::object: write_object(value.as_object()); break;
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void new_line() {
    if (indent_ < 0) return;
    out_ += '\n';
    out_.append(static_cast<size_t>(indent_) * depth_, ' ');
  }

  void write_array(const Array& array) {
    out_ += '[';
    ++depth_;
    for (size_t i = 0; i < array.size(); ++i) {
      if (i > 0) out_ += ',';
      new_line();
      write(array[i]);
    }
    --depth_;
    if (!array.empty()) new_line();
    out_ += ']';
  }

  void write_object(const Object& object) {
    std::vector<const Member*> members;
    members.reserve(object.size());
    for (const Member& member : object) members.push_back(&member);
    if (canonical_) {
      std::stable_sort(members.begin(), members.end(),
                       [](const Member* a, const Member* b) { return a->first < b->first; });
    }
    out_ += '{';
    ++depth_;
    for (size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out_ += ',';
      new_line();
      append_quoted(out_, members[i]->first);
      out_ += indent_ < 0 ? ":" : ": ";
      write(members[i]->second);
    }
    --depth_;
    if (!members.empty()) new_line();
    out_ += '}';
  }

  int indent_;  // below 0: compact
  bool canonical_;
  size_t depth_ = 0;
  std::string out_;
};

std::string written(const Value& value, int indent, bool canonical) {
  Writer writer(indent, canonical);
  writer.write(value);
  return writer.take();
}

}  // namespace

std::string Value::dump() const { return written(*this, -1, false); }
std::string Value::pretty(int indent) const { return written(*this, std::max(indent, 0), false); }
std::string Value::canonical() const { return written(*this, -1, true); }

std::string quote(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_quoted(out, text);
  return out;
}

}  // namespace slipway::json
