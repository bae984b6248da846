#include "base/error.h"

#include <iterator>
#include <utility>

#include "base/text.h"

namespace slipway {
namespace {

struct CodeRow {
  std::string_view name;
  int exit_code;
  int http_status;
  std::string_view mlflow;
};

const CodeRow& row(ErrorCode code) {
  static constexpr CodeRow rows[] = {  // in the order of ErrorCode
      {"invalid_input", 2, 400, "INVALID_PARAMETER_VALUE"},
      {"not_found", 3, 404, "RESOURCE_DOES_NOT_EXIST"},
      {"already_exists", 2, 409, "RESOURCE_ALREADY_EXISTS"},
      {"permission_denied", 4, 403, "PERMISSION_DENIED"},
      {"unavailable", 5, 503, "TEMPORARILY_UNAVAILABLE"},
      {"timeout", 5, 504, "TEMPORARILY_UNAVAILABLE"},
      {"cancelled", 130, 499, "CANCELLED"},
      {"corrupt", 6, 500, "DATA_LOSS"},
      {"exhausted", 7, 413, "REQUEST_LIMIT_EXCEEDED"},
      {"unsupported", 2, 501, "NOT_IMPLEMENTED"},
      {"internal", 70, 500, "INTERNAL_ERROR"},
  };
  static_assert(std::size(rows) == static_cast<size_t>(ErrorCode::internal) + 1);
  return rows[static_cast<size_t>(code)];
}

}  // namespace

Error::Error(ErrorCode code, std::string message, std::string hint)
    : code_(code), message_(std::move(message)), hint_(std::move(hint)) {}

Error Error::invalid_input(std::string message, std::string hint) {
  return {ErrorCode::invalid_input, std::move(message), std::move(hint)};
}
Error Error::not_found(std::string message, std::string hint) {
  return {ErrorCode::not_found, std::move(message), std::move(hint)};
}
Error Error::already_exists(std::string message, std::string hint) {
  return {ErrorCode::already_exists, std::move(message), std::move(hint)};
}
Error Error::permission_denied(std::string message, std::string hint) {
  return {ErrorCode::permission_denied, std::move(message), std::move(hint)};
}
Error Error::unavailable(std::string message, std::string hint) {
  return {ErrorCode::unavailable, std::move(message), std::move(hint)};
}
Error Error::timeout(std::string message, std::string hint) {
  return {ErrorCode::timeout, std::move(message), std::move(hint)};
}
Error Error::cancelled(std::string message) { return {ErrorCode::cancelled, std::move(message)}; }
Error Error::corrupt(std::string message, std::string hint) {
  return {ErrorCode::corrupt, std::move(message), std::move(hint)};
}
Error Error::exhausted(std::string message, std::string hint) {
  return {ErrorCode::exhausted, std::move(message), std::move(hint)};
}
Error Error::unsupported(std::string message, std::string hint) {
  return {ErrorCode::unsupported, std::move(message), std::move(hint)};
}
Error Error::internal(std::string message) {
  return {ErrorCode::internal, std::move(message), "this is a defect of slipway; please report it"};
}

Error Error::in(std::string_view where) const {
  return {code_, std::string(where) + ": " + message_, hint_};
}

std::string Error::to_string() const {
  return printable_line(hint_.empty() ? message_ : message_ + "; " + hint_);
}

std::string_view code_name(ErrorCode code) { return row(code).name; }
int exit_code(ErrorCode code) { return row(code).exit_code; }
int http_status(ErrorCode code) { return row(code).http_status; }
std::string_view mlflow_error_code(ErrorCode code) { return row(code).mlflow; }

}  // namespace slipway
