#include "link/isolated.h"

#include <set>
#include <string_view>
#include <utility>
#include <variant>

namespace tenon::link {
namespace {

namespace typed = component::typed;

// The resource that a component imports for what fails a call; 0: it imports none.
typed::ResourceId errorOf(const component::ComponentInterface& importer) {
  constexpr std::string_view INTERFACE = "wrpc:rpc/error@0.1.0";
  for (const typed::Item& import : importer.imports()) {
    if (component::canonicalName(import.name.name) != component::canonicalName(INTERFACE)) continue;
    auto* instance = std::get_if<const typed::InstanceNode*>(&import.entity);
    const typed::Item* error = instance ? (*instance)->exports.find("error") : nullptr;
    auto* type = error ? std::get_if<typed::TypeBinding>(&error->entity) : nullptr;
    auto* resource = type ? std::get_if<typed::ResourceRef>(&type->created) : nullptr;
    if (resource) return resource->id;
  }
  return 0;
}

// `error`: the resource that a result may have as its error. Null: it can be called in another
// store.
const char* whyNotAcross(const typed::FuncNode& func, typed::ResourceId error) {
  if (func.async) return ": asynchronous functions are not supported yet";
  std::set<const Type*> seen;
  std::vector<const Type*> pending;
  for (const auto& param : func.params) pending.push_back(param.type.node->type);
  if (func.result) {
    const typed::ValNode& result = *func.result.node;
    const bool isResult = result.type->kind == TypeKind::RESULT && result.parts.size() == 2;
    const typed::ValNode* failure = isResult ? result.parts[1].node : nullptr;
    if (error != 0 && failure && failure->type->kind == TypeKind::OWN &&
        failure->resource.id == error) {
      pending.push_back(result.type->ok);
    } else {
      pending.push_back(result.type);
    }
  }
  while (!pending.empty()) {
    const Type* type = pending.back();
    pending.pop_back();
    if (!type || !seen.insert(type).second) continue;
    if (type->hasResource) return ": it takes or gives handles, which is not supported yet";
    if (type->kind == TypeKind::STREAM || type->kind == TypeKind::FUTURE ||
        type->kind == TypeKind::ERROR_CONTEXT) {
      return ": streams, futures and error contexts are not supported yet";
    }
    for (const Labelled& member : type->members) pending.push_back(member.type);
    for (const Type* part : {type->element, type->ok, type->error}) pending.push_back(part);
  }
  return nullptr;
}

// Whether a type is a resource that is introduced here, for which somebody must stand.
bool isNewResource(const typed::TypeBinding& type) {
  return std::holds_alternative<typed::ResourceRef>(type.created) &&
         type.created == type.referenced;
}

}  // namespace

std::vector<Error> policyProblems(const WorkloadLink& said) {
  std::vector<Error> problems;
  auto refuse = [&](const char* why) { problems.push_back(Error(ErrorCode::INVALID, why)); };
  const bool isIsolated = said.via == WorkloadLink::Via::ISOLATED;
  if (!isIsolated && (said.timeout || said.maxMemory || said.instances)) {
    refuse(
        "timeout, max-memory and instances are for links with via = \"isolated\": this one is "
        "fused, and shares what its importer has");
  }
  if (!said.instances) return problems;
  const InstancePolicy& policy = *said.instances;
  using Life = InstancePolicy::Life;
  if (policy.life == Life::FRESH && (policy.maxCalls != 0 || policy.idle)) {
    refuse(
        "max-calls and idle are for instances that are reused or pooled: a fresh one has one call");
  }
  if (policy.life == Life::REUSED && policy.max != 0) {
    refuse("max is for instances that are fresh or pooled: of reused ones there is one");
  }
  return problems;
}

std::vector<Error> crossingProblems(const component::ComponentInterface& importer,
                                    const typed::Item& import) {
  std::vector<Error> problems;
  const typed::ResourceId error = errorOf(importer);
  auto refuse = [&](const std::string& what, const char* why) {
    problems.push_back(
        Error(ErrorCode::UNSUPPORTED, what + " cannot cross an isolated link" + why));
  };
  auto check = [&](std::string_view name, const typed::Entity& entity) {
    if (auto* func = std::get_if<const typed::FuncNode*>(&entity)) {
      if (const char* why = whyNotAcross(**func, error))
        refuse("function " + std::string(name), why);
    } else if (auto* type = std::get_if<typed::TypeBinding>(&entity)) {
      if (isNewResource(*type)) refuse("resource " + std::string(name), " yet");
    } else {
      refuse(std::string(typed::describe(entity)) + " " + std::string(name), "");
    }
  };
  if (auto* instance = std::get_if<const typed::InstanceNode*>(&import.entity)) {
    for (const typed::Item& item : (*instance)->exports) check(item.name.name, item.entity);
  } else {
    check(import.name.name, import.entity);
  }
  return problems;
}

}  // namespace tenon::link
