#pragma once

// Components made ready for the engine: one by itself, or those of a workload, joined. The program
// and the compiled code of every core module in it, the generated ones included. Immutable once
// compiled, shared freely between threads.
//
//     bytes -> decode -> validate -> flatten -> fuse -> compile (or the cache)

#include "component/binary/decoder.h"
#include "component/flatten/flatten.h"
#include "component/program/program.h"
#include "component/relink/rewriting.h"
#include "component/relink/start_function.h"
#include "engine/cache.h"
#include "engine/compiler.h"
#include "engine/module.h"
#include "run/source.h"

#include <tenon/result.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tenon::run {

class Executable {
 public:
  // A part of what is linked: as component::WorkloadPart, with its bytes in place of the
  // definitions, or their source where there is one.
  struct Part {
    std::string name;
    std::vector<std::byte> bytes;
    std::vector<component::WorkloadPart::Wire> wires;
    std::shared_ptr<const Source> source = nullptr;
  };
  // Where programs that were linked before are kept, see linked_programs.h. Borrowed.
  struct Programs {
    Programs(const engine::Engine& engine, const engine::ArtifactCache& cache)
        : engine(engine), cache(cache) {}
    const engine::Engine& engine;
    const engine::ArtifactCache& cache;
  };
  // Everything but compiling. `name` is for messages. `warning`, when given, gets a sentence if
  // `programs` could not be used. Errors: as decode, validate, flatten and fuse; INVALID with the
  // file's offset for a core module whose imports or exports do not have the types that the
  // component's use of them needs. With the part's name in front, if it has one.
  static Result<std::shared_ptr<Executable>> link(std::vector<Part> parts, std::string name,
                                                  component::Rewriting rewriting,
                                                  std::optional<Programs> programs = std::nullopt,
                                                  std::string* warning = nullptr);
  // A component by itself. `features` beyond the default are for tests: what they let through may
  // be refused later, or trap.
  static Result<std::shared_ptr<Executable>> link(std::vector<std::byte> bytes, std::string name,
                                                  component::Rewriting rewriting,
                                                  const component::Features& features = {});

  // Compiles every module, or takes them from `cache` (null: none), and puts them there. Once,
  // before the executable is shared. `warning`, when given, gets a sentence if the cache could not
  // be used. Errors: INVALID for core code that does not validate, with the offset in the file; as
  // compileModules.
  Result<void> compile(const std::shared_ptr<engine::Engine>& engine,
                       const engine::ArtifactCache* cache, std::string* warning = nullptr,
                       const engine::CompileLimits& limits = {});
  // Takes the modules of an artifact made from the same bytes. Errors: MALFORMED if it is
  // another's.
  Result<void> adopt(engine::Artifact artifact);

  // Decides whether the modules of an artifact fit. Source: cache.h.
  engine::ArtifactKey key(const engine::Engine& engine) const;

  bool compiled() const { return compiled_; }
  const component::Program& program() const { return program_; }
  const std::vector<engine::Module>& modules() const { return modules_; }  // as Program::modules
  // The start functions of the modules, as Program::modules. The compiled modules have none and
  // export them instead: whoever makes an instance calls it at once.
  const std::vector<std::optional<component::StartFunction>>& starts() const { return starts_; }
  // The first part's.
  const std::shared_ptr<const Source>& source() const { return parts_.front().source; }
  std::span<const std::byte> bytes() const { return source()->bytes(); }
  const std::string& name() const { return name_; }

 private:
  Executable() = default;
  Result<void> join();
  Result<void> resolveSignatures();
  Result<void> checkIdleModules(const std::shared_ptr<engine::Engine>& engine) const;
  Result<void> checkSlots() const;
  void findStarts();

  std::string name_;
  // The program borrows from their sources.
  std::vector<Part> parts_;
  component::Rewriting rewriting_ = component::Rewriting::ON;
  component::Program program_;
  // What each of Program::functions is used as; nullopt: only by adapters, whose imports the engine
  // checks.
  std::vector<std::optional<CoreSignature>> functionSignatures_;
  std::vector<engine::Module> modules_;
  std::vector<std::optional<component::StartFunction>> starts_;
  bool compiled_ = false;
};

}  // namespace tenon::run
