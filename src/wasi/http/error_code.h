#pragma once

// `error-code` of wasi:http/types, as the binder needs it.

#include "call/host_call.h"
#include "http/error_code.h"
#include "wasi/error_of.h"

#include <tenon/typed.h>

#include <string>
#include <utility>

namespace tenon::wasi {

// The error of a function in which a library threw.
inline tenon::http::ErrorCode errorOf(call::HostCall&, std::string text,
                                      ErrorOf<tenon::http::ErrorCode>) {
  using namespace tenon::http;
  return makeError<ErrorKind::INTERNAL_ERROR>(MaybeText(std::move(text)));
}

}  // namespace tenon::wasi

TENON_RECORD(tenon::http::DnsErrorPayload, rcode, infoCode)
TENON_RECORD(tenon::http::TlsAlertPayload, alertId, alertMessage)
TENON_RECORD(tenon::http::FieldSizePayload, fieldName, fieldSize)
