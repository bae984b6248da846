#include <algorithm>
#include <fstream>
#include <istream>

#include "base/hash.h"
#include "store/bundle.h"
#include "store/bundle_frames.h"
#include "store/objects.h"

namespace slipway::store {
namespace {

constexpr size_t kStep = size_t{1} << 20;  // memory is taken as the bytes arrive
constexpr uint64_t kMostFileHead = 4096;

Error damaged(const std::string& what) {
  return Error::corrupt("a damaged bundle: " + what, "ask for it again");
}

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    value |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return value;
}

class Reader {
 public:
  Reader(std::istream& in, const BundleLimits& limits, BundleSink& sink)
      : in_(in), limits_(limits), sink_(sink) {}

  Status run() {
    SLIPWAY_CHECK(read_magic());
    while (true) {
      SLIPWAY_TRY(more, read_frame());
      if (!more) return sink_.end();
    }
  }

 private:
  Status read_magic() {
    SLIPWAY_TRY(magic, take(bundle_magic.size()));
    const auto name = bundle_magic.substr(0, bundle_magic.size() - 2);
    if (magic == bundle_magic) {
      hash_.update(magic);
      return {};
    }
    if (magic.starts_with(name))
      return Error::unsupported("a bundle of a later version", "use a newer slipway");
    return Error::corrupt("the file is no bundle", "`slipway bundle` makes one");
  }

  // Exactly `bytes`, however many are said to follow.
  Result<std::string> take(uint64_t bytes) {
    std::string taken;
    while (taken.size() < bytes) {
      const size_t at = taken.size();
      const auto step = static_cast<size_t>(std::min<uint64_t>(kStep, bytes - at));
      taken.resize(at + step);
      in_.read(taken.data() + at, static_cast<std::streamsize>(step));
      if (static_cast<size_t>(in_.gcount()) != step) return damaged("it ends too early");
    }
    return taken;
  }

  Result<bool> read_frame() {
    SLIPWAY_TRY(head, take(frame_head_bytes));
    if (head.size() != frame_head_bytes) return damaged("it ends too early");
    const char kind = head[0];
    const uint64_t bytes = little_endian(std::string_view(head).substr(1));
    if (bytes > most_payload(kind)) return damaged("a frame above its limit");
    SLIPWAY_TRY(payload, take(bytes));
    if (kind == frame_end) {
      SLIPWAY_CHECK(end(payload));
      return false;
    }
    hash_.update(head).update(payload);
    SLIPWAY_CHECK(frame(kind, payload));
    return true;
  }

  uint64_t most_payload(char kind) const {
    const auto packed = [](uint64_t bytes) { return bytes + (bytes >> 7) + 64; };  // zstd's bound
    switch (kind) {
      case frame_records:
        return packed(limits_.most_records_bytes);
      case frame_object:
        return packed(limits_.most_object_bytes);
      case frame_file:
        return kMostFileHead;
      case frame_part:
        return most_part_bytes;
      case frame_end:
        return 32;
      default:
        return 0;
    }
  }

  Status frame(char kind, const std::string& payload) {
    if ((kind == frame_part) != (left_ > 0)) return damaged("a file without all of its parts");
    switch (kind) {
      case frame_records:
        return records(payload);
      case frame_object:
        return object(payload);
      case frame_file:
        return file(payload);
      case frame_part:
        return part(payload);
      default:
        return damaged("a frame of an unknown kind");
    }
  }

  // Within its own limit, and what is left of the limit of all.
  Result<std::string> expanded(std::string_view payload, uint64_t most) {
    const auto left = limits_.most_expanded_bytes - expanded_bytes_;
    auto bytes = expand(payload, std::min(most, left));
    if (!bytes.ok()) return damaged(bytes.error().message());
    expanded_bytes_ += bytes->size();
    return bytes;
  }

  Status records(std::string_view payload) {
    SLIPWAY_TRY(lines, expanded(payload, limits_.most_records_bytes));
    for (size_t at = 0; at < lines.size();) {
      const size_t end = lines.find('\n', at);
      if (end == std::string::npos) return damaged("a last line without an end");
      const auto record = json::parse(std::string_view(lines).substr(at, end - at));
      if (!record.ok() || !record->is_object()) return damaged("a line that is no record");
      SLIPWAY_CHECK(sink_.record(*record));
      at = end + 1;
    }
    return {};
  }

  Status object(std::string_view payload) {
    SLIPWAY_TRY(bytes, expanded(payload, limits_.most_object_bytes));
    return sink_.object(bytes);
  }

  Status file(const std::string& payload) {
    const auto head = json::parse(payload);
    const auto* bytes = head.ok() ? head->get("bytes") : nullptr;
    if (!bytes || !bytes->is_integer() || bytes->as_integer() < 1)
      return damaged("a file without its size");
    BundledFile file{head->text("name"), head->text("sha256"),
                     static_cast<uint64_t>(bytes->as_integer())};
    if (!is_sha256(file.sha256)) return damaged("a file without its hash");
    if (file.bytes > limits_.most_file_bytes) return damaged("a file above its limit");
    left_ = file.bytes;
    file_sha256_ = file.sha256;
    file_hash_ = Sha256();
    SLIPWAY_TRY(wanted, sink_.file(file));
    wanted_ = wanted;
    return {};
  }

  Status part(const std::string& payload) {
    if (payload.empty() || payload.size() > left_) return damaged("a part of the wrong size");
    left_ -= payload.size();
    file_hash_.update(payload);
    if (wanted_) SLIPWAY_CHECK(sink_.part(payload));
    if (left_ > 0) return {};
    if (file_hash_.hex() != file_sha256_) return damaged("a file that does not match its hash");
    return wanted_ ? sink_.file_end() : Status();
  }

  Status end(const std::string& payload) {
    if (left_ > 0) return damaged("a file without all of its parts");
    if (payload != sha256_bytes_of(hash_.hex())) return damaged("it does not match its hash");
    if (in_.peek() != std::istream::traits_type::eof()) return damaged("something follows its end");
    return {};
  }

  std::istream& in_;
  const BundleLimits& limits_;
  BundleSink& sink_;
  Sha256 hash_, file_hash_;
  std::string file_sha256_;
  uint64_t expanded_bytes_ = 0;
  uint64_t left_ = 0;  // of a file
  bool wanted_ = false;
};

}  // namespace

Status read_bundle(std::istream& in, const BundleLimits& limits, BundleSink& sink) {
  return Reader(in, limits, sink).run();
}

Status read_bundle(const std::string& path, const BundleLimits& limits, BundleSink& sink) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error::not_found("no bundle '" + path + "'", "give the path of a .slipway file");
  return read_bundle(in, limits, sink);
}

}  // namespace slipway::store
