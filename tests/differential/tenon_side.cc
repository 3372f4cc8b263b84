#include "component/abi/dynamic.h"
#include "random_values.h"
#include "run/dynamic_call.h"
#include "run/executable.h"
#include "run/instance.h"
#include "run/linked.h"
#include "sides.h"

#include <map>

namespace tenon::differential {
namespace {

// Handles are nothing but their representation.
class PlainHandles final : public abi::HandleFactory {
 public:
  virtual ~PlainHandles() = default;
  std::shared_ptr<ResourceHandle> wrapOwn(uint32_t, uint32_t rep) override {
    return std::make_shared<TestHandle>(rep);
  }
  std::shared_ptr<ResourceHandle> wrapBorrow(uint32_t, uint32_t rep) override {
    return std::make_shared<TestHandle>(rep);
  }
  const char* refuseOwn(const ResourceHandle&, uint32_t) const override { return nullptr; }
  const char* refuseBorrow(const ResourceHandle&, uint32_t) const override { return nullptr; }
  uint32_t takeOwn(ResourceHandle& handle) override { return repOf(handle); }
  uint32_t borrow(ResourceHandle& handle) override { return repOf(handle); }

 private:
  static uint32_t repOf(const ResourceHandle& handle) {
    return static_cast<const TestHandle&>(handle).rep;
  }
};

struct HostClosure {
  Script* script = nullptr;
  std::string name;
  PlainHandles handles;

  static void invoke(void* self, call::HostCall& call, RawValue* values) noexcept {
    auto& closure = *static_cast<HostClosure*>(self);
    Script& script = *closure.script;
    call.handles = &closure.handles;
    std::vector<Value> arguments = abi::liftParams(call, call.type, values);
    if (call.failed()) return;
    script.events.push_back({closure.name, std::move(arguments)});
    if (closure.name == "mark") return;
    if (script.refuses) return call.trap("the script refuses");
    if (call.type.result) abi::lowerResult(call, call.type, &*script.result, values);
  }
};

class TenonSide final : public Side {
 public:
  explicit TenonSide(std::shared_ptr<const run::Linked> linked) : linked_(std::move(linked)) {}
  virtual ~TenonSide() = default;

  Result<void> instantiate() override {
    exports_.clear();
    instance_ = nullptr;
    TENON_TRY(instance_, run::Instance::create(linked_));
    for (const component::ProgramExport& item : instance_->program().exports) {
      if (auto* lifted = std::get_if<component::LiftedFunction>(&item.item)) {
        TENON_TRY(run::Instance::Export resolved, instance_->resolve(*lifted));
        exports_.emplace(item.name, resolved);
      }
    }
    return {};
  }

  Outcome call(const std::string& name, const FuncType&,
               const std::vector<Value>& arguments) override {
    auto found = exports_.find(name);
    if (found == exports_.end()) return {"no export " + name, {}};
    run::DynamicCall call{.type = found->second.lifted->type,
                          .arguments = arguments,
                          .handles = &handles_,
                          .results = {}};
    instance_->beginCall();
    if (!instance_->execute(found->second, call.codec())) {
      return {instance_->store().takeTrap().message, {}};
    }
    return {std::nullopt, std::move(call.results)};
  }

 private:
  std::shared_ptr<const run::Linked> linked_;
  PlainHandles handles_;
  std::unique_ptr<run::Instance> instance_;
  std::map<std::string, run::Instance::Export> exports_;
};

}  // namespace

std::shared_ptr<engine::Engine> newTenonEngine() {
  engine::EngineOptions options;
  options.allocation = engine::Allocation::ON_DEMAND;
  options.parallelCompilation = false;
  return engine::Engine::create(options).value();
}

Result<std::unique_ptr<Side>> newTenonSide(const std::shared_ptr<engine::Engine>& engine,
                                           std::span<const std::byte> component, Script& script,
                                           component::Rewriting rewriting) {
  component::Features features;
  features.maps = true;
  std::vector<std::byte> bytes(component.begin(), component.end());
  TENON_TRY(auto executable, run::Executable::link(std::move(bytes), "test", rewriting, features));
  TENON_CHECK(executable->compile(engine, nullptr));
  call::Registry registry;
  auto add = [&](const char* interface, const std::string& name) {
    auto closure = std::make_shared<HostClosure>();
    closure->script = &script;
    closure->name = name;
    registry.add(interface, name,
                 {.function = &HostClosure::invoke, .closure = std::move(closure), .mismatch = {}});
  };
  for (size_t i = 0; i < script.functions.size(); ++i) add("host", "f" + std::to_string(i));
  add("log", "mark");
  registry.addResource("host", {.name = "res", .drop = [&script](call::PartContext*, uint32_t rep) {
                                  script.events.push_back({"drop", {Value(rep)}});
                                }});
  TENON_TRY(auto linked, run::Linked::link(engine, std::move(executable), registry));
  return std::unique_ptr<Side>(std::make_unique<TenonSide>(std::move(linked)));
}

}  // namespace tenon::differential
