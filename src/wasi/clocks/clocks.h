#pragma once

#include "call/registry.h"

#include <tenon/typed.h>

#include <kj/time.h>

#include <cstdint>

namespace tenon::wasi {

// wasi:clocks/wall-clock `datetime`: since 1970-01-01T00:00:00Z.
struct Datetime {
  uint64_t seconds = 0;
  uint32_t nanoseconds = 0;
  bool operator==(const Datetime&) const = default;
};

// The functions of package wasi:clocks: monotonic-clock, wall-clock.
void provideClocks(call::Registry& registry);

}  // namespace tenon::wasi

TENON_RECORD(tenon::wasi::Datetime, seconds, nanoseconds)
