#include "run/executable.h"

#include "component/flatten/flatten_exports.h"
#include "component/fuse/fuse.h"
#include "component/types/type_table.h"
#include "run/linked_programs.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace tenon::run {
namespace {

using component::CoreItem;
using component::NONE;
using component::Options;
using component::Program;

CoreSignature reallocSignature() {
  using enum CoreType;
  return {{I32, I32, I32, I32}, {I32}};
}

// The signature that each function slot is used with. A slot with two uses of different types is a
// bug of the stages before, or a component that validation should have refused.
class SlotSignatures {
 public:
  explicit SlotSignatures(const Program& program) : known_(program.functions.size()) {}

  Result<void> add(uint32_t slot, const CoreSignature& signature, const char* what) {
    if (slot == NONE) return {};
    if (slot >= known_.size()) {
      return Error(ErrorCode::INTERNAL, std::string(what) + " has no function slot");
    }
    if (known_[slot] && *known_[slot] != signature) {
      return Error(ErrorCode::INVALID, std::string(what) + " is used as " + toString(signature) +
                                           " and as " + toString(*known_[slot]));
    }
    known_[slot] = signature;
    return {};
  }

  // `result`: the core results of the lifted function, which post-return takes.
  Result<void> add(const Options& options, const std::vector<CoreType>& results) {
    TENON_CHECK(add(options.realloc, reallocSignature(), "realloc"));
    return add(options.postReturn, {results, {}}, "post-return");
  }

  std::vector<std::optional<CoreSignature>> take() { return std::move(known_); }

 private:
  std::vector<std::optional<CoreSignature>> known_;
};

Error refusal(const component::ModuleBytes& module, Error error) {
  if (error.offset && !module.generated) error.offset = *error.offset + module.offset;
  if (module.generated) error.code = ErrorCode::INTERNAL;
  error.message = module.name + ": " + error.message;
  return error;
}

// The core modules of a component and of those nested in it, that are not among the program's.
std::vector<component::ModuleBytes> findIdleModules(const component::Component& component,
                                                    const Program& program) {
  std::set<const std::byte*> used;
  for (const component::ModuleBytes& module : program.modules) used.insert(module.bytes.data());
  std::vector<component::ModuleBytes> idle;
  std::vector<const component::Component*> pending = {&component};
  while (!pending.empty()) {
    const component::Component& current = *pending.back();
    pending.pop_back();
    for (const component::Definition& definition : current.definitions) {
      if (auto* nested = std::get_if<std::unique_ptr<component::Component>>(&definition.def)) {
        pending.push_back(nested->get());
      }
      auto* module = std::get_if<component::CoreModule>(&definition.def);
      if (module && !used.contains(module->bytes.data())) {
        idle.push_back(
            {.bytes = module->bytes, .offset = definition.offset, .name = "a core module"});
      }
    }
  }
  return idle;
}

// Whether a program has only its exports, because its component imports core modules.
bool lacksModules(const Program& program) {
  constexpr auto MODULE = &component::InstantiateStep::module;
  return std::ranges::find(program.steps, NONE, MODULE) != program.steps.end();
}

// Refuses such a program.
Result<void> checkGiven(const Program& program, const Source& source, const std::string& name) {
  if (!lacksModules(program)) return {};
  auto whole = component::flatten(source.definitions(), name);
  if (!whole) return std::move(whole).error();
  return Error(ErrorCode::INTERNAL, "a core module of the component is missing");
}

}  // namespace

Result<std::shared_ptr<Executable>> Executable::link(std::vector<std::byte> bytes, std::string name,
                                                     component::Rewriting rewriting,
                                                     const component::Features& features) {
  TENON_TRY(auto source, Source::read(std::move(bytes), features));
  std::vector<Part> alone;
  alone.push_back({.name = {}, .bytes = {}, .wires = {}, .source = std::move(source)});
  return link(std::move(alone), std::move(name), rewriting);
}

Result<std::shared_ptr<Executable>> Executable::link(std::vector<Part> parts, std::string name,
                                                     component::Rewriting rewriting,
                                                     std::optional<Programs> programs,
                                                     std::string* warning) {
  auto executable = std::shared_ptr<Executable>(new Executable);
  executable->name_ = std::move(name);
  executable->rewriting_ = rewriting;
  executable->parts_ = std::move(parts);
  std::vector<LinkedPart> linked;
  for (Part& part : executable->parts_) {
    if (!part.source) {
      auto source = Source::read(std::exchange(part.bytes, {}));
      if (!source) {
        Error error = std::move(source).error();
        error.message = part.name + ": " + error.message;
        return error;
      }
      part.source = *std::move(source);
    }
    linked.push_back({part.name, part.source.get(), part.wires});
  }
  if (!programs) {
    TENON_CHECK(executable->join());
    return executable;
  }
  engine::ArtifactKey key = programKey(programs->engine, executable->name_, linked, rewriting);
  if (auto known = loadProgram(programs->cache, key, linked, warning)) {
    executable->program_ = *std::move(known);
    // What was stored has passed this; if not, it is made again.
    if (executable->resolveSignatures()) return executable;
  }
  TENON_CHECK(executable->join());
  auto stored = storeProgram(programs->cache, key, linked, executable->program_);
  if (!stored && warning) *warning = stored.error().text();
  return executable;
}

// Makes the program of the parts.
Result<void> Executable::join() {
  std::vector<component::WorkloadPart> parts;
  for (const Part& part : parts_) {
    parts.push_back({part.name, &part.source->definitions(), part.wires});
  }
  auto program = component::flatten(parts, name_);
  if (!program && program.error().code == ErrorCode::UNSUPPORTED && parts_.front().name.empty()) {
    // As a part of a workload it may be given what it lacks.
    auto exports = component::flattenExports(*parts.front().component, name_);
    if (exports && lacksModules(*exports)) {
      program_ = *std::move(exports);
      return {};
    }
  }
  if (!program) return std::move(program).error();
  program_ = *std::move(program);
  TENON_CHECK(component::fuse(program_, rewriting_));
  return resolveSignatures();
}

Result<void> Executable::resolveSignatures() {
  SlotSignatures slots(program_);
  for (const component::Trampoline& trampoline : program_.trampolines) {
    TENON_CHECK(slots.add(trampoline.options.realloc, reallocSignature(), "realloc"));
  }
  for (const component::ResourceInfo& resource : program_.resources) {
    TENON_CHECK(slots.add(resource.dtor, {{CoreType::I32}, {}}, "a resource's destructor"));
  }
  // Exports nest; walk them with an explicit stack.
  std::vector<const std::vector<component::ProgramExport>*> pending = {&program_.exports};
  while (!pending.empty()) {
    const auto& exports = *pending.back();
    pending.pop_back();
    for (const component::ProgramExport& item : exports) {
      if (auto* lifted = std::get_if<component::LiftedFunction>(&item.item)) {
        if (lifted->options.async) continue;  // refused when it is called
        CoreSignature signature = component::flattenLift(lifted->type);
        TENON_CHECK(slots.add(lifted->calleeSlot, signature, item.name.c_str()));
        TENON_CHECK(slots.add(lifted->options, signature.results));
      } else if (auto* instance = std::get_if<component::ExportedInstance>(&item.item)) {
        pending.push_back(&instance->exports);
      }
    }
  }
  functionSignatures_ = slots.take();
  return {};
}

engine::ArtifactKey Executable::key(const engine::Engine& engine) const {
  engine::Digest digest;
  digest.addPart(rewriting_ == component::Rewriting::ON ? "rewritten" : "literal");
  for (const Part& part : parts_) {
    digest.addPart(part.source->digest());
    digest.addPart(std::to_string(part.wires.size()));
    for (const component::WorkloadPart::Wire& wire : part.wires) {
      digest.addPart(wire.import);
      digest.addPart(std::to_string(wire.part));
      digest.addPart(wire.item);
    }
  }
  // What linking makes changes with Tenon's sources, not only with its version.
  for (const component::ModuleBytes& module : program_.modules) {
    if (module.generated) digest.addPart(module.bytes);
  }
  return artifactKey(engine, digest.finish(), std::string("code ") + LINK_REVISION);
}

Result<void> Executable::compile(const std::shared_ptr<engine::Engine>& engine,
                                 const engine::ArtifactCache* cache, std::string* warning,
                                 const engine::CompileLimits& limits) {
  if (compiled()) return {};
  TENON_CHECK(checkGiven(program_, *parts_.front().source, name_));
  findStarts();
  std::optional<engine::ArtifactKey> cacheKey;
  if (cache) {
    cacheKey = key(*engine);
    if (auto artifact = cache->load(*cacheKey, warning)) {
      if (auto adopted = adopt(std::move(*artifact))) return {};
    }
  }
  TENON_CHECK(checkIdleModules(engine));
  // One component may be several parts, so each content is compiled once.
  std::map<std::string_view, size_t> known;
  std::vector<size_t> numbers;                        // by module: its place among the contents
  std::vector<const component::ModuleBytes*> origin;  // by content
  std::vector<std::vector<std::byte>> changed;
  std::vector<engine::ModuleCode> contents;
  changed.reserve(program_.modules.size());
  for (size_t i = 0; i < program_.modules.size(); ++i) {
    const component::ModuleBytes& module = program_.modules[i];
    std::string_view content(reinterpret_cast<const char*>(module.bytes.data()),
                             module.bytes.size());
    auto [same, isNew] = known.try_emplace(content, contents.size());
    numbers.push_back(same->second);
    if (!isNew) continue;
    origin.push_back(&module);
    contents.push_back(module.bytes);
    if (!starts_[i]) continue;
    auto valid = engine::Module::validate(engine, module.bytes);
    if (!valid) return refusal(module, std::move(valid).error());
    contents.back() = changed.emplace_back(component::exportStart(module.bytes, *starts_[i]));
  }
  size_t failed = contents.size();
  auto compiled = engine::compileModules(engine, contents, limits, failed);
  if (!compiled) {
    if (failed == contents.size()) return std::move(compiled).error();
    return refusal(*origin[failed], std::move(compiled).error());
  }
  std::vector<engine::Module> modules;
  for (size_t number : numbers) modules.push_back((*compiled)[number]);
  if (cache) {
    auto stored = cache->store(*cacheKey, {.modules = modules, .extra = {}, .name = name_});
    if (!stored && warning) *warning = stored.error().text();
  }
  modules_ = std::move(modules);
  TENON_CHECK(checkSlots());
  compiled_ = true;
  return {};
}

// Core modules that the program never instantiates must be valid all the same.
Result<void> Executable::checkIdleModules(const std::shared_ptr<engine::Engine>& engine) const {
  std::set<const Source*> checked;
  for (const Part& part : parts_) {
    if (!checked.insert(part.source.get()).second) continue;
    for (const component::ModuleBytes& module :
         findIdleModules(part.source->definitions(), program_)) {
      auto valid = engine::Module::validate(engine, module.bytes);
      if (!valid) return refusal(module, std::move(valid).error());
    }
  }
  return {};
}

Result<void> Executable::adopt(engine::Artifact artifact) {
  TENON_CHECK(checkGiven(program_, *parts_.front().source, name_));
  if (artifact.modules.size() != program_.modules.size()) {
    return Error(ErrorCode::MALFORMED,
                 "the artifact has " + std::to_string(artifact.modules.size()) +
                     " modules, the component " + std::to_string(program_.modules.size()));
  }
  findStarts();
  modules_ = std::move(artifact.modules);
  auto checked = checkSlots();
  compiled_ = checked.ok();
  if (!checked) modules_.clear();
  return checked;
}

void Executable::findStarts() {
  starts_.clear();
  for (const component::ModuleBytes& module : program_.modules) {
    starts_.push_back(component::findStart(module.bytes));
  }
}

// Every slot must be an export of the kind and type that it is used with: after this the runtime
// calls without checks.
Result<void> Executable::checkSlots() const {
  // Read once for each; a guest decides how many slots there are, and how many exports.
  std::map<const wasmtime_module_t*, std::map<std::string, engine::ModuleExport>> exports;
  auto find = [&](const CoreItem& item) -> Result<const engine::ModuleExport*> {
    if (item.index >= program_.steps.size()) {
      return Error(ErrorCode::INTERNAL, "no core instance " + std::to_string(item.index));
    }
    uint32_t module = program_.steps[item.index].module;
    auto [known, isNew] = exports.try_emplace(modules_[module].raw());
    if (isNew) {
      for (engine::ModuleExport& candidate : modules_[module].exports()) {
        std::string name = candidate.name;
        known->second.emplace(std::move(name), std::move(candidate));
      }
    }
    auto found = known->second.find(item.name);
    if (found != known->second.end()) return &found->second;
    return Error(ErrorCode::INVALID,
                 program_.modules[module].name + " has no export '" + item.name + "'",
                 program_.modules[module].offset);
  };
  for (const CoreItem& memory : program_.memories) {
    TENON_TRY(const engine::ModuleExport* found, find(memory));
    if (found->kind != engine::ExternKind::MEMORY) {
      return Error(ErrorCode::INVALID, "export '" + memory.name + "' is not a memory");
    }
  }
  for (size_t slot = 0; slot < program_.functions.size(); ++slot) {
    const CoreItem& function = program_.functions[slot];
    if (!functionSignatures_[slot]) continue;
    const CoreSignature& wanted = *functionSignatures_[slot];
    std::optional<CoreSignature> actual;
    if (function.kind == CoreItem::Kind::TRAMPOLINE) {
      actual = program_.trampolines[function.index].signature;
    } else {
      TENON_TRY(const engine::ModuleExport* found, find(function));
      if (found->kind == engine::ExternKind::FUNC) actual = found->signature;
    }
    if (!actual || *actual != wanted) {
      return Error(ErrorCode::INVALID, "core function '" + function.name + "' is " +
                                           (actual ? toString(*actual) : "of another kind") +
                                           ", but is used as " + toString(wanted));
    }
  }
  return {};
}

}  // namespace tenon::run
