#pragma once

// A component, linked: what its binary says with all instantiation of components done symbolically.
// What is left is a list of steps over core modules, and tables of what those steps and the exports
// refer to, like a linker's output. Plain data; immutable once made and shared freely between
// threads. It borrows nothing: type nodes belong to `types`, module bytes to `storage` or to the
// input (see ModuleBytes).
//
// Words: a *core instance* is one instantiation of a core module, in the order of the steps. A
// *component instance* has its own handle table and flags; nested components each have one. A
// *part* is a component of the workload; nested instances belong to the part they came with. A
// *slot* is a memory or function that the runtime looks up once, when the core instance that
// exports it exists.

#include "component/binary/definitions.h"
#include "component/types/type_table.h"

#include <tenon/abi/context.h>
#include <tenon/type.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace tenon::component {

inline constexpr uint32_t NONE = 0xffffffff;

// Something that can be given to a core module, or taken from one.
struct CoreItem {
  enum class Kind : uint8_t {
    INSTANCE_EXPORT,  // `name` of core instance `index`
    TRAMPOLINE,       // Program::trampolines[index]: a function that the host implements
    ADAPTER,  // Program::adapters[index]: a function that `fuse` generates; gone after it ran
  };
  Kind kind = Kind::INSTANCE_EXPORT;
  uint32_t index = 0;
  std::string name;

  bool operator==(const CoreItem&) const = default;
};

// One import of a core module, satisfied.
struct CoreArg {
  std::string module;
  std::string name;
  CoreItem item;
  // An ADAPTER that need not exist when the step runs: nothing can call it before, and `bindLate`
  // can write the module anew. Gone after `fuse` ran.
  bool late = false;
};

// The options of one lift or lower. Slots index Program::memories and Program::functions; NONE:
// absent.
struct Options {
  uint32_t instance = 0;  // component instance on whose behalf values cross
  StringEncoding encoding = StringEncoding::UTF8;
  uint32_t memory = NONE;
  uint32_t realloc = NONE;
  uint32_t postReturn = NONE;
  uint32_t callback = NONE;
  bool async = false;
};

struct ModuleBytes {
  std::span<const std::byte> bytes;  // into the component's binary, or into Program::storage
  uint64_t offset = 0;               // of the first byte in the file; generated modules: NONE
  std::string name;                  // for messages: "core module 3", "adapter 0"
  bool generated = false;  // by `fuse`, or written anew by it: bytes that are in no component
};

// The program's only kind of step: core instance `i` is made by step `i`.
struct InstantiateStep {
  uint32_t module = 0;
  std::vector<CoreArg> args;  // in the order of the module's imports, one for each
  uint32_t instance = 0;      // component instance that it belongs to
};

// A function that the world imports and the host provides.
struct ImportedFunction {
  std::string interface;  // "wasi:io/streams@0.2.3"; empty: at the root
  std::string name;       // "[method]input-stream.read"
  FuncType type;
  uint32_t part = 0;  // that imports it
};

// What `resource` numbers mean: index into Program::resources is Type::resource of concrete types.
struct ResourceInfo {
  std::string name;  // for messages: "counter"
  bool imported = false;
  std::string interface;     // imported: as ImportedFunction
  uint32_t instance = NONE;  // defined: the component instance that defines it
  uint32_t dtor = NONE;      // defined: function slot, or NONE
};

// A core function that the host implements.
struct Trampoline {
  enum class Kind : uint8_t {
    LOWER_IMPORT,  // calls Program::imports[import]
    RESOURCE_NEW,
    RESOURCE_REP,
    RESOURCE_DROP,
    BUILTIN,       // `canon` says which: the task, context and waitable built-ins
    NEVER_CALLED,  // stands for an import whose calls were written anew (late_imports.h)

    // For generated modules only (`fuse` adds them). They do not look at may-leave: the adapter
    // did. Handles go from the table of component instance `instance` to the one of `target`.
    TRAP,             // (code, instance): never returns; a control::TrapCode and who is to blame
    TRANSFER_OWN,     // (handle) -> handle: `lift_own`, then `lower_own`
    TRANSFER_BORROW,  // (handle) -> handle or rep: `lift_borrow`, `lower_borrow`, in the entered
                      // call
    LEND,             // (handle) -> rep: `lift_borrow` alone; the adapter gives it back by UNLEND
    UNLEND,           // (handle): one lend less; the handle is there, since it is lent
    ENTER_CALL,       // (): a new borrow scope, of a call from `instance` to `target`
    EXIT_CALL,  // (): traps if `target` keeps a borrow of it; else ends its lends and the scope
  };
  Kind kind = Kind::LOWER_IMPORT;
  uint32_t instance = 0;  // component instance that calls
  CoreSignature signature;
  uint32_t import = NONE;
  uint32_t resource = NONE;
  uint32_t target = NONE;  // TRANSFER_*, LEND, UNLEND, *_CALL
  FuncType type;           // LOWER_IMPORT; BUILTIN task.return: its result type as `result`
  Options options;
  CanonKind canon = CanonKind::LIFT;
  uint32_t contextSlot = 0;
  CoreType contextType = CoreType::I32;
  // Whether the call reaches here through a shim that was left out. Then it traps, as the shim's
  // empty table would, until `boundAfter` of the program's steps have run (where the fixup was that
  // filled the table).
  bool lateBound = false;
  uint32_t boundAfter = 0;
};

// A lifted core function.
struct LiftedFunction {
  CoreItem callee;
  uint32_t calleeSlot = NONE;  // function slot of `callee`
  FuncType type;
  Options options;
};

// A lower of a lift: the caller's side and the callee's. `fuse` turns each into a core function.
struct Adapter {
  LiftedFunction callee;
  Options caller;
  FuncType type;            // as the caller sees it: same structure, concrete resources
  CoreSignature signature;  // of the lowered function
};

// A component instance calls another by adapters, or by what took their place.
struct InstanceCall {
  uint32_t caller = 0;
  uint32_t callee = 0;
  auto operator<=>(const InstanceCall&) const = default;
};

// A component instance at run time.
struct InstanceInfo {
  std::string name;        // for messages: the part's name, or a path such as "shop/$inner"
  uint32_t parent = NONE;  // the component instance that contains it
  uint32_t part = 0;
};

struct ProgramExport;
struct ExportedInstance {
  std::vector<ProgramExport> exports;
};
struct ExportedType {
  const Type* type = nullptr;  // null for function, instance and component types
  uint32_t resource = NONE;    // a resource type
};
struct ReexportedImport {
  uint32_t import = 0;  // Program::imports
};
struct ExportedModule {};
struct ExportedComponent {};

// One export of the outermost component.
struct ProgramExport {
  std::string name;
  std::variant<LiftedFunction, ReexportedImport, ExportedInstance, ExportedType, ExportedModule,
               ExportedComponent>
      item;
};

struct Program {
  std::shared_ptr<TypeTable> types;
  std::vector<ModuleBytes> modules;
  std::vector<InstantiateStep> steps;
  std::vector<CoreItem> memories;   // memory slots
  std::vector<CoreItem> functions;  // function slots
  std::vector<Trampoline> trampolines;
  std::vector<Adapter> adapters;    // empty after `fuse`
  std::vector<InstanceCall> calls;  // after `fuse`: those of the adapters that there were
  std::vector<ImportedFunction> imports;
  std::vector<ResourceInfo> resources;
  std::vector<InstanceInfo> instances;
  std::vector<ProgramExport> exports;

  // After `fuse`: the core instance export that is the control memory (one page; layout in
  // fuse/control.h), when there are adapters.
  std::optional<CoreItem> control;

  std::vector<std::unique_ptr<std::vector<std::byte>>> storage;  // bytes of generated modules
};

}  // namespace tenon::component
