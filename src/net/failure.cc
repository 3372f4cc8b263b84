#include "net/failure.h"

#include <string_view>
#include <utility>

namespace tenon::net {

Failure failureOf(const kj::Exception& exception) {
  // The first that is in it counts.
  static constexpr std::pair<std::string_view, Failure> TEXTS[] = {
      {"not trusted", Failure::NOT_TRUSTED},   {"certificate", Failure::CERTIFICATE},
      {"refused", Failure::REFUSED},           {"timed out", Failure::TIMED_OUT},
      {"route to host", Failure::UNREACHABLE}, {"unreachable", Failure::UNREACHABLE},
  };
  std::string_view description = exception.getDescription().cStr();
  for (const auto& [text, failure] : TEXTS) {
    if (description.find(text) != std::string_view::npos) return failure;
  }
  return Failure::OTHER;
}

}  // namespace tenon::net
