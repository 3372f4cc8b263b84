#pragma once

// Is one type usable where another is asked for? Value and function types must be equal; instances
// and components may export more and import less; core modules match as core types do.
// Source: Explainer.md "Type Checking".

#include "component/validate/entity_type.h"

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace tenon::component::typed {

// The first difference found.
struct Mismatch {
  std::vector<std::string> path;  // innermost first: "field price", "record item"
  std::string message;            // "expected u64, found f64"

  // "record item, field price: expected u64, found f64"
  std::string text() const;
};

// Which resource is which during a comparison. Numbers of one comparison; no two meanings share
// one.
using Identity = uint64_t;
using Identities = std::unordered_map<ResourceId, Identity>;

// Compares types: `actual` is what there is, `expected` what is asked for. For one thread.
class Matcher {
 public:
  // Every type given is of one arena, whose core types these are (borrowed). A resource stands for
  // itself, unless the map of its side says what it stands for: identities of 2^32 up to 2^40.
  explicit Matcher(const CoreTypeTable& coreTypes) : coreTypes_(coreTypes) {}
  Matcher(const CoreTypeTable& coreTypes, Identities actual, Identities expected);

  // `name` is what the error calls the two.
  std::optional<Mismatch> item(std::string_view name, const Entity& actual, const Entity& expected);
  std::optional<Mismatch> entity(const Entity& actual, const Entity& expected);
  // Structural equality.
  std::optional<Mismatch> value(const Type* actual, const Type* expected);

  using Lookup = std::function<const Entity*(std::string_view name)>;

  // Supplies `bound`, which is found in `items` of the expected side by its path, from what
  // `arguments` has under the same names. Where the shapes differ nothing is supplied: comparing
  // then finds the difference.
  void supply(const Bound& bound, const Items& items, const Lookup& arguments);
  // The same for the resources that an instance type binds, found by searching it.
  void supply(const InstanceNode& expected, const InstanceNode& actual);
  // The same for a resource that a type import introduces.
  void supply(const TypeBinding& expected, const TypeBinding& actual);

  // What a resource of the expected side has come to mean; empty if nothing.
  std::optional<Identity> meaning(ResourceId id) const;

 private:
  static Identity resolve(const Identities& side, ResourceId id);
  Identities& actual() { return sides_[swapped_ ? 1 : 0]; }
  Identities& expected() { return sides_[swapped_ ? 0 : 1]; }
  Identity fresh() { return next_++; }

  std::optional<Mismatch> type(const AnyType& actual, const AnyType& expected);
  std::optional<Mismatch> func(const FuncNode& actual, const FuncNode& expected);
  std::optional<Mismatch> instance(const InstanceNode& actual, const InstanceNode& expected);
  std::optional<Mismatch> component(const ComponentNode& actual, const ComponentNode& expected);
  std::optional<Mismatch> imports(const ComponentNode& actual, const ComponentNode& expected);
  std::optional<Mismatch> module(const ModuleNode& actual, const ModuleNode& expected);
  std::optional<Mismatch> compare(const Type& actual, const Type& expected);
  std::optional<Mismatch> members(const Type& actual, const Type& expected);
  std::optional<Mismatch> optional(const Type* actual, const Type* expected, std::string_view what);

  struct PairHash {
    size_t operator()(const std::pair<const Type*, const Type*>& pair) const;
  };

  const CoreTypeTable& coreTypes_;
  Identities sides_[2];
  bool swapped_ = false;
  Identity next_ = Identity{1} << 40;
  std::string prefix_;  // of names in the instance that is being compared: "cart."
  // Pairs found equal during the current call of `value`.
  std::unordered_set<std::pair<const Type*, const Type*>, PairHash> equal_;
};

// Where each of `resources` is first exported under a name, searched depth first. Resources that
// are not exported are missing from the result.
std::unordered_map<ResourceId, std::vector<uint32_t>> explicitPaths(
    const Items& exports, const std::vector<ResourceId>& resources);

// Adds every resource that `entity` uses without binding it.
void collectFree(const Items& items, std::unordered_set<ResourceId>& free);
void collectFree(const AnyType& type, std::unordered_set<ResourceId>& free);

// For a label in messages: "record", "option", "u32".
std::string kindName(const Type& type);

}  // namespace tenon::component::typed
