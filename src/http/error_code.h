#pragma once

// Why an exchange failed: the cases of `error-code` of wasi:http/types, which name what can go
// wrong in HTTP. And the error of a body's stream that carries one. Plain values.

#include "net/error.h"

#include <tenon/expected.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace tenon::http {

struct DnsErrorPayload {
  std::optional<std::string> rcode;
  std::optional<uint16_t> infoCode;
};
struct TlsAlertPayload {
  std::optional<uint8_t> alertId;
  std::optional<std::string> alertMessage;
};
struct FieldSizePayload {
  std::optional<std::string> fieldName;
  std::optional<uint32_t> fieldSize;
};

// In WIT's order: a case's number is its index in ErrorCode.
enum class ErrorKind : uint8_t {
  DNS_TIMEOUT,
  DNS_ERROR,
  DESTINATION_NOT_FOUND,
  DESTINATION_UNAVAILABLE,
  DESTINATION_IP_PROHIBITED,
  DESTINATION_IP_UNROUTABLE,
  CONNECTION_REFUSED,
  CONNECTION_TERMINATED,
  CONNECTION_TIMEOUT,
  CONNECTION_READ_TIMEOUT,
  CONNECTION_WRITE_TIMEOUT,
  CONNECTION_LIMIT_REACHED,
  TLS_PROTOCOL_ERROR,
  TLS_CERTIFICATE_ERROR,
  TLS_ALERT_RECEIVED,
  HTTP_REQUEST_DENIED,
  HTTP_REQUEST_LENGTH_REQUIRED,
  HTTP_REQUEST_BODY_SIZE,
  HTTP_REQUEST_METHOD_INVALID,
  HTTP_REQUEST_URI_INVALID,
  HTTP_REQUEST_URI_TOO_LONG,
  HTTP_REQUEST_HEADER_SECTION_SIZE,
  HTTP_REQUEST_HEADER_SIZE,
  HTTP_REQUEST_TRAILER_SECTION_SIZE,
  HTTP_REQUEST_TRAILER_SIZE,
  HTTP_RESPONSE_INCOMPLETE,
  HTTP_RESPONSE_HEADER_SECTION_SIZE,
  HTTP_RESPONSE_HEADER_SIZE,
  HTTP_RESPONSE_BODY_SIZE,
  HTTP_RESPONSE_TRAILER_SECTION_SIZE,
  HTTP_RESPONSE_TRAILER_SIZE,
  HTTP_RESPONSE_TRANSFER_CODING,
  HTTP_RESPONSE_CONTENT_CODING,
  HTTP_RESPONSE_TIMEOUT,
  HTTP_UPGRADE_FAILED,
  HTTP_PROTOCOL_ERROR,
  LOOP_DETECTED,
  CONFIGURATION_ERROR,
  INTERNAL_ERROR,
};

using None = std::monostate;
using MaybeU32 = std::optional<uint32_t>;
using MaybeU64 = std::optional<uint64_t>;
using MaybeText = std::optional<std::string>;
using ErrorCode =
    std::variant<None, DnsErrorPayload, None, None, None, None, None, None, None, None, None, None,
                 None, None, TlsAlertPayload, None, None, MaybeU64, None, None, None, MaybeU32,
                 std::optional<FieldSizePayload>, MaybeU32, FieldSizePayload, None, MaybeU32,
                 FieldSizePayload, MaybeU64, MaybeU32, FieldSizePayload, MaybeText, MaybeText, None,
                 None, None, None, None, MaybeText>;

// makeError<ErrorKind::INTERNAL_ERROR>("why")
template <ErrorKind KIND, typename... Payload>
ErrorCode makeError(Payload&&... payload) {
  return ErrorCode(std::in_place_index<static_cast<size_t>(KIND)>,
                   std::forward<Payload>(payload)...);
}
inline ErrorKind kindOf(const ErrorCode& code) { return static_cast<ErrorKind>(code.index()); }

// Cuts texts in it to 1 KiB: guests make them, and somebody keeps them.
void shorten(ErrorCode& code);

// For people and logs: "connection-refused", "internal-error: why".
std::string toText(const ErrorCode& code);

// What a body's stream fails with; `http-error-code` finds the code again.
class HttpError final : public net::IoError {
 public:
  explicit HttpError(ErrorCode code) : net::IoError(toText(code)), code(std::move(code)) {}
  const ErrorCode code;
};

inline Unexpected<net::StreamFault> httpFault(ErrorCode code) {
  return {net::StreamFault{std::make_unique<HttpError>(std::move(code))}};
}

}  // namespace tenon::http
