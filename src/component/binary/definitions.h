#pragma once

// A decoded component: its definitions in the order of the binary, nothing resolved, nothing
// checked beyond the grammar. Indices are what the binary says and may be out of range; every
// definition carries the offset of its first byte, counted from the start of the outermost file.
// Names and bytes are views into the input, which must outlive the definitions. Source: Component
// Model, Binary.md. The structs are named as its productions.

#include "base/array_pool.h"

#include <tenon/abi/context.h>
#include <tenon/type.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace tenon::component {

// Core sorts keep their opcode in the low byte; component sorts are shifted past them.
enum class Sort : uint8_t {
  CORE_FUNC = 0x00,
  CORE_TABLE = 0x01,
  CORE_MEMORY = 0x02,
  CORE_GLOBAL = 0x03,
  CORE_TAG = 0x04,
  CORE_TYPE = 0x10,
  CORE_MODULE = 0x11,
  CORE_INSTANCE = 0x12,
  FUNC = 0x21,
  VALUE = 0x22,
  TYPE = 0x23,
  COMPONENT = 0x24,
  INSTANCE = 0x25,
};

// "core func", "instance", ...: as the text format writes it.
const char* toString(Sort sort);

struct SortIndex {
  Sort sort = Sort::FUNC;
  uint32_t index = 0;
};

// -- Core modules, instances and types ------------------------------------------------------------

// A core module's bytes, preamble included. The engine validates the code; `core_module.h` reads
// its imports and exports.
struct CoreModule {
  std::span<const std::byte> bytes;
};

struct CoreInstantiateArg {
  std::string_view name;
  uint32_t instance = 0;  // core instance
};

struct CoreInlineExport {
  std::string_view name;
  SortIndex item;
};

// `instantiate`: `module` and `args`. Otherwise a bag of `exports`.
struct CoreInstance {
  bool instantiate = false;
  uint32_t module = 0;
  std::vector<CoreInstantiateArg> args;
  std::vector<CoreInlineExport> exports;
};

// The parts of core types that the component level needs to see.
enum class CoreExternKind : uint8_t { FUNC = 0, TABLE = 1, MEMORY = 2, GLOBAL = 3, TAG = 4 };

// One core value type, kept as its bytes: 0x7f i32, 0x7e i64, 0x7d f32, 0x7c f64, 0x7b v128, 0x70
// funcref, 0x6f externref, or 0x64/0x63 with a heap type.
struct CoreValType {
  uint8_t code = 0x7f;
  int64_t heapType = 0;  // only for 0x63 and 0x64

  bool operator==(const CoreValType&) const = default;
};

struct CoreFuncType {
  std::vector<CoreValType> params;
  std::vector<CoreValType> results;

  bool operator==(const CoreFuncType&) const = default;
};

struct CoreLimits {
  uint64_t min = 0;
  std::optional<uint64_t> max;
  bool shared = false;
  bool is64 = false;
  std::optional<uint32_t> pageSizeLog2;  // custom page sizes; absent: 16

  bool operator==(const CoreLimits&) const = default;
};

struct CoreExternType {
  CoreExternKind kind = CoreExternKind::FUNC;
  uint32_t typeIndex = 0;  // FUNC, TAG: index into the types of the module or module type
  CoreFuncType func;       // FUNC, TAG: resolved where it can be (module types, `core_module.h`)
  CoreValType valType;     // TABLE: element, GLOBAL: content
  CoreLimits limits;       // TABLE, MEMORY
  bool isMutable = false;  // GLOBAL
};

struct CoreImportDecl {
  std::string_view module;
  std::string_view name;
  CoreExternType type;
  uint64_t offset = 0;
};

struct CoreExportDecl {
  std::string_view name;
  CoreExternType type;
  uint64_t offset = 0;
};

// `0x10 0x01 count index`: an outer alias of a core type inside a module type.
struct CoreOuterTypeAlias {
  uint32_t count = 0;
  uint32_t index = 0;
};

struct CoreTypeDef;
using CoreModuleDecl =
    std::variant<CoreImportDecl, std::unique_ptr<CoreTypeDef>, CoreOuterTypeAlias, CoreExportDecl>;

struct CoreModuleTypeDef {
  std::vector<CoreModuleDecl> decls;
};

// Function and module types are decoded. Other recursive types of WebAssembly 3.0 (struct, array,
// sub, rec) are skipped over and kept as bytes; `count` is how many indices they take.
struct CoreOtherType {
  std::span<const std::byte> bytes;
  uint32_t count = 1;
};

struct CoreTypeDef {
  std::variant<CoreFuncType, CoreModuleTypeDef, CoreOtherType> def;
  uint64_t offset = 0;
};

// -- Component types ------------------------------------------------------------------------------

// A primitive, or an index into the type index space.
struct ValTypeRef {
  bool isPrimitive = true;
  TypeKind primitive = TypeKind::BOOL;
  uint32_t index = 0;
};

struct LabelledType {
  std::string_view label;
  std::optional<ValTypeRef> type;  // absent: a case without payload, an enum case, a flag
};

struct DefValType {
  TypeKind kind = TypeKind::BOOL;
  std::span<const LabelledType> members;  // RECORD, VARIANT, ENUM, FLAGS
  std::span<const ValTypeRef> elements;   // TUPLE
  std::optional<ValTypeRef> element;      // LIST, OPTION, STREAM, FUTURE
  std::optional<ValTypeRef> ok, error;    // RESULT
  std::optional<ValTypeRef> key;          // gated: a map, as a LIST; `element` is its values' type
  std::optional<uint32_t> length;         // gated: a LIST of exactly so many elements
  uint32_t resource = 0;                  // OWN, BORROW: type index
};

struct ParamDecl {
  std::string_view name;
  ValTypeRef type;
};

struct FuncTypeDef {
  bool async = false;
  std::span<const ParamDecl> params;
  std::optional<ValTypeRef> result;
};

struct ResourceTypeDef {
  CoreValType rep;
  std::optional<uint32_t> dtor;  // core func
};

// `externtype`: what an import or export is.
struct ExternTypeRef {
  enum class Kind : uint8_t {
    CORE_MODULE,  // index: core type
    FUNC,         // index: type
    VALUE_EQ,     // index: value
    VALUE_TYPE,   // value
    TYPE_EQ,      // index: type
    TYPE_SUB,     // a fresh resource
    COMPONENT,    // index: type
    INSTANCE,     // index: type
  };
  Kind kind = Kind::FUNC;
  uint32_t index = 0;
  ValTypeRef value;
};

// `nameattributes`.
struct ExternName {
  std::string_view name;
  std::optional<std::string_view> implements;     // gated
  std::optional<std::string_view> versionSuffix;  // gated
  std::optional<std::string_view> externalId;     // gated
  uint64_t offset = 0;
};

struct Import {
  ExternName name;
  ExternTypeRef type;
};

struct ExportDecl {
  ExternName name;
  ExternTypeRef type;
};

struct ExportAlias {
  uint32_t instance = 0;
  std::string_view name;
};
struct CoreExportAlias {
  uint32_t instance = 0;
  std::string_view name;
};
struct OuterAlias {
  uint32_t count = 0;
  uint32_t index = 0;
};
struct Alias {
  Sort sort = Sort::FUNC;
  std::variant<ExportAlias, CoreExportAlias, OuterAlias> target;
};

struct TypeDef;

// A declarator of a component or instance type.
struct Decl {
  std::variant<std::unique_ptr<CoreTypeDef>, std::unique_ptr<TypeDef>, Alias, Import, ExportDecl>
      decl;
  uint64_t offset = 0;
};

struct ComponentTypeDef {
  std::vector<Decl> decls;
};
struct InstanceTypeDef {
  std::vector<Decl> decls;  // no Import among them
};

struct TypeDef {
  std::variant<DefValType, FuncTypeDef, ResourceTypeDef, ComponentTypeDef, InstanceTypeDef> def;
  uint64_t offset = 0;
};

// -- Instances, canonical functions, exports ------------------------------------------------------

struct InstantiateArg {
  std::string_view name;
  SortIndex item;
};

struct InlineExport {
  ExternName name;
  SortIndex item;
};

struct Instance {
  bool instantiate = false;
  uint32_t component = 0;
  std::vector<InstantiateArg> args;
  std::vector<InlineExport> exports;
};

// The options as the binary lists them, duplicates included (`options` keeps the order for the
// validator); the named members hold the last of each kind.
struct CanonOpts {
  struct Option {
    uint8_t code = 0;  // 0x00 to 0x07
    uint32_t index = 0;
  };
  std::vector<Option> options;
  std::optional<StringEncoding> encoding;
  std::optional<uint32_t> memory, realloc, postReturn, callback;
  bool async = false;
};

enum class CanonKind : uint8_t {
  LIFT = 0x00,
  LOWER = 0x01,
  RESOURCE_NEW = 0x02,
  RESOURCE_DROP = 0x03,
  RESOURCE_REP = 0x04,
  TASK_CANCEL = 0x05,
  SUBTASK_CANCEL = 0x06,
  TASK_RETURN = 0x09,
  CONTEXT_GET = 0x0a,
  CONTEXT_SET = 0x0b,
  THREAD_YIELD = 0x0c,
  SUBTASK_DROP = 0x0d,
  STREAM_NEW = 0x0e,
  STREAM_READ = 0x0f,
  STREAM_WRITE = 0x10,
  STREAM_CANCEL_READ = 0x11,
  STREAM_CANCEL_WRITE = 0x12,
  STREAM_DROP_READABLE = 0x13,
  STREAM_DROP_WRITABLE = 0x14,
  FUTURE_NEW = 0x15,
  FUTURE_READ = 0x16,
  FUTURE_WRITE = 0x17,
  FUTURE_CANCEL_READ = 0x18,
  FUTURE_CANCEL_WRITE = 0x19,
  FUTURE_DROP_READABLE = 0x1a,
  FUTURE_DROP_WRITABLE = 0x1b,
  ERROR_CONTEXT_NEW = 0x1c,
  ERROR_CONTEXT_DEBUG_MESSAGE = 0x1d,
  ERROR_CONTEXT_DROP = 0x1e,
  WAITABLE_SET_NEW = 0x1f,
  WAITABLE_SET_WAIT = 0x20,
  WAITABLE_SET_POLL = 0x21,
  WAITABLE_SET_DROP = 0x22,
  WAITABLE_JOIN = 0x23,
  BACKPRESSURE_INC = 0x24,
  BACKPRESSURE_DEC = 0x25,
  THREAD_INDEX = 0x26,
  THREAD_NEW_INDIRECT = 0x27,
  THREAD_RESUME_LATER = 0x28,
  THREAD_SUSPEND = 0x29,
  THREAD_SUSPEND_THEN_RESUME = 0x2a,
  THREAD_YIELD_THEN_RESUME = 0x2b,
  THREAD_SUSPEND_THEN_PROMOTE = 0x2c,
  THREAD_YIELD_THEN_PROMOTE = 0x2d,
  STREAM_FORWARD = 0x2e,
  FUTURE_FORWARD = 0x2f,
  THREAD_SPAWN_REF = 0x40,
  THREAD_SPAWN_INDIRECT = 0x41,
  THREAD_AVAILABLE_PARALLELISM = 0x42,
};

// "lift", "resource.new", "waitable-set.poll", ...
const char* toString(CanonKind kind);

struct Canon {
  CanonKind kind = CanonKind::LIFT;
  uint32_t func = 0;  // LIFT: core func; LOWER: func
  uint32_t type =
      0;  // LIFT: func type; RESOURCE_*, STREAM_*, FUTURE_*: type; THREAD_NEW...: core type
  CanonOpts opts;
  std::optional<ValTypeRef> result;  // TASK_RETURN
  CoreValType contextType;           // CONTEXT_GET, CONTEXT_SET
  uint32_t contextSlot = 0;          // CONTEXT_GET, CONTEXT_SET
  uint32_t memory = 0;               // WAITABLE_SET_WAIT, WAITABLE_SET_POLL
  uint32_t table = 0;                // THREAD_NEW_INDIRECT, THREAD_SPAWN_INDIRECT
  bool async = false;                // SUBTASK_CANCEL, *_CANCEL_*
  bool shared = false;               // THREAD_SPAWN_*, THREAD_AVAILABLE_PARALLELISM
};

struct Export {
  ExternName name;
  SortIndex item;
  std::optional<ExternTypeRef> type;
};

struct Start {
  uint32_t func = 0;
  std::vector<uint32_t> args;
  uint32_t results = 0;
};

// A value definition (gated): its type and encoded bytes.
struct ValueDef {
  ValTypeRef type;
  std::span<const std::byte> bytes;
};

struct CustomSection {
  std::string_view name;
  std::span<const std::byte> bytes;
};

struct Component;

struct Definition {
  std::variant<CustomSection, CoreModule, CoreInstance, CoreTypeDef, std::unique_ptr<Component>,
               Instance, Alias, TypeDef, Canon, Start, Import, Export, ValueDef>
      def;
  uint64_t offset = 0;
};

// One component, nested ones inside. Destruction is iterative-safe because nesting is capped when
// decoding.
struct Component {
  std::vector<Definition> definitions;
  uint64_t offset = 0;  // of the preamble
  uint64_t size = 0;    // bytes, preamble included
  // What the spans in its types refer to, and in those of the components inside, which have none.
  std::unique_ptr<ArrayPool> parts;
};

}  // namespace tenon::component
