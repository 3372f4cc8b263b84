#pragma once

// The functions of package wasi:http: types, outgoing-handler. What exports incoming-handler is
// called by the server (src/host/server).

#include "call/registry.h"

namespace tenon::wasi {

void provideHttp(call::Registry& registry);

}  // namespace tenon::wasi
