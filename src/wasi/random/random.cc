#include "wasi/random/random.h"

#include "wasi/binder.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

namespace tenon::wasi {
namespace {

// Bytes in one call. The WIT text wants all that were asked for, and making them holds the loop:
// 16 MiB take some 40 ms.
constexpr uint64_t MAX_BYTES = 16 * 1024 * 1024;

// Fills all of `into`, or fails the call.
void fill(call::HostCall& call, std::span<std::byte> into) {
  while (!into.empty()) {
    ssize_t count = ::getrandom(into.data(), into.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      call.fail("the system gives no random numbers");
      return;
    }
    into = into.subspan(static_cast<size_t>(count));
  }
}

std::vector<std::byte> getRandomBytes(call::HostCall& call, uint64_t length) {
  if (length > MAX_BYTES) {
    call.fail("more than 16 MiB of random bytes were asked for in one call");
    return {};
  }
  std::vector<std::byte> bytes(length);
  fill(call, bytes);
  return bytes;
}

uint64_t getRandomU64(call::HostCall& call) {
  uint64_t value = 0;
  fill(call, std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

// The same at each call of an instance: what it is for, hashing, needs one value.
std::tuple<uint64_t, uint64_t> insecureSeed(call::HostCall& call) {
  std::array<uint64_t, 2>& seed = call.objects.insecureSeeds[call.part];
  if (seed == std::array<uint64_t, 2>{}) seed = {getRandomU64(call), getRandomU64(call)};
  return {seed[0], seed[1]};
}

}  // namespace

void provideRandom(call::Registry& registry) {
  Binder(registry, "wasi:random/random@0.2.12")
      .function<getRandomBytes>("get-random-bytes")
      .function<getRandomU64>("get-random-u64");
  Binder(registry, "wasi:random/insecure@0.2.12")
      .function<getRandomBytes>("get-insecure-random-bytes")
      .function<getRandomU64>("get-insecure-random-u64");
  Binder(registry, "wasi:random/insecure-seed@0.2.12").function<insecureSeed>("insecure-seed");
}

}  // namespace tenon::wasi
