#include "host/isolated.h"

#include "host/component.h"
#include "host/engine.h"
#include "host/instance.h"
#include "host/linker.h"
#include "host/prepared.h"
#include "host/scheduler.h"
#include "transport/isolated_link.h"
#include "transport/pool.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace tenon::host {

using component::ImportedFunction;
using component::LiftedFunction;

// -- StoreLinker ----------------------------------------------------------------------------------

StoreLinker::StoreLinker(const Engine& engine, const LinkerState& linker,
                         const std::vector<link::Store>& stores,
                         std::vector<std::shared_ptr<const run::Executable>> executables)
    : engine_(engine),
      linker_(linker),
      stores_(stores),
      executables_(std::move(executables)),
      marks_(stores.size(), Mark::NEW),
      linked_(stores.size()),
      targets_(stores.size()) {
  for (size_t i = 1; i < stores.size(); ++i) {
    targets_[i].name = stores[i].name;
    targets_[i].timeout = stores[i].timeout;
    targets_[i].policy = stores[i].instances;
  }
}

// Callees first, so that it is known which of their functions may wait. Of stores that call each
// other in a circle it is not known for all, and they may.
Result<std::vector<std::shared_ptr<const run::Linked>>> StoreLinker::link() {
  std::vector<std::pair<size_t, bool>> pending{{0, false}};  // whether its callees are done
  while (!pending.empty()) {
    auto [number, ready] = pending.back();
    pending.back().second = true;
    if (ready) {
      pending.pop_back();
      if (marks_[number] != Mark::OPEN) continue;
      TENON_CHECK(linkStore(number));
      marks_[number] = Mark::DONE;
      continue;
    }
    if (marks_[number] != Mark::NEW) {
      pending.pop_back();
      continue;
    }
    marks_[number] = Mark::OPEN;
    for (const link::PlannedPart& part : stores_[number].parts) {
      for (const link::Link& each : part.links) {
        auto* called = std::get_if<link::IsolatedPart>(&each.provider);
        if (called && marks_[called->store] == Mark::NEW) {
          pending.emplace_back(called->store, false);
        }
      }
    }
  }
  return linked_;
}

Result<void> StoreLinker::linkStore(size_t number) {
  const link::Store& store = stores_[number];
  const component::Program& program = executables_[number]->program();
  made_.clear();
  made_.reserve(program.imports.size());  // pointers into it
  std::optional<Error> failed;
  auto bound = linker_.bind(engine_, executables_[number], [&](const ImportedFunction& import) {
    auto found = functionFor(store, program, import);
    if (!found) failed = std::move(found).error();
    return found ? *found : nullptr;
  });
  if (failed) return *std::move(failed);
  TENON_TRY(linked_[number], std::move(bound));
  return {};
}

// Null: no isolated link is for it.
Result<const call::HostFunction*> StoreLinker::functionFor(const link::Store& store,
                                                           const component::Program& program,
                                                           const ImportedFunction& import) {
  const link::PlannedPart& part = store.parts[import.part];
  const bool isAtRoot = import.interface.empty();
  const std::string& wanted = isAtRoot ? import.name : import.interface;
  auto isIt = [&](const link::Link& link) { return link.import == wanted; };
  auto link = std::ranges::find_if(part.links, isIt);
  auto* called =
      link == part.links.end() ? nullptr : std::get_if<link::IsolatedPart>(&link->provider);
  if (!called) return nullptr;
  const link::Store& other = stores_[called->store];
  const LiftedFunction* lifted = nullptr;
  for (const component::ProgramExport& item : executables_[called->store]->program().exports) {
    auto* exports = std::get_if<component::ExportedInstance>(&item.item);
    if (!exports || item.name != other.parts[other.called].name) continue;
    lifted = isAtRoot ? findLifted(exports->exports, "", called->item)
                      : findLifted(exports->exports, called->item, import.name);
  }
  const std::string path = (isAtRoot ? "" : import.interface + ".") + import.name;
  const std::string names = part.name + " to " + other.name + ", " + path + ": ";
  if (!lifted) {
    return Error(ErrorCode::UNSUPPORTED,
                 "isolated link of " + names + "the callee passes on what it imports itself");
  }
  auto transfer = abi::Transfer::compile(import.type, lifted->type);
  if (!transfer) {
    Error error = std::move(transfer).error();
    error.message = "isolated link of " + names + error.message;
    return error;
  }
  TENON_TRY(size_t function, numberOf(called->store, *lifted));
  const auto& linked = linked_[called->store];
  auto blocking =
      !linked || linked->mayBlock(*lifted) ? call::Blocking::MAY_BLOCK : call::Blocking::NEVER;
  made_.push_back(transport::IsolatedLink::make(*std::move(transfer), part.name, called->store - 1,
                                                function, blocking,
                                                transport::ErrorResult::of(import.type, program)));
  return &made_.back();
}

Result<size_t> StoreLinker::numberOf(size_t store, const LiftedFunction& lifted) {
  auto& functions = targets_[store].functions;
  auto known = std::ranges::find(functions, &lifted, &run::Instance::ExportShape::lifted);
  if (known == functions.end()) {
    TENON_TRY(auto shape, run::Instance::shapeOf(lifted));
    functions.push_back(shape);
    return functions.size() - 1;
  }
  return static_cast<size_t>(known - functions.begin());
}

// -- IsolatedStores -------------------------------------------------------------------------------

class IsolatedStores::LoopTurns final : public transport::Turns {
 public:
  explicit LoopTurns(Scheduler& scheduler) : scheduler_(scheduler) {}

  Result<engine::Fiber::State> run(engine::Store& store, Slices slices, Run run,
                                   void* self) override {
    return scheduler_.run(store, slices == Slices::YES, [&] { return run(self); });
  }
  kj::Promise<void> nextTurn() override { return scheduler_.nextTurn(); }
  kj::Timer& timer() override { return scheduler_.timer(); }

 private:
  Scheduler& scheduler_;
};

class IsolatedStores::StoreGuest final : public transport::Guest {
 public:
  StoreGuest(LoopState& loop, std::shared_ptr<const PreparedState> prepared)
      : state(loop, std::move(prepared)) {}

  run::Instance* instance() override { return state.instance.get(); }
  void empty() override { state.instance = nullptr; }
  void failed() override {
    for (const auto& context : state.contexts) context->failed();
  }

  InstanceState state;
};

class IsolatedStores::StoreGuestMaker final : public transport::GuestMaker {
 public:
  // `contexts`: to be copied; outlive this.
  StoreGuestMaker(LoopState& loop, std::shared_ptr<const PreparedState> prepared,
                  const std::vector<std::unique_ptr<call::PartContext>>& contexts,
                  std::any* userData, uint64_t maxMemory, OnPart onPart)
      : loop_(loop),
        prepared_(std::move(prepared)),
        contexts_(contexts),
        userData_(userData),
        onPart_(std::move(onPart)) {
    settings_.limits.memoryBytes = prepared_->maxMemory.value_or(maxMemory);
    settings_.timeout = prepared_->timeout;
  }

  std::unique_ptr<transport::Guest> make() override {
    auto guest = std::make_unique<StoreGuest>(loop_, prepared_);
    guest->state.contexts.reserve(contexts_.size());
    for (const auto& context : contexts_) {
      auto& copied = guest->state.contexts.emplace_back(context->copy());
      copied->userData = userData_;
      copied->find<transport::PartLinks>()->guest = guest.get();
      if (onPart_) onPart_(*copied);
    }
    return guest;
  }

  Result<void> fill(transport::Guest& guest) override {
    InstanceState& state = static_cast<StoreGuest&>(guest).state;
    run::InstanceOptions settings = settings_;
    settings.whole = &state.whole;
    settings.parts = state.parts();
    const auto& linked = prepared_->linked;
    if (linked->hasStarts()) {
      TENON_TRY(state.instance, run::Instance::make(linked, std::move(settings)));
    } else {
      TENON_TRY(state.instance, run::Instance::create(linked, std::move(settings)));
    }
    return {};
  }

 private:
  LoopState& loop_;
  const std::shared_ptr<const PreparedState> prepared_;
  const std::vector<std::unique_ptr<call::PartContext>>& contexts_;
  std::any* const userData_;
  const OnPart onPart_;
  run::InstanceOptions settings_;
};

IsolatedStores::IsolatedStores(std::shared_ptr<const PreparedState> prepared, LoopState& loop)
    : prepared_(std::move(prepared)),
      turns_(std::make_unique<LoopTurns>(loop.scheduler)),
      contexts_(prepared_->isolated.size()),
      dispatcher_(std::make_unique<transport::Dispatcher>(*turns_)) {}

IsolatedStores::~IsolatedStores() noexcept(false) = default;

Result<std::unique_ptr<IsolatedStores>> IsolatedStores::create(
    std::shared_ptr<const PreparedState> prepared, LoopState& loop, const Adjust& adjust,
    std::any* userData, uint64_t maxMemory, const OnPart& onPart) {
  if (prepared->isolated.empty()) return std::unique_ptr<IsolatedStores>();
  auto stores = std::make_unique<IsolatedStores>(std::move(prepared), loop);
  for (size_t i = 0; i < stores->contexts_.size(); ++i) {
    const IsolatedStore& store = stores->prepared_->isolated[i];
    const std::vector<PlannedComponent>& components = store.prepared->plan->components;
    for (size_t part = 0; part < components.size(); ++part) {
      WasiOptions wasi = store.prepared->granted[part];
      if (adjust) adjust(components[part], wasi);
      TENON_TRY(auto context, store.prepared->newContext(loop, part, wasi));
      stores->giveTo(*context);
      stores->contexts_[i].push_back(std::move(context));
    }
    auto maker = std::make_unique<StoreGuestMaker>(loop, store.prepared, stores->contexts_[i],
                                                   userData, maxMemory, onPart);
    stores->dispatcher_->add(
        std::make_unique<transport::Pool>(store.target, std::move(maker), loop.scheduler.timer()));
  }
  return stores;
}

void IsolatedStores::giveTo(call::PartContext& context) {
  context.put<transport::PartLinks>(std::make_unique<transport::PartLinks>(*dispatcher_));
}

kj::Promise<void> IsolatedStores::drained() {
  kj::Promise<void> all = kj::READY_NOW;
  for (const auto& contexts : contexts_) {
    for (const auto& context : contexts) {
      all = all.then([&context]() { return context->drained(); });
    }
  }
  return all;
}

}  // namespace tenon::host
