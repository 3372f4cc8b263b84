#include "component/types/layout.h"

#include "component/types/type_table.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace tenon::component {
namespace {

uint64_t alignTo(uint64_t offset, uint64_t alignment) {
  return (offset + alignment - 1) & ~(alignment - 1);
}

uint32_t saturate(uint64_t count) {
  return static_cast<uint32_t>(std::min<uint64_t>(count, std::numeric_limits<uint32_t>::max()));
}

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
  type.flat.reserve(flatCount);
  for (const Labelled& member : type.members) {
    type.flat.insert(type.flat.end(), member.type->flat.begin(), member.type->flat.end());
  }
}

// `forEach(visit)` calls `visit` with every payload that is there.
template <typename ForEach>
void sum(Type& type, Layout& layout, uint64_t cases, ForEach forEach) {
  type.discriminantSize = discriminantBytes(cases);
  uint32_t payloadAlignment = 1;
  uint32_t payloadAlignment64 = 1;
  uint64_t payloadSize = 0;
  uint64_t payloadSize64 = 0;
  uint64_t flatCount = 0;
  forEach([&](const Type& payload) {
    absorb(type, &payload);
    payloadAlignment = std::max(payloadAlignment, payload.alignment);
    payloadAlignment64 = std::max(payloadAlignment64, payload.alignment64);
    payloadSize = std::max<uint64_t>(payloadSize, payload.size);
    payloadSize64 = std::max<uint64_t>(payloadSize64, payload.size64);
    flatCount = std::max<uint64_t>(flatCount, payload.flatCount);
  });
  type.alignment = std::max<uint32_t>(type.discriminantSize, payloadAlignment);
  type.alignment64 = std::max<uint32_t>(type.discriminantSize, payloadAlignment64);
  uint64_t offset = alignTo(type.discriminantSize, payloadAlignment);
  uint64_t offset64 = alignTo(type.discriminantSize, payloadAlignment64);
  type.payloadOffset = static_cast<uint32_t>(offset);
  layout.size = alignTo(offset + payloadSize, type.alignment);
  layout.size64 = alignTo(offset64 + payloadSize64, type.alignment64);
  type.flatCount = saturate(flatCount + 1);
  if (type.flatCount > MAX_FLAT_PARAMS) return;
  type.flat.reserve(type.flatCount);
  type.flat.push_back(CoreType::I32);
  forEach([&](const Type& payload) {
    for (size_t i = 0; i < payload.flat.size(); ++i) {
      if (i + 1 < type.flat.size()) {
        type.flat[i + 1] = join(type.flat[i + 1], payload.flat[i]);
      } else {
        type.flat.push_back(payload.flat[i]);
      }
    }
  });
}

}  // namespace

Layout deriveLayout(Type& type) {
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
      sum(type, layout, type.members.size(), [&](auto visit) {
        for (const Labelled& member : type.members) {
          if (member.type != nullptr) visit(*member.type);
        }
      });
      break;
    case TypeKind::ENUM:
      sum(type, layout, type.members.size(), [](auto) {});
      break;
    case TypeKind::OPTION:
      sum(type, layout, 2, [&](auto visit) { visit(*type.element); });
      break;
    case TypeKind::RESULT:
      sum(type, layout, 2, [&](auto visit) {
        if (type.ok != nullptr) visit(*type.ok);
        if (type.error != nullptr) visit(*type.error);
      });
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

// -- Functions ------------------------------------------------------------------------------------

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
