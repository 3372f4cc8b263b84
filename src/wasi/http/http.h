#pragma once

// The functions of package wasi:http: types, outgoing-handler. What exports incoming-handler is
// called by the server (src/host/server).

#include "call/registry.h"

namespace tenon::wasi {

// What of wasi:http a component may do, beside answering; see http/client.h.
namespace http {
class Client;
}  // namespace http

void provideHttp(call::Registry& registry);

}  // namespace tenon::wasi
