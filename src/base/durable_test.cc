#include "base/durable.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <filesystem>

#include "base/files.h"
#include "base/ids.h"

using namespace slipway;

TEST_CASE("a file gets its name, or says why not") {
  const auto folder =
      files::join(std::filesystem::temp_directory_path().string(), "durable-" + new_trace_id());
  const auto written = files::join(folder, "a.part"), path = files::join(folder, "a");
  REQUIRE(files::write_atomic(written, "weights").ok());
  REQUIRE(name_durably(written, path).ok());
  CHECK(*files::read(path) == "weights");
  CHECK_FALSE(files::exists(written));
  CHECK(name_durably(written, path).error().code() == ErrorCode::unavailable);
  CHECK(*files::read(path) == "weights");
  errno = ENOSPC;
  CHECK(cannot_write(path).code() == ErrorCode::exhausted);
  CHECK(files::remove_all(folder).ok());
}
