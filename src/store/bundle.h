// A bundle: part of a store, or all of it, as one file that travels (docs/format/bundle.md).
//
//     SLIPWAY_TRY(writer, BundleWriter::create("lab.slipway"));
//     SLIPWAY_CHECK(hand_over(store, {.all = true}, *writer));
//     SLIPWAY_CHECK(writer->finish());                          // now it has its name
//     SLIPWAY_CHECK(read_bundle("lab.slipway", {}, importer));  // a stranger's, into a fresh store
//
// Nothing in the file is believed: each frame states its size and is bounded before memory is
// taken, so is what all of them expand to; an object is named by the hash that its bytes have here;
// the last frame is the hash of all before it. What a reader would refuse is not written. One
// thread. Errors: corrupt (no bundle, damaged, cut off), exhausted (a limit, a full disk),
// unsupported (a newer version), those of the sink.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/transfer.h"

namespace slipway::store {

struct BundleLimits {
  uint64_t most_object_bytes = uint64_t{1} << 30;     // of one object, expanded
  uint64_t most_records_bytes = uint64_t{192} << 20;  // of one frame of records, expanded
  uint64_t most_expanded_bytes = uint64_t{16} << 30;  // of all records and objects
  uint64_t most_file_bytes = uint64_t{64} << 30;      // of one file of weights
};

struct BundledFile {
  std::string name;  // of the model
  std::string sha256;
  uint64_t bytes = 0;
};

// What takes a bundle whole.
class BundleSink : public Sink {
 public:
  // A file begins; false: its parts are read over.
  virtual Result<bool> file(const BundledFile& file) = 0;
  virtual Status part(const std::string& bytes) = 0;
  virtual Status file_end() = 0;
};

class BundleWriter : public Sink {
 public:
  // Writes beside `path` until it is finished.
  static Result<std::unique_ptr<BundleWriter>> create(const std::string& path,
                                                      const BundleLimits& limits = {});
  ~BundleWriter() override;
  Status object(const std::string& bytes) override;
  Status record(const json::Value& record) override;
  Status file(const BundledFile& file, const std::string& path);
  Status finish();
  const std::string& sha256() const;  // of the finished file
  uint64_t bytes() const;

 private:
  struct Impl;
  explicit BundleWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

Status read_bundle(std::istream& in, const BundleLimits& limits, BundleSink& sink);
Status read_bundle(const std::string& path, const BundleLimits& limits, BundleSink& sink);

}  // namespace slipway::store
