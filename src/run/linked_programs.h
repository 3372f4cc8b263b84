#pragma once

// Programs that were linked before, in the compile cache: what `flatten` and `fuse` made of the
// same components, joined in the same way, by the same build of Tenon. An entry is an artifact
// without modules; the compiled code has an entry of its own, so that parts may get other names
// without being compiled again.

#include "component/flatten/flatten.h"
#include "component/program/program.h"
#include "component/relink/rewriting.h"
#include "engine/cache.h"
#include "run/source.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::run {

// A digest of the sources of what links, so that no entry outlives a change of them. Written by
// cmake/TenonLinkRevision.cmake.
extern const char* const LINK_REVISION;

// One component of a workload, as Executable::Part.
struct LinkedPart {
  std::string_view name;
  const Source* source = nullptr;
  std::span<const component::WorkloadPart::Wire> wires;
};

// Everything that decides what the program will be.
engine::ArtifactKey programKey(const engine::Engine& engine, std::string_view workload,
                               std::span<const LinkedPart> parts, component::Rewriting rewriting);

// nullopt: not there, or not usable; then it is removed or made anew, and `warning`, when given,
// says why. The program borrows from the parts' sources.
std::optional<component::Program> loadProgram(const engine::ArtifactCache& cache,
                                              const engine::ArtifactKey& key,
                                              std::span<const LinkedPart> parts,
                                              std::string* warning);

// Keeps a fused program. Errors: as ArtifactCache::store; INTERNAL as writeProgram.
Result<void> storeProgram(const engine::ArtifactCache& cache, const engine::ArtifactKey& key,
                          std::span<const LinkedPart> parts, const component::Program& program);

}  // namespace tenon::run
