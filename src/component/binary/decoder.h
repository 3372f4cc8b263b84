#pragma once

// Bytes to definitions. Reads the whole binary format of the specification, the asynchronous parts
// included. Features that the specification still gates and Tenon does not have are refused by
// name.

#include "component/binary/definitions.h"

#include <tenon/result.h>

#include <cstddef>
#include <memory>
#include <span>

namespace tenon::component {

// What a file that begins with the wasm magic is.
enum class Layer : uint8_t { CORE_MODULE, COMPONENT };

// Which gated features (Explainer.md "Gated Features") are let through. The default is what Tenon
// runs. What is turned on here is decoded; later stages may still refuse it.
struct Features {
  bool values = false;      // value imports, definitions and start
  bool fixedLists = false;  // list<T, N>
  bool maps = false;
  bool threads = false;  // thread.* built-ins
  bool errorContext = false;
  bool attributes = true;  // implements, external-id
  bool getters = false;    // [get], [set]
  bool memory64 = false;   // 64-bit memories, tables and representations in canonical definitions
  bool stackful = false;   // asynchronous lift without a callback
  bool moreAsync = false;  // synchronous stream and future copies, asynchronous cancellation
  bool forward = false;    // stream.forward, future.forward
  bool canonicalNames = false;  // the version suffix of a name
};

struct DecodeLimits {
  uint64_t maxBytes = uint64_t{1} << 30;
  uint32_t maxNesting = 100;           // components and types inside one another
  uint32_t maxItems = 1'000'000;       // definitions, declarators and list elements, in one vector
  uint64_t maxTotalItems = 3'000'000;  // the same, in the whole file
};

// Reads the preamble. Errors: MALFORMED if it is not WebAssembly or of an unknown version, with
// what was found.
Result<Layer> readLayer(std::span<const std::byte> bytes);

// Decodes a component. The result borrows `bytes`.
// Errors: MALFORMED, UNSUPPORTED (a gated feature, by name), LIMIT_EXCEEDED; always with an offset.
// A core module is MALFORMED, with advice how to make a component of it.
Result<std::unique_ptr<Component>> decode(std::span<const std::byte> bytes,
                                          const Features& features = {},
                                          const DecodeLimits& limits = {});

}  // namespace tenon::component
