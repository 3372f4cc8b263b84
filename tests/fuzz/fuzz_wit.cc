// The printers of WIT, as text and JSON: safe for whatever decodes, valid or not.

#include "component/binary/binary_testing.h"
#include "component/wit/wit.h"

#include <cstdint>
#include <span>

using namespace tenon;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto decoded =
      component::decode(std::as_bytes(std::span(data, size)), component::testing::EVERY_FEATURE);
  if (!decoded) return 0;
  (void)component::printWit(**decoded);
  (void)component::printWitJson(**decoded);
  return 0;
}
