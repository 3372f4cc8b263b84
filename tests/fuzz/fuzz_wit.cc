// The printers of WIT, as text and JSON: safe for whatever decodes, valid or not.

#include "component/binary/decoder.h"
#include "component/wit/wit.h"

#include <cstdint>
#include <span>

using namespace tenon;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  component::Features all{.values = true,
                          .fixedLists = true,
                          .maps = true,
                          .threads = true,
                          .errorContext = true,
                          .getters = true,
                          .memory64 = true,
                          .stackful = true,
                          .moreAsync = true,
                          .forward = true,
                          .canonicalNames = true};
  auto decoded = component::decode(std::as_bytes(std::span(data, size)), all);
  if (!decoded) return 0;
  (void)component::printWit(**decoded);
  (void)component::printWitJson(**decoded);
  return 0;
}
