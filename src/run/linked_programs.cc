#include "run/linked_programs.h"

#include "component/program/program_bytes.h"
#include "engine/digest.h"

#include <utility>

namespace tenon::run {
namespace {

std::vector<std::span<const std::byte>> sourcesOf(std::span<const LinkedPart> parts) {
  std::vector<std::span<const std::byte>> sources;
  sources.reserve(parts.size());
  for (const LinkedPart& part : parts) sources.push_back(part.source->bytes());
  return sources;
}

}  // namespace

engine::ArtifactKey programKey(const engine::Engine& engine, std::string_view workload,
                               std::span<const LinkedPart> parts, component::Rewriting rewriting) {
  engine::Digest digest;
  digest.addPart(workload);
  digest.addPart(rewriting == component::Rewriting::ON ? "rewritten" : "literal");
  for (const LinkedPart& part : parts) {
    digest.addPart(part.name);
    digest.addPart(part.source->digest());
    digest.addPart(std::to_string(part.wires.size()));
    for (const component::WorkloadPart::Wire& wire : part.wires) {
      digest.addPart(wire.import);
      digest.addPart(std::to_string(wire.part));
      digest.addPart(wire.item);
    }
  }
  return artifactKey(engine, digest.finish(), std::string("program ") + LINK_REVISION);
}

std::optional<component::Program> loadProgram(const engine::ArtifactCache& cache,
                                              const engine::ArtifactKey& key,
                                              std::span<const LinkedPart> parts,
                                              std::string* warning) {
  auto artifact = cache.load(key, warning);
  if (!artifact) return std::nullopt;
  auto program = component::readProgram(artifact->extra, sourcesOf(parts));
  if (program) return *std::move(program);
  if (warning) *warning = cache.pathOf(key) + ": " + program.error().text();
  return std::nullopt;
}

Result<void> storeProgram(const engine::ArtifactCache& cache, const engine::ArtifactKey& key,
                          std::span<const LinkedPart> parts, const component::Program& program) {
  TENON_TRY(auto bytes, component::writeProgram(program, sourcesOf(parts)));
  std::string name = "how these are joined:";
  for (const LinkedPart& part : parts) name += " " + std::string(part.name);
  return cache.store(key, {.modules = {}, .extra = std::move(bytes), .name = std::move(name)});
}

}  // namespace tenon::run
