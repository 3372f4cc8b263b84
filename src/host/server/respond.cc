#include "host/server/respond.h"

#include <ctime>
#include <iterator>

namespace tenon::host {

using http::appendLength;
using http::BodyMode;
using http::ErrorKind;

namespace {

void appendEnd(std::string& out, const ResponseContext& context) {
  out += context.date;
  if (!context.keepAlive) {
    out += "Connection: close\r\n";
  } else if (context.minorVersion == 0) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
}

}  // namespace

BodyMode writeHead(std::string& out, const http::Answer& answer, ResponseContext& context) {
  http::appendStatusLine(out, answer.status);
  bool hasDate = http::findField(*answer.fields, "date") != nullptr;
  // What the body is held to; another one would let the guest end the message where it likes.
  auto declared = http::declaredLength(*answer.fields);
  if (answer.status == 204) declared = std::nullopt;
  http::appendFields(out, *answer.fields, declared);
  bool known = !answer.body || (answer.body->finished() && !answer.body->trailers());
  uint64_t length = answer.body ? answer.body->written() : 0;
  bool bodiless = answer.status == 204 || answer.status == 304;
  BodyMode mode = BodyMode::PLAIN;
  if (context.toHead || bodiless) {
    mode = BodyMode::NONE;
    if (!bodiless && !declared && known && answer.body) appendLength(out, length);
  } else if (declared) {
    // Framed by the guest's own.
  } else if (known) {
    appendLength(out, length);
  } else if (context.minorVersion == 1) {
    mode = BodyMode::CHUNKED;
    out += "Transfer-Encoding: chunked\r\n";
  } else {
    context.keepAlive = false;
  }
  if (hasDate) context.date = {};
  appendEnd(out, context);
  return mode;
}

std::string shortResponse(uint16_t status, std::string_view text, ResponseContext& context,
                          uint32_t retryAfter) {
  std::string out;
  http::appendStatusLine(out, status);
  out += "Content-Type: text/plain; charset=utf-8\r\n";
  if (retryAfter != 0) out += "Retry-After: " + std::to_string(retryAfter) + "\r\n";
  appendLength(out, text.size());
  appendEnd(out, context);
  if (!context.toHead) out += text;
  return out;
}

uint16_t statusOf(const http::ErrorCode& code) {
  switch (kindOf(code)) {
    case ErrorKind::DNS_TIMEOUT:
    case ErrorKind::CONNECTION_TIMEOUT:
    case ErrorKind::CONNECTION_READ_TIMEOUT:
    case ErrorKind::CONNECTION_WRITE_TIMEOUT:
    case ErrorKind::HTTP_RESPONSE_TIMEOUT:
      return 504;
    case ErrorKind::CONNECTION_LIMIT_REACHED:
      return 503;
    case ErrorKind::HTTP_REQUEST_DENIED:
    case ErrorKind::DESTINATION_IP_PROHIBITED:
      return 403;
    case ErrorKind::HTTP_REQUEST_LENGTH_REQUIRED:
      return 411;
    case ErrorKind::HTTP_REQUEST_BODY_SIZE:
      return 413;
    case ErrorKind::HTTP_REQUEST_METHOD_INVALID:
      return 501;  // a 405 would have to say which ones are allowed
    case ErrorKind::HTTP_REQUEST_URI_INVALID:
      return 400;
    case ErrorKind::HTTP_REQUEST_URI_TOO_LONG:
      return 414;
    case ErrorKind::HTTP_REQUEST_HEADER_SECTION_SIZE:
    case ErrorKind::HTTP_REQUEST_HEADER_SIZE:
    case ErrorKind::HTTP_REQUEST_TRAILER_SECTION_SIZE:
    case ErrorKind::HTTP_REQUEST_TRAILER_SIZE:
      return 431;
    case ErrorKind::LOOP_DETECTED:
      return 508;
    case ErrorKind::CONFIGURATION_ERROR:
    case ErrorKind::INTERNAL_ERROR:
      return 500;
    default:
      return 502;
  }
}

std::string httpDate(int64_t secondsSince1970) {
  static constexpr const char* DAYS[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* MONTHS[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  auto seconds = static_cast<time_t>(secondsSince1970);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  size_t size = std::strftime(text, sizeof(text), "xxx, %d yyy %Y %H:%M:%S GMT", &parts);
  std::string date(text, size);
  date.replace(0, 3, DAYS[parts.tm_wday]);
  date.replace(8, 3, MONTHS[parts.tm_mon]);
  return date;
}

}  // namespace tenon::host
