#include "component/types/type_table.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tenon::component {
namespace {

uint64_t alignTo(uint64_t offset, uint64_t alignment) {
  return (offset + alignment - 1) & ~(alignment - 1);
}

uint32_t saturate(uint64_t count) {
  return static_cast<uint32_t>(std::min<uint64_t>(count, std::numeric_limits<uint32_t>::max()));
}

// -- Interning ------------------------------------------------------------------------------------

void mix(size_t& hash, size_t value) {
  hash ^= value + 0x9e3779b97f4a7c15 + (hash << 6) + (hash >> 2);
}

// Over what the type's maker chose, not over what is derived from it.
size_t hashOf(const Type& type) {
  std::hash<const void*> address;
  std::hash<std::string_view> text;
  size_t hash = static_cast<size_t>(type.kind);
  mix(hash, address(type.element));
  mix(hash, address(type.ok));
  mix(hash, address(type.error));
  mix(hash, type.resource);
  mix(hash, type.isMap);
  mix(hash, type.fixedLength);
  mix(hash, type.members.size());
  for (const Labelled& member : type.members) {
    mix(hash, text(member.label));
    mix(hash, address(member.type));
  }
  return hash;
}

bool sameStructure(const Type& a, const Type& b) {
  if (a.kind != b.kind || a.element != b.element || a.ok != b.ok || a.error != b.error ||
      a.resource != b.resource || a.isMap != b.isMap || a.fixedLength != b.fixedLength ||
      a.members.size() != b.members.size()) {
    return false;
  }
  for (size_t i = 0; i < a.members.size(); ++i) {
    if (a.members[i].type != b.members[i].type || a.members[i].label != b.members[i].label) {
      return false;
    }
  }
  return true;
}

// -- Layout and flattening ------------------------------------------------------------------------

// Sizes before the check against the limit, hence wide.
struct Layout {
  uint64_t size = 0;
  uint64_t size64 = 0;
};

CoreType join(CoreType a, CoreType b) {
  if (a == b) return a;
  if ((a == CoreType::I32 && b == CoreType::F32) || (a == CoreType::F32 && b == CoreType::I32)) {
    return CoreType::I32;
  }
  return CoreType::I64;
}

uint8_t discriminantBytes(uint64_t cases) {
  if (cases <= 0x100) return 1;
  if (cases <= 0x10000) return 2;
  return 4;
}

// A child's share in its parent's depth and flags.
void absorb(Type& type, const Type* child) {
  if (child == nullptr) return;
  bool isHandle = type.kind == TypeKind::STREAM || type.kind == TypeKind::FUTURE;
  type.depth = std::max(type.depth, child->depth + 1);
  type.hasBorrow |= child->hasBorrow;
  type.hasResource |= child->hasResource;
  if (!isHandle) type.hasPointer |= child->hasPointer;
}

void scalar(Type& type, Layout& layout, uint32_t size, CoreType flat) {
  type.alignment = type.alignment64 = size;
  layout.size = layout.size64 = size;
  type.flatCount = 1;
  type.flat = {flat};
}

// A pointer and a length.
void pointerPair(Type& type, Layout& layout) {
  type.alignment = 4;
  type.alignment64 = 8;
  layout.size = 8;
  layout.size64 = 16;
  type.flatCount = 2;
  type.flat = {CoreType::I32, CoreType::I32};
  type.hasPointer = true;
}

// The elements one after another, without a pointer.
void inlineList(Type& type, Layout& layout) {
  const Type& element = *type.element;
  uint64_t length = type.fixedLength;
  type.alignment = element.alignment;
  type.alignment64 = element.alignment64;
  layout.size = length * element.size;
  layout.size64 = length * element.size64;
  type.isPlainBytes = element.isPlainBytes;
  uint64_t flatCount = length * element.flatCount;
  type.flatCount = saturate(flatCount);
  if (flatCount > MAX_FLAT_PARAMS) return;
  for (uint64_t i = 0; i < length; ++i) {
    type.flat.insert(type.flat.end(), element.flat.begin(), element.flat.end());
  }
}

void product(Type& type, Layout& layout) {
  uint64_t flatCount = 0;
  uint64_t bytes = 0;
  bool plain = true;
  for (Labelled& member : type.members) {
    const Type& part = *member.type;
    absorb(type, &part);
    type.alignment = std::max(type.alignment, part.alignment);
    type.alignment64 = std::max(type.alignment64, part.alignment64);
    layout.size = alignTo(layout.size, part.alignment);
    layout.size64 = alignTo(layout.size64, part.alignment64);
    // No offset that matters is cut: a larger one makes the whole type too large.
    member.offset = saturate(layout.size);
    layout.size += part.size;
    layout.size64 += part.size64;
    bytes += part.size;
    plain = plain && part.isPlainBytes;
    flatCount += part.flatCount;
  }
  layout.size = alignTo(layout.size, type.alignment);
  layout.size64 = alignTo(layout.size64, type.alignment64);
  type.isPlainBytes = plain && bytes == layout.size;
  type.flatCount = saturate(flatCount);
  if (flatCount > MAX_FLAT_PARAMS) return;
  for (const Labelled& member : type.members) {
    type.flat.insert(type.flat.end(), member.type->flat.begin(), member.type->flat.end());
  }
}

// `payloads` may contain nulls.
void sum(Type& type, Layout& layout, const std::vector<const Type*>& payloads) {
  type.discriminantSize = discriminantBytes(payloads.size());
  uint32_t payloadAlignment = 1;
  uint32_t payloadAlignment64 = 1;
  uint64_t payloadSize = 0;
  uint64_t payloadSize64 = 0;
  uint64_t flatCount = 0;
  for (const Type* payload : payloads) {
    if (payload == nullptr) continue;
    absorb(type, payload);
    payloadAlignment = std::max(payloadAlignment, payload->alignment);
    payloadAlignment64 = std::max(payloadAlignment64, payload->alignment64);
    payloadSize = std::max<uint64_t>(payloadSize, payload->size);
    payloadSize64 = std::max<uint64_t>(payloadSize64, payload->size64);
    flatCount = std::max<uint64_t>(flatCount, payload->flatCount);
  }
  type.alignment = std::max<uint32_t>(type.discriminantSize, payloadAlignment);
  type.alignment64 = std::max<uint32_t>(type.discriminantSize, payloadAlignment64);
  uint64_t offset = alignTo(type.discriminantSize, payloadAlignment);
  uint64_t offset64 = alignTo(type.discriminantSize, payloadAlignment64);
  type.payloadOffset = static_cast<uint32_t>(offset);
  layout.size = alignTo(offset + payloadSize, type.alignment);
  layout.size64 = alignTo(offset64 + payloadSize64, type.alignment64);
  type.flatCount = saturate(flatCount + 1);
  if (type.flatCount > MAX_FLAT_PARAMS) return;
  type.flat = {CoreType::I32};
  for (const Type* payload : payloads) {
    if (payload == nullptr) continue;
    for (size_t i = 0; i < payload->flat.size(); ++i) {
      if (i + 1 < type.flat.size()) {
        type.flat[i + 1] = join(type.flat[i + 1], payload->flat[i]);
      } else {
        type.flat.push_back(payload->flat[i]);
      }
    }
  }
}

std::vector<const Type*> payloadsOf(const Type& type) {
  switch (type.kind) {
    case TypeKind::OPTION:
      return {nullptr, type.element};
    case TypeKind::RESULT:
      return {type.ok, type.error};
    default: {
      std::vector<const Type*> payloads;
      payloads.reserve(type.members.size());
      for (const Labelled& member : type.members) payloads.push_back(member.type);
      return payloads;
    }
  }
}

Layout derive(Type& type) {
  Layout layout;
  switch (type.kind) {
    case TypeKind::S8:
    case TypeKind::U8:
      type.isPlainBytes = true;
      [[fallthrough]];
    case TypeKind::BOOL:
      scalar(type, layout, 1, CoreType::I32);
      break;
    case TypeKind::S16:
    case TypeKind::U16:
      type.isPlainBytes = true;
      scalar(type, layout, 2, CoreType::I32);
      break;
    case TypeKind::S32:
    case TypeKind::U32:
      type.isPlainBytes = true;
      [[fallthrough]];
    case TypeKind::CHAR:
    case TypeKind::ERROR_CONTEXT:
      scalar(type, layout, 4, CoreType::I32);
      break;
    case TypeKind::S64:
    case TypeKind::U64:
      type.isPlainBytes = true;
      scalar(type, layout, 8, CoreType::I64);
      break;
    case TypeKind::F32:
      type.isPlainBytes = true;
      scalar(type, layout, 4, CoreType::F32);
      break;
    case TypeKind::F64:
      type.isPlainBytes = true;
      scalar(type, layout, 8, CoreType::F64);
      break;
    case TypeKind::STRING:
      pointerPair(type, layout);
      break;
    case TypeKind::LIST:
      absorb(type, type.element);
      if (type.fixedLength != 0) {
        inlineList(type, layout);
        break;
      }
      // The pairs of a map are no level of their own.
      if (type.isMap) type.depth = type.element->depth;
      pointerPair(type, layout);
      break;
    case TypeKind::RECORD:
    case TypeKind::TUPLE:
      product(type, layout);
      break;
    case TypeKind::VARIANT:
    case TypeKind::ENUM:
    case TypeKind::OPTION:
    case TypeKind::RESULT:
      sum(type, layout, payloadsOf(type));
      break;
    case TypeKind::FLAGS: {
      size_t count = type.members.size();
      scalar(type, layout, count <= 8 ? 1 : count <= 16 ? 2 : 4, CoreType::I32);
      break;
    }
    case TypeKind::OWN:
      type.hasResource = true;
      scalar(type, layout, 4, CoreType::I32);
      break;
    case TypeKind::BORROW:
      type.hasResource = true;
      type.hasBorrow = true;
      scalar(type, layout, 4, CoreType::I32);
      break;
    case TypeKind::STREAM:
    case TypeKind::FUTURE:
      absorb(type, type.element);
      scalar(type, layout, 4, CoreType::I32);
      break;
  }
  type.size = saturate(layout.size);
  type.size64 = saturate(layout.size64);
  return layout;
}

std::vector<Labelled> labelled(std::vector<std::string> labels) {
  std::vector<Labelled> members;
  members.reserve(labels.size());
  for (std::string& label : labels) members.push_back({std::move(label), nullptr, 0});
  return members;
}

Error empty(const char* what, const char* member) {
  return {ErrorCode::INVALID, std::string(what) + " type without a " + member};
}

}  // namespace

// -- The table ------------------------------------------------------------------------------------

TypeTable::TypeTable() {
  for (size_t i = 0; i < std::size(primitives_); ++i) {
    Type type;
    type.kind = static_cast<TypeKind>(i);
    primitives_[i] = internUnchecked(std::move(type));
  }
}

const Type* TypeTable::primitive(TypeKind kind) const {
  return primitives_[static_cast<size_t>(kind)];
}

const Type* TypeTable::find(const Type& type, size_t hash) const {
  auto [begin, end] = byHash_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (sameStructure(*it->second, type)) return it->second;
  }
  return nullptr;
}

const Type* TypeTable::add(Type type, size_t hash) {
  const Type* node = &nodes_.emplace_back(std::move(type));
  byHash_.emplace(hash, node);
  return node;
}

Result<const Type*> TypeTable::intern(Type type) {
  size_t hash = hashOf(type);
  if (const Type* known = find(type, hash)) return known;
  Layout layout = derive(type);
  if (type.depth > MAX_TYPE_DEPTH) {
    return Error{ErrorCode::LIMIT_EXCEEDED,
                 "type is nested deeper than " + std::to_string(MAX_TYPE_DEPTH) + " levels"};
  }
  uint64_t size = std::max(layout.size, layout.size64);
  if (size >= MAX_TYPE_SIZE) {
    return Error{ErrorCode::LIMIT_EXCEEDED, "a value of the type takes " + std::to_string(size) +
                                                " bytes, the limit is " +
                                                std::to_string(MAX_TYPE_SIZE - 1)};
  }
  return add(std::move(type), hash);
}

const Type* TypeTable::internUnchecked(Type type) {
  size_t hash = hashOf(type);
  if (const Type* known = find(type, hash)) return known;
  derive(type);
  return add(std::move(type), hash);
}

Result<const Type*> TypeTable::list(const Type* element) {
  Type type;
  type.kind = TypeKind::LIST;
  type.element = element;
  return intern(std::move(type));
}

Result<const Type*> TypeTable::map(const Type* key, const Type* value) {
  // The limit on sizes is for types that are written down, which the pair is not.
  Type pair;
  pair.kind = TypeKind::TUPLE;
  pair.members = {{{}, key, 0}, {{}, value, 0}};
  Type type;
  type.kind = TypeKind::LIST;
  type.element = internUnchecked(std::move(pair));
  type.isMap = true;
  return intern(std::move(type));
}

Result<const Type*> TypeTable::fixedList(const Type* element, uint32_t length) {
  if (length == 0) return Error{ErrorCode::INVALID, "list type with a length of 0"};
  Type type;
  type.kind = TypeKind::LIST;
  type.element = element;
  type.fixedLength = length;
  return intern(std::move(type));
}

Result<const Type*> TypeTable::record(std::vector<Labelled> fields) {
  if (fields.empty()) return empty("record", "field");
  Type type;
  type.kind = TypeKind::RECORD;
  type.members = std::move(fields);
  return intern(std::move(type));
}

Result<const Type*> TypeTable::tuple(std::vector<const Type*> elements) {
  if (elements.empty()) return empty("tuple", "member");
  Type type;
  type.kind = TypeKind::TUPLE;
  type.members.reserve(elements.size());
  for (const Type* element : elements) type.members.push_back({{}, element, 0});
  return intern(std::move(type));
}

Result<const Type*> TypeTable::variant(std::vector<Labelled> cases) {
  if (cases.empty()) return empty("variant", "case");
  Type type;
  type.kind = TypeKind::VARIANT;
  type.members = std::move(cases);
  for (Labelled& member : type.members) member.offset = 0;
  return intern(std::move(type));
}

Result<const Type*> TypeTable::enumeration(std::vector<std::string> labels) {
  if (labels.empty()) return empty("enum", "case");
  Type type;
  type.kind = TypeKind::ENUM;
  type.members = labelled(std::move(labels));
  return intern(std::move(type));
}

Result<const Type*> TypeTable::option(const Type* element) {
  Type type;
  type.kind = TypeKind::OPTION;
  type.element = element;
  return intern(std::move(type));
}

Result<const Type*> TypeTable::result(const Type* ok, const Type* error) {
  Type type;
  type.kind = TypeKind::RESULT;
  type.ok = ok;
  type.error = error;
  return intern(std::move(type));
}

Result<const Type*> TypeTable::flags(std::vector<std::string> labels) {
  if (labels.empty()) return empty("flags", "label");
  if (labels.size() > 32) {
    return Error{ErrorCode::INVALID, "flags type with " + std::to_string(labels.size()) +
                                         " labels, there can be at most 32"};
  }
  Type type;
  type.kind = TypeKind::FLAGS;
  type.members = labelled(std::move(labels));
  return intern(std::move(type));
}

const Type* TypeTable::own(uint32_t resource) {
  Type type;
  type.kind = TypeKind::OWN;
  type.resource = resource;
  return internUnchecked(std::move(type));
}

const Type* TypeTable::borrow(uint32_t resource) {
  Type type;
  type.kind = TypeKind::BORROW;
  type.resource = resource;
  return internUnchecked(std::move(type));
}

void TypeTable::nameResources(const std::function<std::string(uint32_t resource)>& name) {
  for (Type& type : nodes_) {
    if (type.kind != TypeKind::OWN && type.kind != TypeKind::BORROW) continue;
    std::string label = name(type.resource);
    if (!label.empty()) type.members = {{std::move(label), nullptr, 0}};
  }
}

Result<const Type*> TypeTable::stream(const Type* element) {
  Type type;
  type.kind = TypeKind::STREAM;
  type.element = element;
  return intern(std::move(type));
}

Result<const Type*> TypeTable::future(const Type* element) {
  Type type;
  type.kind = TypeKind::FUTURE;
  type.element = element;
  return intern(std::move(type));
}

namespace {

// Remembers every node it has replaced: a type that shares its parts is walked once.
class Substitution {
 public:
  using Intern = std::function<const Type*(Type)>;
  using Map = std::function<uint32_t(uint32_t)>;

  Substitution(const Map& map, Intern intern) : map_(map), intern_(std::move(intern)) {}

  const Type* apply(const Type* type) {
    if (type == nullptr || !type->hasResource) return type;
    if (auto it = done_.find(type); it != done_.end()) return it->second;
    const Type* replaced = rebuild(*type);
    done_.emplace(type, replaced);
    return replaced;
  }

 private:
  const Type* rebuild(const Type& type) {
    Type copy;
    copy.kind = type.kind;
    copy.element = apply(type.element);
    copy.ok = apply(type.ok);
    copy.error = apply(type.error);
    bool isHandle = type.kind == TypeKind::OWN || type.kind == TypeKind::BORROW;
    copy.resource = isHandle ? map_(type.resource) : type.resource;
    copy.isMap = type.isMap;
    copy.fixedLength = type.fixedLength;
    copy.members.reserve(type.members.size());
    for (const Labelled& member : type.members) {
      copy.members.push_back({member.label, apply(member.type), member.offset});
    }
    return intern_(std::move(copy));
  }

  const Map& map_;
  Intern intern_;
  std::unordered_map<const Type*, const Type*> done_;
};

}  // namespace

const Type* TypeTable::substitute(const Type* type, const std::function<uint32_t(uint32_t)>& map) {
  Substitution substitution(map, [this](Type copy) { return internUnchecked(std::move(copy)); });
  return substitution.apply(type);
}

// -- Function types -------------------------------------------------------------------------------

namespace {

uint64_t flatParams(const FuncType& type) {
  uint64_t count = 0;
  for (const Parameter& param : type.params) count += param.type->flatCount;
  return count;
}

// The flat parameters, or one pointer if there are more than `limit` (at most MAX_FLAT_PARAMS).
std::vector<CoreType> paramsUpTo(const FuncType& type, uint32_t limit) {
  uint64_t count = flatParams(type);
  if (count > limit) return {CoreType::I32};
  std::vector<CoreType> flat;
  flat.reserve(count + 1);
  for (const Parameter& param : type.params) {
    flat.insert(flat.end(), param.type->flat.begin(), param.type->flat.end());
  }
  return flat;
}

}  // namespace

bool paramsSpill(const FuncType& type) { return flatParams(type) > MAX_FLAT_PARAMS; }

bool resultSpills(const FuncType& type) {
  return type.result != nullptr && type.result->flatCount > MAX_FLAT_RESULTS;
}

CoreSignature flattenLift(const FuncType& type) {
  CoreSignature signature{paramsUpTo(type, MAX_FLAT_PARAMS), {}};
  if (resultSpills(type)) {
    signature.results = {CoreType::I32};
  } else if (type.result != nullptr) {
    signature.results = type.result->flat;
  }
  return signature;
}

CoreSignature flattenLower(const FuncType& type) {
  CoreSignature signature{paramsUpTo(type, MAX_FLAT_PARAMS), {}};
  if (resultSpills(type)) {
    signature.params.push_back(CoreType::I32);
  } else if (type.result != nullptr) {
    signature.results = type.result->flat;
  }
  return signature;
}

CoreSignature flattenAsyncLift(const FuncType& type, AsyncLift lift) {
  CoreSignature signature{paramsUpTo(type, MAX_FLAT_PARAMS), {}};
  if (lift == AsyncLift::CALLBACK) signature.results = {CoreType::I32};
  return signature;
}

CoreSignature flattenAsyncLower(const FuncType& type) {
  CoreSignature signature{paramsUpTo(type, MAX_FLAT_ASYNC_PARAMS), {CoreType::I32}};
  if (type.result != nullptr) signature.params.push_back(CoreType::I32);
  return signature;
}

TupleLayout paramsLayout(const FuncType& type) {
  TupleLayout layout;
  layout.offsets.reserve(type.params.size());
  for (const Parameter& param : type.params) {
    layout.alignment = std::max(layout.alignment, param.type->alignment);
    layout.size = alignTo(layout.size, param.type->alignment);
    layout.offsets.push_back(saturate(layout.size));
    layout.size += param.type->size;
  }
  layout.size = alignTo(layout.size, layout.alignment);
  return layout;
}

}  // namespace tenon::component
