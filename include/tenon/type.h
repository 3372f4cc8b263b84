#pragma once

// The Component Model's value and function types, as immutable graphs. A type is a node that is
// shared freely between threads; it lives as long as the component it was taken from. Inside one
// component two types are equal exactly when their addresses are.
// Source: Explainer.md "Type Definitions"; CanonicalABI.md "Alignment", "Element Size",
// "Flattening".

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

enum class TypeKind : uint8_t {
  BOOL,
  S8,
  U8,
  S16,
  U16,
  S32,
  U32,
  S64,
  U64,
  F32,
  F64,
  CHAR,
  STRING,
  ERROR_CONTEXT,
  LIST,
  RECORD,
  TUPLE,
  VARIANT,
  ENUM,
  OPTION,
  RESULT,
  FLAGS,
  OWN,
  BORROW,
  STREAM,
  FUTURE,
};

// The type of one flat (core) value.
enum class CoreType : uint8_t { I32, I64, F32, F64 };

struct Type;

// A record's field, a tuple's element (no label), a variant's case (`type` may be null), or the
// label of an enum case or flag (`type` is null).
struct Labelled {
  std::string label;
  const Type* type = nullptr;
  uint32_t offset = 0;  // bytes from the start of the record or tuple; 0 elsewhere
};

// One node. Which members mean something depends on `kind`.
struct Type {
  TypeKind kind = TypeKind::BOOL;
  std::vector<Labelled> members;  // RECORD, TUPLE, VARIANT, ENUM, FLAGS; one of handles: a name
  const Type* element = nullptr;  // LIST, OPTION, STREAM, FUTURE (the last two: may be null)
  const Type* ok = nullptr;       // RESULT; null when it carries nothing
  const Type* error = nullptr;    // RESULT; null when it carries nothing
  bool isMap = false;             // LIST: written map<k, v>; `element` is the tuple of k and v
  uint32_t fixedLength = 0;       // LIST: of list<T, N> (gated), which lies inline; 0: any length
  uint32_t resource = 0;          // OWN, BORROW: identifies the resource type in its component

  // Derived when the node is made.
  uint32_t alignment = 1;        // bytes, a power of two
  uint32_t size = 0;             // bytes of one element in memory
  uint32_t alignment64 = 1;      // the same two for a 64-bit memory: only the limit on sizes
  uint32_t size64 = 0;           //   (`MAX_TYPE_SIZE`) uses them
  uint32_t payloadOffset = 0;    // VARIANT, OPTION, RESULT: bytes from the start to the payload
  uint8_t discriminantSize = 0;  // VARIANT, ENUM, OPTION, RESULT: 1, 2 or 4 bytes
  uint32_t flatCount = 0;        // core values that `flatten_type` gives, counted to 2^32 - 1
  std::vector<CoreType> flat;    // those, if there are at most 16; else empty
  uint32_t depth = 1;            // nodes on the longest path, this one included
  bool hasBorrow = false;        // a BORROW is reachable
  bool hasResource = false;      // an OWN or BORROW is reachable
  bool hasPointer = false;       // a STRING or LIST is reachable, but not through a STREAM's or
                                 // FUTURE's element: lowering needs `realloc`
  bool isPlainBytes = false;     // every bit pattern of its `size` bytes is a value, and no padding
                                 // or pointer is in it: integers, floats, records of them
};

struct Parameter {
  std::string name;
  const Type* type = nullptr;
};

// A component-level function type.
struct FuncType {
  std::vector<Parameter> params;
  const Type* result = nullptr;  // null: none
  bool async = false;

  bool operator==(const FuncType& other) const;
};

inline constexpr uint32_t MAX_FLAT_PARAMS = 16;
inline constexpr uint32_t MAX_FLAT_RESULTS = 1;
inline constexpr uint32_t MAX_FLAT_ASYNC_PARAMS = 4;

// A core function's type.
struct CoreSignature {
  std::vector<CoreType> params;
  std::vector<CoreType> results;

  bool operator==(const CoreSignature&) const = default;
};

// The type as WIT text without names of its own: `list<u8>`, `record { x: u32 }`, `own<resource
// 3>`. For messages: text beyond some thousand characters is left out ("...").
std::string toString(const Type& type);
std::string toString(const FuncType& type);  // "func(a: u32, b: string) -> bool"
std::string toString(const CoreSignature& signature);

}  // namespace tenon
