// What went wrong, in one line a person can act on, with one code that maps to every protocol we
// speak.
//
//     return Error::not_found("no dataset 'tset'",
//                             "did you mean 'test'? `slipway data` lists them");
//
// Immutable after construction apart from `context`; safe to copy between threads.
#pragma once

#include <string>
#include <string_view>

namespace slipway {

enum class ErrorCode {
  invalid_input,      // the caller's data or words are wrong; the same call will fail again
  not_found,          // the thing named does not exist
  already_exists,     // a thing of that name does
  permission_denied,  // policy forbids it
  unavailable,        // a peer or file system did not do its part; may work later
  timeout,            // a deadline passed
  cancelled,          // the user or caller asked to stop
  corrupt,            // stored bytes do not match their hash or format
  exhausted,          // a stated limit (size, depth, steps, memory, disk) was reached
  unsupported,        // known, and refused by name
  internal,           // our own defect
};

class Error {
 public:
  Error(ErrorCode code, std::string message, std::string hint = {});

  static Error invalid_input(std::string message, std::string hint = {});
  static Error not_found(std::string message, std::string hint = {});
  static Error already_exists(std::string message, std::string hint = {});
  static Error permission_denied(std::string message, std::string hint = {});
  static Error unavailable(std::string message, std::string hint = {});
  static Error timeout(std::string message, std::string hint = {});
  static Error cancelled(std::string message = "cancelled");
  static Error corrupt(std::string message, std::string hint = {});
  static Error exhausted(std::string message, std::string hint = {});
  static Error unsupported(std::string message, std::string hint = {});
  static Error internal(std::string message);

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }  // what to do next; may be empty

  // Prefixes the message: "skills/weather.json: " + message.
  Error in(std::string_view where) const;
  // "message; hint" on one line that a terminal only shows.
  std::string to_string() const;

 private:
  ErrorCode code_;
  std::string message_;
  std::string hint_;
};

std::string_view code_name(ErrorCode code);          // "not_found"
int exit_code(ErrorCode code);                       // docs/format/cli.md lists them
int http_status(ErrorCode code);                     // 404
std::string_view mlflow_error_code(ErrorCode code);  // "RESOURCE_DOES_NOT_EXIST"

}  // namespace slipway
