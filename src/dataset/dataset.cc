#include "dataset/dataset.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <unordered_map>

#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"

namespace slipway::dataset {
namespace {

constexpr std::string_view utf8_bom = "\xEF\xBB\xBF";
constexpr std::array<std::string_view, 2> utf16_boms = {"\xFF\xFE", "\xFE\xFF"};

// Lines of a stream, of which at most `max_line_bytes` are ever held.
class LineReader {
 public:
  LineReader(std::istream& stream, size_t max_line_bytes)
      : stream_(stream), max_line_bytes_(max_line_bytes), buffer_(64 << 10) {}

  // False at the end. `too_long`: the line was longer, and `line` is only its start.
  bool next(std::string& line, bool& too_long) {
    line.clear();
    too_long = false;
    bool any = false;
    while (fill()) {
      any = true;
      const char* begin = buffer_.data() + position_;
      const char* end = buffer_.data() + size_;
      const char* feed = std::find(begin, end, '\n');
      append(line, std::string_view(begin, feed), too_long);
      position_ += static_cast<size_t>(feed - begin) + (feed != end ? 1 : 0);
      if (feed != end) break;
    }
    if (!too_long && !line.empty() && line.back() == '\r') line.pop_back();
    return any;
  }

  bool failed() const { return stream_.bad(); }

 private:
  bool fill() {
    if (position_ < size_) return true;
    stream_.read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    size_ = static_cast<size_t>(stream_.gcount());
    position_ = 0;
    return size_ > 0;
  }

  void append(std::string& line, std::string_view part, bool& too_long) const {
    size_t room = max_line_bytes_ - line.size();
    too_long = too_long || part.size() > room;
    line.append(part.substr(0, room));
  }

  std::istream& stream_;
  size_t max_line_bytes_;
  std::vector<char> buffer_;
  size_t position_ = 0;
  size_t size_ = 0;
};

class Loader {
 public:
  Loader(const std::string& path, const LoadOptions& options) : options_(options) {
    dataset_.path = path;
  }

  Result<Dataset> run(std::istream& stream) {
    LineReader reader(stream, options_.max_line_bytes);
    std::string line;
    bool too_long = false;
    for (size_t number = 1; !full() && reader.next(line, too_long); ++number) {
      if (number == 1) SLIPWAY_CHECK(take_bom(line));
      if (!too_long && trim(line).empty()) continue;
      Status added = too_long ? Status(line_too_long()) : add(line, number);
      if (!added.ok()) SLIPWAY_CHECK(broken(number, added.error()));
    }
    if (reader.failed()) {
      return Error::unavailable("cannot read '" + dataset_.path + "'",
                                "check the disk and the file's permissions");
    }
    dataset_.sha256 = hash_.hex();
    return std::move(dataset_);
  }

 private:
  bool full() const {
    return options_.max_rows > 0 && dataset_.examples.size() >= options_.max_rows;
  }

  Status take_bom(std::string& line) const {
    for (auto bom : utf16_boms) {
      if (starts_with(line, bom)) {
        return Error::invalid_input("'" + dataset_.path + "' is UTF-16",
                                    "save it as UTF-8: iconv -f UTF-16 -t UTF-8 OLD > NEW");
      }
    }
    if (starts_with(line, utf8_bom)) line.erase(0, utf8_bom.size());
    return Status::success();
  }

  Error line_too_long() const {
    return Error::invalid_input(
        "the line is longer than " + std::to_string(options_.max_line_bytes) + " bytes",
        "shorten its context or split it into several rows");
  }

  Status add(const std::string& line, size_t number) {
    SLIPWAY_TRY(example, parse_row(line));
    example.line = number;
    if (auto [found, fresh] = lines_.try_emplace(example.id, number); !fresh) {
      return Error::invalid_input(
          "id '" + example.id + "' is already on line " + std::to_string(found->second),
          "rows without an id get one from their input: remove the repetition, or give ids");
    }
    bytes_ += line.size() + sizeof(Example);
    if (bytes_ > options_.max_bytes) {
      return Error::exhausted(
          "the rows need more than " + std::to_string(options_.max_bytes) + " bytes",
          "load fewer rows (max_rows) or split the file");
    }
    hash_.update(row_json(example).canonical()).update("\n");
    dataset_.examples.push_back(std::move(example));
    return Status::success();
  }

  // Strict: the error to return. Lenient: recorded, unless a limit was reached, which ends either
  // load.
  Status broken(size_t number, const Error& error) {
    if (options_.strict || error.code() == ErrorCode::exhausted) {
      return error.in(dataset_.path + " line " + std::to_string(number));
    }
    ++dataset_.error_count;
    if (dataset_.errors.size() < options_.max_errors)
      dataset_.errors.push_back({number, error.to_string()});
    return Status::success();
  }

  LoadOptions options_;
  Dataset dataset_;
  Sha256 hash_;
  std::unordered_map<std::string, size_t> lines_;  // id -> line
  size_t bytes_ = 0;
};

// "home-test.jsonl" -> {"home", "test"}, "test.jsonl" -> {"test", "test"}, "logs.jsonl" -> {"logs",
// ""}.
std::pair<std::string, std::string> name_and_split(const std::string& path) {
  std::string stem = files::filename(path);
  stem = stem.substr(0, stem.find('.'));
  for (std::string split : {"train", "dev", "test"}) {
    if (stem == split) return {stem, split};
    for (char separator : {'-', '_'}) {
      std::string ending = separator + split;
      if (stem.size() > ending.size() && stem.ends_with(ending)) {
        return {stem.substr(0, stem.size() - ending.size()), split};
      }
    }
  }
  return {stem, ""};
}

}  // namespace

std::string split_of(const std::string& path) { return name_and_split(path).second; }

Result<Dataset> read_dataset(std::istream& stream, const std::string& path,
                             const LoadOptions& options) {
  SLIPWAY_TRY(dataset, Loader(path, options).run(stream));
  std::tie(dataset.name, dataset.split) = name_and_split(path);
  return dataset;
}

Result<Dataset> load_dataset(const std::string& path, const LoadOptions& options) {
  if (!files::exists(path) || files::is_directory(path)) {
    auto near = nearest(files::filename(path), files::list(files::parent(path)));
    return Error::not_found("no dataset file '" + path + "'", near
                                                                  ? "did you mean '" + *near + "'?"
                                                                  : "a dataset is one .jsonl file");
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream)
    return Error::unavailable("cannot open '" + path + "'", "check the file's permissions");
  return read_dataset(stream, path, options);
}

std::string to_jsonl(const std::vector<Example>& examples) {
  std::string text;
  for (const auto& example : examples) text += row_json(example).dump() + "\n";
  return text;
}

}  // namespace slipway::dataset
