#pragma once

// A program as bytes, so that a workload that was linked before need not be linked again. Only for
// files that this host wrote and nobody else could change (see engine/cache.h): what is read is as
// trusted as code. It is checked all the same where a wrong number could lead outside of a table.
// Pure; the form belongs to one build of Tenon and has no version of its own.

#include "component/program/program.h"

#include <tenon/result.h>

#include <cstddef>
#include <span>
#include <vector>

namespace tenon::component {

// The binaries that a program borrows its modules' bytes from, in any fixed order. May name one
// more than once.
using ProgramSources = std::span<const std::span<const std::byte>>;

// Errors: INTERNAL for a program that still has adapters, or with a module that is neither
// generated nor in one of `sources`.
Result<std::vector<std::byte>> writeProgram(const Program& program, ProgramSources sources);

// The reverse. The program borrows from `sources`, which have the same bytes in the same order, and
// nothing from `bytes`. Errors: MALFORMED.
Result<Program> readProgram(std::span<const std::byte> bytes, ProgramSources sources);

}  // namespace tenon::component
