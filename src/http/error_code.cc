#include "http/error_code.h"

#include <array>
#include <string_view>

namespace tenon::http {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<ErrorCode>> NAMES = {
    "DNS-timeout",
    "DNS-error",
    "destination-not-found",
    "destination-unavailable",
    "destination-IP-prohibited",
    "destination-IP-unroutable",
    "connection-refused",
    "connection-terminated",
    "connection-timeout",
    "connection-read-timeout",
    "connection-write-timeout",
    "connection-limit-reached",
    "TLS-protocol-error",
    "TLS-certificate-error",
    "TLS-alert-received",
    "HTTP-request-denied",
    "HTTP-request-length-required",
    "HTTP-request-body-size",
    "HTTP-request-method-invalid",
    "HTTP-request-URI-invalid",
    "HTTP-request-URI-too-long",
    "HTTP-request-header-section-size",
    "HTTP-request-header-size",
    "HTTP-request-trailer-section-size",
    "HTTP-request-trailer-size",
    "HTTP-response-incomplete",
    "HTTP-response-header-section-size",
    "HTTP-response-header-size",
    "HTTP-response-body-size",
    "HTTP-response-trailer-section-size",
    "HTTP-response-trailer-size",
    "HTTP-response-transfer-coding",
    "HTTP-response-content-coding",
    "HTTP-response-timeout",
    "HTTP-upgrade-failed",
    "HTTP-protocol-error",
    "loop-detected",
    "configuration-error",
    "internal-error",
};

struct Payload {
  std::string operator()(const None&) const { return ""; }
  std::string operator()(const DnsErrorPayload& payload) const {
    return payload.rcode.value_or("");
  }
  std::string operator()(const TlsAlertPayload& payload) const {
    return payload.alertMessage.value_or("");
  }
  std::string operator()(const FieldSizePayload& payload) const {
    return payload.fieldName.value_or("");
  }
  std::string operator()(const std::optional<FieldSizePayload>& payload) const {
    return payload ? (*this)(*payload) : "";
  }
  std::string operator()(const MaybeU32& payload) const {
    return payload ? std::to_string(*payload) : "";
  }
  std::string operator()(const MaybeU64& payload) const {
    return payload ? std::to_string(*payload) : "";
  }
  std::string operator()(const MaybeText& payload) const { return payload.value_or(""); }
};

struct Shorten {
  static void cut(std::string& text) {
    constexpr size_t MOST = 1024;
    if (text.size() <= MOST) return;
    size_t end = MOST;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text = text.substr(0, end) + "...";
  }
  static void cut(std::optional<std::string>& text) {
    if (text) cut(*text);
  }
  void operator()(DnsErrorPayload& payload) const { cut(payload.rcode); }
  void operator()(TlsAlertPayload& payload) const { cut(payload.alertMessage); }
  void operator()(FieldSizePayload& payload) const { cut(payload.fieldName); }
  void operator()(std::optional<FieldSizePayload>& payload) const {
    if (payload) cut(payload->fieldName);
  }
  void operator()(MaybeText& payload) const { cut(payload); }
  void operator()(auto&) const {}  // no text
};

}  // namespace

void shorten(ErrorCode& code) { std::visit(Shorten(), code); }

std::string toText(const ErrorCode& code) {
  std::string text(NAMES[code.index()]);
  std::string payload = std::visit(Payload(), code);
  return payload.empty() ? text : text + ": " + payload;
}

}  // namespace tenon::http
