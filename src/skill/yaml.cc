#include "skill/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/text.h"

namespace slipway::skill {
namespace {

constexpr size_t max_values = 500'000;
constexpr size_t max_text_bytes = 64 << 20;
constexpr size_t max_depth = 64;

std::string place(const YAML::Mark& mark) {
  return "line " + std::to_string(mark.line + 1) + ", column " + std::to_string(mark.column + 1);
}

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<json::Value> based_integer(std::string_view text, int base) {
  int64_t number = 0;
  const auto [end, error] =
      std::from_chars(text.data() + 2, text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return json::Value(number);
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
std::optional<json::Value> plain_number(std::string_view text) {
  auto rest = text;
  if (rest.starts_with('+')) rest = text = text.substr(1);
  if (rest.starts_with('-')) rest.remove_prefix(1);
  const auto exponent_at = rest.find_first_of("eE");
  auto mantissa = rest.substr(0, exponent_at);
  if (exponent_at != std::string_view::npos) {
    auto exponent = rest.substr(exponent_at + 1);
    if (exponent.starts_with('-') || exponent.starts_with('+')) exponent.remove_prefix(1);
    if (!is_digits(exponent)) return std::nullopt;
  }
  const auto dot = mantissa.find('.');
  const auto whole = mantissa.substr(0, dot);
  const auto part = dot == std::string_view::npos ? std::string_view() : mantissa.substr(dot + 1);
  const bool number =
      (is_digits(whole) && (part.empty() || is_digits(part))) || (whole.empty() && is_digits(part));
  if (!number) return std::nullopt;
  if (dot == std::string_view::npos && exponent_at == std::string_view::npos) {
    int64_t integer = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), integer);
    if (error == std::errc() && end == text.data() + text.size()) return json::Value(integer);
  }
  double real = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), real);
  if (error != std::errc()) return std::nullopt;
  return json::Value(real);
}

json::Value plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
  if (text == "true" || text == "True" || text == "TRUE") return json::Value(true);
  if (text == "false" || text == "False" || text == "FALSE") return json::Value(false);
  std::optional<json::Value> number;
  if (text.starts_with("0x")) number = based_integer(text, 16);
  if (text.starts_with("0o")) number = based_integer(text, 8);
  if (!number) number = plain_number(text);
  return number ? std::move(*number) : json::Value(text);
}

class Builder : public YAML::EventHandler {
 public:
  Result<json::Value> take() {
    if (error_) return *error_;
    return std::move(root_);
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark&, const std::string&) override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    scalar(mark, json::Value(), "", anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (tag == "?" || tag.empty()) return scalar(mark, plain_scalar(text), text, anchor);
    if (tag == "!" || tag == "tag:yaml.org,2002:str")
      return scalar(mark, json::Value(text), text, anchor);
    for (const char* known : {"int", "float", "bool", "null"}) {
      if (tag == std::string("tag:yaml.org,2002:") + known)
        return scalar(mark, plain_scalar(text), text, anchor);
    }
    stop(mark, "the tag '" + tag + "' is not known");
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) return stop(mark, "an alias to the value that holds it");
    if (error_ || !count(mark, found->second.values, found->second.bytes)) return;
    add(mark, found->second.value, "");
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, json::Value::array(), anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, json::Value::object(), anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Anchored {
    json::Value value;
    size_t values = 0, bytes = 0;
  };
  struct Frame {
    YAML::Mark mark;
    json::Value value;
    YAML::anchor_t anchor = 0;
    size_t values_before = 0, bytes_before = 0;
    std::optional<std::string> key;
    std::unordered_set<std::string> keys;  // of an object: a search per member would be quadratic
  };

  // The first error stays; what the parser still sends is no longer looked at.
  void stop(const YAML::Mark& mark, const std::string& what) {
    if (!error_) error_ = Error::invalid_input(place(mark) + ": " + what);
  }
  void exceed(const YAML::Mark& mark, const std::string& what) {
    if (!error_) error_ = Error::exhausted(place(mark) + ": " + what);
  }

  bool count(const YAML::Mark& mark, size_t values, size_t bytes) {
    values_ += values;
    bytes_ += bytes;
    if (values_ <= max_values && bytes_ <= max_text_bytes) return true;
    exceed(mark, "more than 500,000 values or 64 MiB of text, aliases written out");
    return false;
  }

  bool wants_key() const {
    return !frames_.empty() && frames_.back().value.is_object() && !frames_.back().key;
  }

  void scalar(const YAML::Mark& mark, json::Value value, const std::string& text,
              YAML::anchor_t anchor) {
    if (!is_valid_utf8(text)) stop(mark, "text that is not UTF-8");
    if (error_ || !count(mark, 1, text.size())) return;
    if (anchor) anchors_[anchor] = {value, 1, text.size()};
    add(mark, std::move(value), text);
  }

  void add(const YAML::Mark& mark, json::Value value, const std::string& text) {
    if (frames_.empty()) {
      root_ = std::move(value);
      return;
    }
    auto& frame = frames_.back();
    if (frame.value.is_array()) return frame.value.push_back(std::move(value));
    if (frame.key) {
      frame.value.as_object().emplace_back(std::move(*frame.key), std::move(value));
      frame.key.reset();
      return;
    }
    if (value.is_array() || value.is_object()) return stop(mark, "a key must be a text");
    auto key = value.is_string() ? value.as_string() : text.empty() ? value.dump() : text;
    if (key == "<<") return stop(mark, "merge keys (<<) are not supported: write the members out");
    if (!frame.keys.insert(key).second) return stop(mark, "the key '" + key + "' is there twice");
    frame.key = std::move(key);
  }

  void open(const YAML::Mark& mark, json::Value value, YAML::anchor_t anchor) {
    if (wants_key()) stop(mark, "a key must be a text");
    if (frames_.size() >= max_depth) exceed(mark, "a document may nest 64 deep");
    const auto values = values_, bytes = bytes_;
    if (error_ || !count(mark, 1, 0)) return;
    frames_.push_back({mark, std::move(value), anchor, values, bytes, {}, {}});
  }

  void close() {
    if (error_) return;
    auto frame = std::move(frames_.back());
    frames_.pop_back();
    if (frame.anchor) {
      kept_ += values_ - frame.values_before;  // anchors within anchors are copies of copies
      if (kept_ > max_values) return exceed(frame.mark, "anchors hold more than 500,000 values");
      anchors_[frame.anchor] = {frame.value, values_ - frame.values_before,
                                bytes_ - frame.bytes_before};
    }
    add(frame.mark, std::move(frame.value), "");
  }

  json::Value root_;
  std::optional<Error> error_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  size_t values_ = 0, bytes_ = 0, kept_ = 0;
};

}  // namespace

Result<json::Value> parse_yaml(std::string_view text) {
  if (text.size() > max_document_bytes) return Error::exhausted("a YAML document may have 8 MiB");
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder;
    if (!parser.HandleNextDocument(builder)) return Error::invalid_input("line 1: no document");
    return builder.take();
  } catch (const YAML::Exception& error) {
    return Error::invalid_input(place(error.mark) + ": " + error.msg);
  } catch (const std::exception& error) {
    return Error::invalid_input(std::string("not YAML: ") + error.what());
  }
}

}  // namespace slipway::skill
