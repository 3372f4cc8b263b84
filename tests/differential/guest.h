#pragma once

// Generated components that pass values on. A guest is a chain of components, the first one
// exported:
//
//     host -> component 0 -> component 1 -> ... -> host
//
// Each has the same functions, imports them from the next, and has a core module whose functions
// hand what they get to the import and what comes back to the caller, pointers included. So one
// call goes through a lowering by the host, fused links, a lifting by the host, and all the way
// back. Every component can be told (see Disturbance) to damage its memory or flat values on the
// way, and to trap: what crosses next is then anything at all.
//
// Every component i exports besides: `poke<i>`, which takes a Disturbance and empties the heap, and
// `peek<i>`, which gives what it has logged and allocated since.

#include <tenon/abi/context.h>
#include <tenon/type.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tenon::differential {

struct GuestFunction {
  FuncType type;
  bool postReturn = false;
};

struct Guest {
  std::vector<GuestFunction> functions;   // "f0", "f1", ...
  std::vector<StringEncoding> encodings;  // one component each
};

// The component in the text format. Types are of one TypeTable.
std::string toText(const Guest& guest);

// A type as it stands in the text, without names of its own.
std::string toText(const Type& type);

// The places in a call, as `mark` tells the host and as disturbances name them.
enum class Phase : uint32_t { NONE = 0, ENTERED = 1, RETURNING = 2, POST_RETURN = 3 };

// What goes wrong in one component during one call. All zero: nothing.
struct Disturbance {
  Phase trap = Phase::NONE;
  uint32_t reallocCall = 0;  // the number of the call of `realloc`, from 1, that goes wrong
  uint32_t reallocMask = 0;  // exclusive-ored to what it gives; 0xffffffff: it traps
  uint64_t resultMask = 0;   // to the flat result, or the pointer to it
  std::vector<uint64_t> argumentMasks;  // to the flat arguments that are passed on
  struct Edit {
    Phase phase = Phase::NONE;
    uint32_t address = 0;
    uint32_t mask = 0;
  };
  std::vector<Edit> edits;  // to 4 bytes of memory each; at most MAX_EDITS

  bool none() const {
    return trap == Phase::NONE && !reallocCall && !resultMask && argumentMasks.empty() &&
           edits.empty();
  }
  // As `poke` takes it.
  std::vector<uint32_t> words() const;
};
inline constexpr size_t MAX_EDITS = 20;

// What `peek` gives begins at this address; the heap at the next one.
inline constexpr uint32_t LOG_ADDRESS = 1024;
inline constexpr uint32_t HEAP_ADDRESS = 1184;

}  // namespace tenon::differential
