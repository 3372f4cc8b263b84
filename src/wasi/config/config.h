#pragma once

#include "call/registry.h"

namespace tenon::wasi {

// wasi:config/store: the configuration of the calling component, as its deployer wrote it. Source:
// the WIT text of wasi:config 0.2.0-rc.1.
void provideConfig(call::Registry& registry);

}  // namespace tenon::wasi
