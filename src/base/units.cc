#include "base/suggest.h"

#include <tenon/units.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <span>
#include <string>

namespace tenon {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

// A non-negative decimal number and a unit out of `units`; nullopt if it is anything else.
std::optional<double> parseWithUnit(std::string_view text, std::span<const Unit> units) {
  double number = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  for (const Unit& candidate : units) {
    if (candidate.name == unit) return number * candidate.factor;
  }
  return std::nullopt;
}

}  // namespace

Result<std::chrono::nanoseconds> parseDuration(std::string_view text) {
  constexpr Unit UNITS[] = {{"", 1e9},  {"ns", 1},   {"us", 1e3},  {"ms", 1e6},
                            {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
  auto nanoseconds = parseWithUnit(text, UNITS);
  if (!nanoseconds || *nanoseconds > 9e18) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 "'" + base::shown(text) +
                     "' is not a duration: write 500ms, 10s, 5m, 1h, or a number of seconds");
  }
  return std::chrono::nanoseconds(static_cast<int64_t>(*nanoseconds));
}

Result<uint64_t> parseSize(std::string_view text) {
  constexpr double K = 1024;
  constexpr double M = K * K;
  constexpr double G = K * K * K;
  constexpr Unit UNITS[] = {{"", 1},  {"B", 1},   {"K", K}, {"k", K}, {"KiB", K}, {"M", M},
                            {"m", M}, {"MiB", M}, {"G", G}, {"g", G}, {"GiB", G}};
  auto bytes = parseWithUnit(text, UNITS);
  if (!bytes || *bytes > 1e18) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 "'" + base::shown(text) + "' is not a size: write 4096, 64K, 16M or 1G");
  }
  return static_cast<uint64_t>(*bytes);
}

}  // namespace tenon
