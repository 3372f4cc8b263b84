#pragma once

#include "call/registry.h"

namespace tenon::wasi {

// The functions of package wasi:random: random, insecure, insecure-seed. All of them give the
// kernel's random numbers.
void provideRandom(call::Registry& registry);

}  // namespace tenon::wasi
