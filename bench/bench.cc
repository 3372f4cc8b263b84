#include "bench.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>

namespace tenon::bench {
namespace {

using Clock = std::chrono::steady_clock;

double secondsOf(const std::function<void(uint64_t)>& side, uint64_t count) {
  auto begin = Clock::now();
  side(count);
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Short enough to fit between two interruptions on a machine that is not idle, long enough for what
// a guest prepares before its loop not to matter.
constexpr double ROUND_SECONDS = 0.005;

double profileSeconds = 0;

// How many operations take about one round.
uint64_t calibrate(const std::function<void(uint64_t)>& side) {
  uint64_t count = 1;
  while (true) {
    // An interruption must not pass for work.
    double seconds = secondsOf(side, count);
    for (int again = 0; again < 4 && seconds > ROUND_SECONDS && seconds < 20 * ROUND_SECONDS;
         ++again) {
      seconds = std::min(seconds, secondsOf(side, count));
    }
    if (seconds > ROUND_SECONDS || count > (uint64_t{1} << 40)) return count;
    count =
        seconds < ROUND_SECONDS / 10
            ? count * 8
            : static_cast<uint64_t>(static_cast<double>(count) * ROUND_SECONDS * 1.1 / seconds) + 1;
  }
}

}  // namespace

void profileFor(double seconds) { profileSeconds = seconds; }

std::vector<double> bestOf(const std::vector<std::function<void(uint64_t count)>>& sides) {
  if (profileSeconds > 0) {
    uint64_t count = calibrate(sides[0]);
    double best = std::numeric_limits<double>::max();
    for (double spent = 0; spent < profileSeconds;) {
      double seconds = secondsOf(sides[0], count);
      best = std::min(best, seconds * 1e9 / static_cast<double>(count));
      spent += seconds;
    }
    return std::vector<double>(sides.size(), best);
  }
  constexpr int LEAST_ROUNDS = 15, MOST_ROUNDS = 100;
  constexpr double ENOUGH_SECONDS = 0.5;  // for each side
  std::vector<uint64_t> counts;
  for (const auto& side : sides) counts.push_back(calibrate(side));
  std::vector<double> best(sides.size(), std::numeric_limits<double>::max());
  auto begin = Clock::now();
  double enough = ENOUGH_SECONDS * static_cast<double>(sides.size());
  for (int round = 0; round < MOST_ROUNDS; ++round) {
    double spent = std::chrono::duration<double>(Clock::now() - begin).count();
    if (round >= LEAST_ROUNDS && spent > enough) break;
    for (size_t i = 0; i < sides.size(); ++i) {
      double nanoseconds = secondsOf(sides[i], counts[i]) * 1e9 / static_cast<double>(counts[i]);
      best[i] = std::min(best[i], nanoseconds);
    }
  }
  return best;
}

double bestOf(const std::function<void(uint64_t count)>& side) {
  return bestOf(std::vector<std::function<void(uint64_t)>>{side})[0];
}

double copyTime(size_t bytes) {
  std::vector<char> from(bytes, 1);
  std::vector<char> to(bytes);
  return bestOf([&](uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      std::memcpy(to.data(), from.data(), bytes);
      asm volatile("" : : "r"(to.data()) : "memory");
    }
  });
}

std::string guestPath(std::string_view name) {
  return std::string(TENON_GUESTS_DIR) + "/" + std::string(name) + ".wasm";
}

std::vector<std::byte> guestBytes(std::string_view name) {
  std::string path = guestPath(name);
  std::ifstream in(path, std::ios::binary);
  if (!in) fail("cannot read " + path + ": run tests/guests/build --for bench");
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::vector<std::byte> bytes(text.size());
  std::ranges::transform(text, bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

void fail(const std::string& what) {
  std::fprintf(stderr, "bench: %s\n", what.c_str());
  std::exit(1);
}

}  // namespace tenon::bench
