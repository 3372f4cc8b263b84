#pragma once

// What components import and export, for those who link them: `link/plan` and whoever prints
// worlds.
//
// The components of one workload are described in one `Interfaces`, so that their types can be
// compared: equal value types have one address there. Resources are numbers; those that a
// component's type binds (`ComponentNode::imported`, `defined`) mean something only in an instance
// of it. `Linkage` keeps what they mean.

#include "component/binary/decoder.h"
#include "component/binary/definitions.h"
#include "component/validate/entity_type.h"
#include "component/validate/names.h"
#include "component/validate/subtyping.h"

#include <tenon/result.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tenon::component {

// The imports and exports of a valid component, in order, by name. A view: it lives as long as the
// Interfaces that made it and the bytes that the component was decoded from.
struct ComponentInterface {
  const typed::ComponentNode* type = nullptr;

  const typed::Items& imports() const { return type->imports; }
  const typed::Items& exports() const { return type->exports; }
};

// Owns the types of some components. Neither copied nor moved; for one thread while it grows.
class Interfaces {
 public:
  // Validates and describes. Errors: as `validate`.
  Result<ComponentInterface> describe(const Component& component, const Features& features = {});

  const typed::Arena& arena() const { return arena_; }

 private:
  typed::Arena arena_;
};

// One instance of a component in a workload: what the resources in its interface stand for.
struct LinkedInstance {
  const typed::ComponentNode* type = nullptr;
  typed::Identities resources;
};

// Checks links between instances, in an order in which every import is linked before what depends
// on it: the imports of an instance in their own order, and an exporter's imports before its
// exports are used. Pure; borrows the Interfaces.
class Linkage {
 public:
  explicit Linkage(const Interfaces& interfaces) : interfaces_(interfaces) {}

  // A new instance. Its own resources are equal to no other's.
  LinkedInstance instance(const ComponentInterface& component);

  // Satisfies the import of `importer` at `import` by an export of `exporter`. If the types fit,
  // the resources that the import introduces stand for the exporter's from now on. Otherwise
  // nothing changes, and the first difference is returned: "record cart.item, field price: expected
  // u64, found f64". Names are not compared.
  std::optional<typed::Mismatch> link(LinkedInstance& importer, size_t import,
                                      const LinkedInstance& exporter, const typed::Item& item);

  // The same by something that the host provides and whose type is not known here. Resources of the
  // same name in the same interface (by its canonical name) are the same for every importer.
  void linkToHost(LinkedInstance& importer, size_t import);

 private:
  typed::Identity fresh() { return next_++; }

  const Interfaces& interfaces_;
  typed::Identity next_ = typed::Identity{1} << 32;
  OwnedTextMap<typed::Identity> hostResources_;
};

// "func(a: u32)", "instance", "resource", "record { ... }": an item's type for messages.
std::string toString(const typed::Entity& entity);

}  // namespace tenon::component
