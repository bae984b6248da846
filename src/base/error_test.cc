#include "base/error.h"

#include <doctest/doctest.h>

#include "base/result.h"

using namespace slipway;

TEST_CASE("error: each code has a name, an exit code and protocol codes") {
  CHECK(code_name(ErrorCode::not_found) == "not_found");
  CHECK(exit_code(ErrorCode::invalid_input) == 2);
  CHECK(exit_code(ErrorCode::cancelled) == 130);
  CHECK(exit_code(ErrorCode::internal) == 70);
  CHECK(http_status(ErrorCode::not_found) == 404);
  CHECK(http_status(ErrorCode::exhausted) == 413);
  CHECK(mlflow_error_code(ErrorCode::already_exists) == "RESOURCE_ALREADY_EXISTS");
  for (int i = 0; i <= static_cast<int>(ErrorCode::internal); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    CHECK(exit_code(code) > 1);  // 0 is success, 1 "a check said no"
    CHECK(http_status(code) >= 400);
    CHECK_FALSE(code_name(code).empty());
    CHECK_FALSE(mlflow_error_code(code).empty());
  }
}

TEST_CASE("error: context is prefixed, the hint follows, all on one line") {
  const auto error = Error::not_found("no\ndataset", "run x").in("a.toml");
  CHECK(error.code() == ErrorCode::not_found);
  CHECK(error.message() == "a.toml: no\ndataset");
  CHECK(error.to_string() == "a.toml: no dataset; run x");
  CHECK(Error::cancelled().to_string() == "cancelled");
  CHECK(Error::not_found("rm -rf ~\x1b[2K\rls", "look\xC2\x9B").to_string() ==
        "rm -rf ~ [2K ls; look ");
}

TEST_CASE("result: SLIPWAY_TRY and SLIPWAY_CHECK pass the first error on") {
  const auto half = [](int n) -> Result<int> {
    if (n % 2 != 0) return Error::invalid_input("odd");
    return n / 2;
  };
  const auto quarter = [&](int n) -> Result<int> {
    SLIPWAY_TRY(once, half(n));
    SLIPWAY_CHECK(n > 100 ? Status(Error::exhausted("big")) : Status());
    SLIPWAY_TRY(twice, half(once));
    return twice;
  };
  CHECK(*quarter(8) == 2);
  CHECK(quarter(6).error().message() == "odd");
  CHECK(quarter(104).error().code() == ErrorCode::exhausted);
}
