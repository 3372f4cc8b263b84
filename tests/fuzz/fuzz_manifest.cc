// The manifest: no text crashes the parser, and every error has a message.

#include "link/manifest.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto parsed = tenon::link::parseManifest(tenon::fuzzing::Input(data, size).text(), "tenon.toml");
  if (!parsed && parsed.error().message.empty()) tenon::fuzzing::fail("an error without message");
  return 0;
}
