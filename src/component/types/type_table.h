#pragma once

// Makes and owns type nodes. Every node is made through here, once: a table gives the same address
// for the same structure, so equality of types is equality of addresses, and a type that shares
// parts stays small. The derived members of a node (size, alignment, flat types) are computed when
// it is made. Not thread-safe while it grows; immutable and shared freely after.

#include <tenon/result.h>
#include <tenon/type.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::component {

// Limits on one type: hostile input must not make walks deep or layouts overflow.
inline constexpr uint32_t MAX_TYPE_DEPTH = 100;
// Bytes of one element in a 64-bit memory, exclusive. Source: Binary.md "Type Definitions".
inline constexpr uint64_t MAX_TYPE_SIZE = uint64_t{1} << 28;

class TypeTable {
 public:
  TypeTable();
  TypeTable(const TypeTable&) = delete;
  TypeTable& operator=(const TypeTable&) = delete;

  // BOOL to ERROR_CONTEXT.
  const Type* primitive(TypeKind kind) const;

  // The rest. Every type given must be of this table. Errors: LIMIT_EXCEEDED when the type is
  // nested deeper than MAX_TYPE_DEPTH or an element takes MAX_TYPE_SIZE bytes or more; INVALID for
  // an empty record, variant, tuple, enum or flags, or more than 32 flags. Labels are not checked
  // here. Source: Binary.md "Type Definitions".
  Result<const Type*> list(const Type* element);
  // A list of pairs with a name of its own. Keys are not restricted here.
  Result<const Type*> map(const Type* key, const Type* value);
  // `length` is not 0.
  Result<const Type*> fixedList(const Type* element, uint32_t length);
  Result<const Type*> record(std::vector<Labelled> fields);
  Result<const Type*> tuple(std::vector<const Type*> elements);
  Result<const Type*> variant(std::vector<Labelled> cases);
  Result<const Type*> enumeration(std::vector<std::string> labels);
  Result<const Type*> option(const Type* element);
  Result<const Type*> result(const Type* ok, const Type* error);
  Result<const Type*> flags(std::vector<std::string> labels);
  const Type* own(uint32_t resource);
  const Type* borrow(uint32_t resource);
  Result<const Type*> stream(const Type* element);  // null: no payload
  Result<const Type*> future(const Type* element);  // null: no payload

  // The same type with every resource replaced by `map(resource)`. Shares what does not change.
  // Never fails: substitution keeps sizes and depth.
  const Type* substitute(const Type* type, const std::function<uint32_t(uint32_t)>& map);

  // Gives the handle types of this table a label, their resource's name, for `toString`. Last: no
  // type is made afterwards. `name`: empty for resources that have none.
  void nameResources(const std::function<std::string(uint32_t resource)>& name);

 private:
  Result<const Type*> intern(Type&& type);
  const Type* internUnchecked(Type&& type);
  const Type* find(const Type& type, uint32_t hash) const;
  const Type* add(Type&& type, uint32_t hash);

  struct Slot {
    uint32_t hash = 0;
    uint32_t node = 0;  // one more than its number; 0: free
  };
  void index(Slot added);

  Type& node(size_t number) { return chunks_[number / CHUNK][number % CHUNK]; }
  const Type& node(size_t number) const { return chunks_[number / CHUNK][number % CHUNK]; }

  // The nodes, which stay where they are: each chunk has room for CHUNK of them and never grows.
  static constexpr size_t CHUNK = 64;
  std::vector<std::vector<Type>> chunks_;
  size_t count_ = 0;
  // The nodes by hash, with open addressing: a power of two of slots, at most half of them taken.
  std::vector<Slot> slots_;
  const Type* primitives_[14] = {};
};

// The core signature of a lifted (`lift`) or lowered (`lower`) synchronous function of this type,
// after spilling to memory. Source: CanonicalABI.md `flatten_functype`.
CoreSignature flattenLift(const FuncType& type);
CoreSignature flattenLower(const FuncType& type);

// The same for functions lifted or lowered with the `async` option.
enum class AsyncLift : uint8_t { STACKFUL, CALLBACK };
CoreSignature flattenAsyncLift(const FuncType& type, AsyncLift lift);
CoreSignature flattenAsyncLower(const FuncType& type);

// More than MAX_FLAT_PARAMS flat parameters: they go through memory as one tuple.
bool paramsSpill(const FuncType& type);
// More than MAX_FLAT_RESULTS flat results: they go through memory.
bool resultSpills(const FuncType& type);

// Layout of the parameter tuple when it spills: offset of each parameter, size and alignment.
struct TupleLayout {
  std::vector<uint32_t> offsets;
  uint64_t size = 0;
  uint32_t alignment = 1;
};
TupleLayout paramsLayout(const FuncType& type);

}  // namespace tenon::component
