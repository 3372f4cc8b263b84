// The manifest: no text crashes the parser, and every error has a message.

#include "link/manifest.h"
#include "tests/fuzz/input.h"

#include <optional>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto findVariable = [](const std::string& name) -> std::optional<std::string> {
    if (name.size() > 2) return std::nullopt;
    return "value";
  };
  auto parsed = tenon::link::parseManifest(tenon::fuzzing::Input(data, size).text(), "tenon.toml",
                                           findVariable);
  if (!parsed && parsed.error().message.empty()) tenon::fuzzing::fail("an error without message");
  return 0;
}
