#pragma once

// Errors are values. Whatever a file, a guest or a peer can cause comes back as a `Result`, never
// as an exception. There are two ways out of a Result: `if (!r) ... r.error()`, and `r.value()`,
// which throws when there is none.

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace tenon {

// Why something was refused or failed. A code says which of a caller's next steps make sense; the
// message says everything else.
enum class ErrorCode : uint8_t {
  MALFORMED,         // bytes or text that do not parse; `Error::offset` says where
  INVALID,           // parses, but breaks a rule of the specification
  UNSUPPORTED,       // a feature, named in the message, that this version refuses
  NOT_FOUND,         // a file, a component that is not there
  MISSING_EXPORT,    // the component has no such export; `Error::details` lists what there is
  AMBIGUOUS,         // a short name that several things have
  TYPE_MISMATCH,     // a value or function of another type than asked for
  MISSING_IMPORT,    // nothing provides an import
  INVALID_ARGUMENT,  // a call's argument is off
  LIMIT_EXCEEDED,    // memory, instances, sizes: a limit, named in the message
  IO,                // reading or writing failed
  PERMISSION,        // not granted
  TRAPPED,           // the guest trapped
  DEADLINE,          // the guest's time is up
  EXITED,            // the guest asked to exit; see `Error::exitCode`
  CANCELLED,         // the call was dropped
  UNUSABLE,          // the instance trapped or exited earlier and runs nothing more
  INTERNAL,          // a bug of Tenon's
};

// The lower-case name of a code, for example "type mismatch".
const char* toString(ErrorCode code);

// One failure. A plain value.
struct Error {
  ErrorCode code = ErrorCode::INTERNAL;
  std::string message;             // one line, no code, no trailing full stop
  std::optional<uint64_t> offset;  // bytes from the start of the input, where there is one
  std::optional<int> exitCode;     // EXITED only
  std::string details;             // further lines: a guest's backtrace, candidates; may be empty

  Error() = default;
  Error(ErrorCode code, std::string message) : code(code), message(std::move(message)) {}
  Error(ErrorCode code, std::string message, uint64_t offset)
      : code(code), message(std::move(message)), offset(offset) {}

  // "message (at byte N)", or just the message if there is no offset or the message ends with it.
  std::string text() const;
};

// What `Result::value()` throws when there is no value.
class ResultError : public std::runtime_error {
 public:
  explicit ResultError(Error error) : std::runtime_error(error.text()), error_(std::move(error)) {}
  const Error& error() const { return error_; }

 private:
  Error error_;
};

namespace detail {
// Throws a ResultError. In the library, so that programs without exceptions can include this: there
// it ends the process.
[[noreturn]] void throwError(const Error& error);
}  // namespace detail

// A `T` or an `Error`.
template <typename T = void>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  bool ok() const { return state_.index() == 0; }

  // Throws ResultError when there is no value. A program that is built without exceptions ends
  // then.
  T& value() & {
    if (!ok()) detail::throwError(error());
    return std::get<0>(state_);
  }
  const T& value() const& {
    if (!ok()) detail::throwError(error());
    return std::get<0>(state_);
  }
  T&& value() && {
    if (!ok()) detail::throwError(error());
    return std::get<0>(std::move(state_));
  }

  // Only after a check: no value is undefined behaviour.
  T& operator*() & { return *std::get_if<0>(&state_); }
  const T& operator*() const& { return *std::get_if<0>(&state_); }
  T&& operator*() && { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }

  // Only when there is no value.
  Error& error() & { return *std::get_if<1>(&state_); }
  const Error& error() const& { return *std::get_if<1>(&state_); }
  Error&& error() && { return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  explicit operator bool() const { return !error_; }
  bool ok() const { return !error_; }
  void value() const {
    if (error_) detail::throwError(*error_);
  }
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace tenon

#define TENON_CONCAT_INNER(a, b) a##b
#define TENON_CONCAT(a, b) TENON_CONCAT_INNER(a, b)

// TENON_TRY(auto x, f()): declares x as the value of f(), or returns f()'s error from this
// function.
#define TENON_TRY(declaration, expression) \
  TENON_TRY_IMPL(TENON_CONCAT(tenonResult, __LINE__), declaration, expression)
#define TENON_TRY_IMPL(result, declaration, expression) \
  auto result = (expression);                           \
  if (!result.ok()) return std::move(result).error();   \
  declaration = *std::move(result)

// TENON_CHECK(f()): the same for a Result<void>.
#define TENON_CHECK(expression)                                                                    \
  do {                                                                                             \
    if (auto tenonResult = (expression); !tenonResult.ok()) return std::move(tenonResult).error(); \
  } while (false)
