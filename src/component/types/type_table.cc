#include "component/types/type_table.h"

#include "base/keyed_hash.h"
#include "component/types/layout.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tenon::component {
namespace {

// -- Interning ------------------------------------------------------------------------------------

// Over what the type's maker chose, not over what is derived from it.
uint32_t hashOf(const Type& type) {
  KeyedHash hash;
  hash.add(uint64_t{static_cast<uint8_t>(type.kind)} | uint64_t{type.isMap} << 8 |
           uint64_t{type.members.size()} << 16);
  hash.add(uint64_t{type.fixedLength} << 32 | type.resource);
  hash.addAddress(type.element);
  if (type.kind == TypeKind::RESULT) hash.addAddress(type.ok).addAddress(type.error);
  for (const Labelled& member : type.members) hash.add(member.label).addAddress(member.type);
  return static_cast<uint32_t>(hash.finish());
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

TypeTable::TypeTable() : slots_(64) {
  for (size_t i = 0; i < std::size(primitives_); ++i) {
    Type type;
    type.kind = static_cast<TypeKind>(i);
    primitives_[i] = internUnchecked(std::move(type));
  }
}

const Type* TypeTable::primitive(TypeKind kind) const {
  return primitives_[static_cast<size_t>(kind)];
}

const Type* TypeTable::find(const Type& type, uint32_t hash) const {
  size_t mask = slots_.size() - 1;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.node == 0) return nullptr;
    if (slot.hash != hash) continue;
    const Type& known = node(slot.node - 1);
    if (sameStructure(known, type)) return &known;
  }
}

void TypeTable::index(Slot added) {
  size_t mask = slots_.size() - 1;
  size_t i = added.hash & mask;
  while (slots_[i].node != 0) i = (i + 1) & mask;
  slots_[i] = added;
}

const Type* TypeTable::add(Type&& type, uint32_t hash) {
  if (count_ % CHUNK == 0) chunks_.emplace_back().reserve(CHUNK);
  const Type* added = &chunks_.back().emplace_back(std::move(type));
  ++count_;
  if (count_ * 2 > slots_.size()) {
    std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(4 * slots_.size()));
    for (const Slot& slot : old) {
      if (slot.node != 0) index(slot);
    }
  }
  index({hash, static_cast<uint32_t>(count_)});
  return added;
}

Result<const Type*> TypeTable::intern(Type&& type) {
  uint32_t hash = hashOf(type);
  if (const Type* known = find(type, hash)) return known;
  Layout layout = deriveLayout(type);
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

const Type* TypeTable::internUnchecked(Type&& type) {
  uint32_t hash = hashOf(type);
  if (const Type* known = find(type, hash)) return known;
  deriveLayout(type);
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
  for (size_t i = 0; i < count_; ++i) {
    Type& type = node(i);
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

}  // namespace tenon::component
