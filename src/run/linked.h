#pragma once

// An executable whose imports are bound to a host's functions: everything that can be looked up and
// checked once, for all instances. Immutable, shared freely between threads; shared ownership,
// because instances on any thread need it.

#include "call/registry.h"
#include "engine/linker.h"
#include "run/executable.h"

#include <tenon/result.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace tenon::run {

class Linked;

// What a trampoline's callback gets as its environment: one per trampoline of the program.
struct Binding {
  const Linked* linked = nullptr;
  const component::Trampoline* trampoline = nullptr;
  engine::HostCallback callback = nullptr;

  // LOWER_IMPORT only.
  call::HostFunctionPointer function = nullptr;
  void* closure = nullptr;
  uint32_t part = 0;
  bool usesMemory = false;
  bool mayBlock = false;
};

class Linked {
 public:
  // Finds what somebody else than the host has for an import, of its type; it lives until `link`
  // returns. Null: it is the host's.
  using FindFunction =
      std::function<const call::HostFunction*(const component::ImportedFunction& import)>;

  // `executable` is compiled. Errors: MISSING_IMPORT listing every import that neither `others` nor
  // `registry` provides, or `registry` provides with another type, each with its type and similar
  // names in `details`.
  static Result<std::shared_ptr<const Linked>> link(std::shared_ptr<engine::Engine> engine,
                                                    std::shared_ptr<const Executable> executable,
                                                    const call::Registry& registry,
                                                    const FindFunction& others = nullptr);

  const std::shared_ptr<engine::Engine>& engine() const { return engine_; }
  const Executable& executable() const { return *executable_; }
  const component::Program& program() const { return executable_->program(); }

  // Whether a call of this export can come to a host function that may wait: it then runs on a
  // fiber. Source: waiting.h.
  bool mayBlock(const component::LiftedFunction& lifted) const;
  // Whether any call can.
  bool mayBlock() const { return mayBlock_; }

  // Resources that are the same type for the host have the same number: what handles are tagged
  // with.
  uint32_t canonicalResource(uint32_t resource) const { return canonicalResources_[resource]; }
  // Null for resources that a component defines.
  const call::HostResource* hostResource(uint32_t resource) const {
    return hostResources_[resource];
  }

  // -- For Instance: how to run step i, without any names.
  // One import of a core module: a trampoline, or an export of an earlier step's instance.
  struct Import {
    uint32_t index = 0;     // of the trampoline, or of the step
    engine::ExportKey key;  // of nothing: a trampoline
  };
  struct Step {
    std::optional<engine::InstancePre> pre;  // when all imports are host functions
    std::vector<Import> imports;             // when not
    std::vector<uint32_t> memories;          // memory slots that this step's instance exports
    engine::ExportKey start;                 // of nothing: no start function
  };
  const std::vector<Step>& steps() const { return steps_; }
  const engine::ExportKey& memoryKey(uint32_t slot) const { return memoryKeys_[slot]; }
  // Of nothing for slots that are trampolines.
  const engine::ExportKey& functionKey(uint32_t slot) const { return functionKeys_[slot]; }
  const engine::ExportKey& controlKey() const { return controlKey_; }
  const Binding& binding(uint32_t trampoline) const { return bindings_[trampoline]; }
  // The trampolines as items of `store`, by number; those that no import in `Step::imports` and no
  // function slot names are left as they are. Each call adds a copy of all to the store: once for
  // each.
  void hostFunctions(engine::Store& store, std::span<wasmtime_func_t> functions) const;
  // Counts an instance that ends; true for every 256th.
  bool isTurnToGiveBack() const {
    constexpr uint32_t TURN = 256;
    return (ended_.fetch_add(1, std::memory_order_relaxed) + 1) % TURN == 0;
  }
  // Whether guest code runs while the program is instantiated.
  bool hasStarts() const { return hasStarts_; }
  // Whether some component of the program has context.get or context.set.
  bool usesContext() const { return usesContext_; }

 private:
  Linked() = default;
  Result<void> bindImports(const call::Registry& registry, const FindFunction& others);
  void bindResources(const call::Registry& registry);
  Result<void> prepareSteps();
  Result<void> defineItem(uint32_t trampoline);
  void findWaits();
  Result<engine::ExportKey> keyOf(const component::CoreItem& item) const;

  std::shared_ptr<engine::Engine> engine_;
  std::shared_ptr<const Executable> executable_;
  std::vector<std::shared_ptr<void>> closures_;  // keeps Binding::closure alive
  std::vector<call::HostResource> resourceStorage_;
  std::vector<const call::HostResource*> hostResources_;
  std::vector<uint32_t> canonicalResources_;
  std::vector<Binding> bindings_;
  // What steps with other imports besides, and function slots, have of trampolines; by number.
  std::optional<engine::HostLinker> items_;
  std::vector<bool> itemDefined_;
  std::vector<engine::HostLinker> linkers_;  // outlive the InstancePres in steps_
  std::vector<Step> steps_;
  std::vector<engine::ExportKey> memoryKeys_;
  std::vector<engine::ExportKey> functionKeys_;
  engine::ExportKey controlKey_;
  bool mayBlock_ = false;
  std::vector<bool> slotWaits_;   // by function slot; only when `mayBlock_`
  bool destructorWaits_ = false;  // of a resource that a component defines
  bool usesContext_ = false;
  bool hasStarts_ = false;
  mutable std::atomic<uint32_t> ended_ = 0;
};

}  // namespace tenon::run
