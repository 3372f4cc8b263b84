#include <tenon/result.h>

#include <cstdint>
#include <string>

namespace tenon {

const char* toString(ErrorCode code) {
  switch (code) {
    case ErrorCode::MALFORMED:
      return "malformed";
    case ErrorCode::INVALID:
      return "invalid";
    case ErrorCode::UNSUPPORTED:
      return "unsupported";
    case ErrorCode::NOT_FOUND:
      return "not found";
    case ErrorCode::MISSING_EXPORT:
      return "missing export";
    case ErrorCode::AMBIGUOUS:
      return "ambiguous";
    case ErrorCode::TYPE_MISMATCH:
      return "type mismatch";
    case ErrorCode::MISSING_IMPORT:
      return "missing import";
    case ErrorCode::INVALID_ARGUMENT:
      return "invalid argument";
    case ErrorCode::LIMIT_EXCEEDED:
      return "limit exceeded";
    case ErrorCode::IO:
      return "input or output failed";
    case ErrorCode::PERMISSION:
      return "permission denied";
    case ErrorCode::TRAPPED:
      return "trapped";
    case ErrorCode::DEADLINE:
      return "deadline passed";
    case ErrorCode::EXITED:
      return "exited";
    case ErrorCode::CANCELLED:
      return "cancelled";
    case ErrorCode::UNUSABLE:
      return "unusable";
    case ErrorCode::INTERNAL:
      return "internal error";
  }
  return "unknown error";
}

std::string Error::text() const {
  if (!offset) return message;
  std::string place = "at byte " + std::to_string(*offset);
  if (message.ends_with(place)) return message;
  return message + " (" + place + ")";
}

void detail::throwError(const Error& error) { throw ResultError(error); }

}  // namespace tenon
