#pragma once

// What tests of streams share: a loop whose time moves by hand, and bytes as text.

#include <kj/async.h>
#include <kj/timer.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::net {

// A loop without I/O.
struct TimedLoop {
  TimedLoop() = default;
  ~TimedLoop() noexcept {}

  kj::EventLoop loop;
  kj::WaitScope waitScope{loop};
  kj::TimerImpl timer{kj::origin<kj::TimePoint>() + 1000 * kj::SECONDS};
};

inline std::string textOf(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::vector<std::byte> bytesOf(std::string_view text) {
  auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

}  // namespace tenon::net
