#pragma once

// The types and functions of WIT out of a type graph: each identity becomes one type of the model,
// the first time that it is seen.

#include "base/keyed_hash.h"
#include "component/wit/model.h"
#include "component/wit/type_graph.h"

#include <tenon/result.h>

#include <string>
#include <string_view>
#include <unordered_map>

namespace tenon::component::wit {

// UNSUPPORTED: "cannot be written as WIT: ...".
Error unprintable(std::string why);

// Adds to `model`. Both outlive it.
class TypeDecoder {
 public:
  TypeDecoder(const TypeGraph& graph, Model& model) : graph_(graph), model_(model) {}

  // The type that the item `name` introduces in `owner`. Returns its index. The caller puts it into
  // the interface or world.
  Result<uint32_t> declare(std::string_view name, const Item& item, Owner owner);

  // `entity` is another sight of the type `known`, called `name`: from now on its identities, and
  // those of the unnamed types inside, stand for those of `known`.
  Result<> recognise(uint32_t known, const Entity& entity, std::string_view name);

  // Counts work, of the caller too. Errors: LIMIT_EXCEEDED above MAX_STEPS.
  Result<> spend(uint64_t steps);

  // A function, with its resource found in `owner`.
  Result<Function> function(std::string_view name, const Item& item, Owner owner);

 private:
  Result<TypeRef> use(const ValueUse& use);
  Result<> convert(const DefinedNode& node, TypeDef& out);
  std::optional<uint32_t> findAlias(TypeId id);
  Result<uint32_t> resourceOf(TypeId id) const;
  Result<> compare(uint32_t known, const DefinedNode& node);
  Result<uint32_t> add(TypeDef type);

  const TypeGraph& graph_;
  Model& model_;
  std::unordered_map<TypeId, uint32_t, TypeIdHash> known_;  // identity to index in Model::types
  // By owner, then by name.
  std::unordered_map<uint64_t, TextMap<uint32_t>> resources_;
  uint64_t steps_ = 0;
};

}  // namespace tenon::component::wit
