#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "base/durable.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/ids.h"
#include "store/bundle.h"
#include "store/bundle_frames.h"
#include "store/objects.h"
#include "store/records.h"

namespace slipway::store {
namespace {

constexpr size_t kFullFrame = size_t{1} << 20;
constexpr size_t kPartBytes = size_t{4} << 20;

Error above(const std::string& what, uint64_t most) {
  return Error::exhausted(what + " above a bundle's limit of " + std::to_string(most) + " bytes",
                          "bundle single runs or candidates");
}

}  // namespace

struct BundleWriter::Impl {
  std::string path, temporary;
  BundleLimits limits;
  uint64_t expanded_bytes = 0;
  std::ofstream out;
  Sha256 hash;
  std::string lines;
  std::string sha256;
  uint64_t bytes = 0;

  Status write(std::string_view text) {
    errno = 0;
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    if (!out) return cannot_write(temporary);
    hash.update(text);
    bytes += text.size();
    return {};
  }
  Status frame(char kind, std::string_view payload) {
    SLIPWAY_CHECK(write(frame_head(kind, payload.size())));
    return write(payload);
  }
  Status expands(const char* what, uint64_t size, uint64_t most) {
    if (size > most) return above(what, most);
    expanded_bytes += size;
    if (expanded_bytes <= limits.most_expanded_bytes) return {};
    return above("records and objects", limits.most_expanded_bytes);
  }
  Status flush() {
    if (lines.empty()) return {};
    SLIPWAY_CHECK(frame(frame_records, compress(lines)));
    lines.clear();
    return {};
  }
};

BundleWriter::BundleWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

BundleWriter::~BundleWriter() {
  if (impl_->sha256.empty()) ::unlink(impl_->temporary.c_str());
}

Result<std::unique_ptr<BundleWriter>> BundleWriter::create(const std::string& path,
                                                           const BundleLimits& limits) {
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->limits = limits;
  impl->temporary = path + "." + new_span_id() + ".part";
  errno = 0;
  impl->out.open(impl->temporary, std::ios::binary | std::ios::trunc);
  if (!impl->out) return cannot_write(path);
  SLIPWAY_CHECK(impl->write(bundle_magic));
  return std::unique_ptr<BundleWriter>(new BundleWriter(std::move(impl)));
}

Status BundleWriter::record(const json::Value& record) {
  const auto most = impl_->limits.most_records_bytes;
  const auto line = record.dump() + "\n";
  SLIPWAY_CHECK(check_depth("a record", record));
  SLIPWAY_CHECK(impl_->expands("a record", line.size(), most));
  if (impl_->lines.size() + line.size() > most) SLIPWAY_CHECK(impl_->flush());
  impl_->lines += line;
  return impl_->lines.size() < kFullFrame ? Status() : impl_->flush();
}

Status BundleWriter::object(const std::string& bytes) {
  SLIPWAY_CHECK(impl_->expands("an object", bytes.size(), impl_->limits.most_object_bytes));
  SLIPWAY_CHECK(impl_->flush());
  return impl_->frame(frame_object, compress(bytes));
}

Status BundleWriter::file(const BundledFile& file, const std::string& path) {
  if (file.bytes > impl_->limits.most_file_bytes)
    return above("weights", impl_->limits.most_file_bytes);
  SLIPWAY_CHECK(impl_->flush());
  auto head = json::Value::object();
  head.set("name", file.name).set("sha256", file.sha256).set("bytes", file.bytes);
  SLIPWAY_CHECK(impl_->frame(frame_file, head.dump()));
  std::ifstream in(path, std::ios::binary);
  std::string part(kPartBytes, '\0');
  uint64_t done = 0;
  while (in) {
    in.read(part.data(), static_cast<std::streamsize>(part.size()));
    const auto count = static_cast<size_t>(in.gcount());
    done += count;
    if (count > 0) SLIPWAY_CHECK(impl_->frame(frame_part, std::string_view(part).substr(0, count)));
  }
  if (done == file.bytes) return {};
  return Error::unavailable("'" + path + "' could not be read to its end", "try again");
}

Status BundleWriter::finish() {
  SLIPWAY_CHECK(impl_->flush());
  auto whole = std::exchange(impl_->hash, Sha256()).hex();
  // Not through the hash: this frame is not part of what it covers.
  const auto payload = sha256_bytes_of(whole);
  errno = 0;
  impl_->out << frame_head(frame_end, payload.size()) << payload;
  impl_->out.close();
  if (impl_->out.fail()) return cannot_write(impl_->temporary);
  SLIPWAY_CHECK(name_durably(impl_->temporary, impl_->path));
  impl_->sha256 = whole;
  return {};
}

const std::string& BundleWriter::sha256() const { return impl_->sha256; }
uint64_t BundleWriter::bytes() const { return impl_->bytes; }

}  // namespace slipway::store
