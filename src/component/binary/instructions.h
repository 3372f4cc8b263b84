#pragma once

// Steps over the code of a core module: as much of it as is needed to know what a function calls.
// Source: WebAssembly Core Specification, "Instructions", "Modules". Every function here reads from
// where `in` stands to behind what it is named after. Errors: MALFORMED; UNSUPPORTED for what is
// not followed (GC, typed references, old exception handling, custom page sizes).

#include "base/byte_reader.h"

#include <tenon/result.h>

#include <cstdint>
#include <functional>

namespace tenon::component {

// What an instruction does, as far as calls go.
struct Instruction {
  enum class Kind : uint8_t {
    OTHER,
    CALL,
    RETURN_CALL,
    REFERENCE,      // ref.func
    CALL_INDIRECT,  // return_call_indirect too
    GLOBAL_GET,
    CHANGES_TABLE,
    END,
  };
  Kind kind = Kind::OTHER;
  uint32_t function = 0;  // CALL, RETURN_CALL, REFERENCE
};

Result<Instruction> readInstruction(ByteReader& in);

// A value type, heap type or block type.
Result<void> skipType(ByteReader& in);
Result<void> skipLimits(ByteReader& in);
Result<void> skipU32(ByteReader& in, uint32_t count = 1);
// The declarations of locals with which a function's code begins.
Result<void> skipLocals(ByteReader& in);

// The contents of a table, a global and an element section. Every instruction of the constants in
// them is visited but END; an element that is a function's index counts as a REFERENCE.
// `isElement`: what the instruction gives goes into a table, as an element or its initial value.
using VisitConstant = std::function<void(const Instruction& instruction, bool isElement)>;
Result<void> readTables(ByteReader& in, const VisitConstant& visit);
Result<void> readGlobals(ByteReader& in, const VisitConstant& visit);
Result<void> readElements(ByteReader& in, const VisitConstant& visit);

}  // namespace tenon::component
