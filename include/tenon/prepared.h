#pragma once

// A component or a workload that is ready to run: compiled, its imports found and checked. What is
// the same for all its instances is done once, by `Linker::prepare`:
//
//   tenon::Linker linker;
//   linker.wasi();
//   linker.function("demo:shop/prices", "find", find);
//   tenon::Prepared shop = linker.prepare(component).value();
//   tenon::Instance instance = shop.instantiate(loop).value();
//   tenon::Server server = tenon::Server::start(shop, options).value();  // on threads of its own

#include <tenon/engine.h>
#include <tenon/instance.h>
#include <tenon/result.h>
#include <tenon/workload.h>

#include <memory>
#include <utility>

namespace tenon {

namespace host {
struct PreparedState;
}  // namespace host

// A handle that is cheap to copy; immutable, shared freely between threads, each of which may
// instantiate on a loop of its own. Keeps the host functions that it was bound to: its linker may
// change or go. They are called on the thread of the instance that calls, so by instances of
// several threads at the same time.
class Prepared {
 public:
  // Each component has the context that its workload gives it; a component that was prepared by
  // itself has none of its own. `options.adjust` changes both. Errors: NOT_FOUND, PERMISSION or IO
  // for a directory that cannot be granted; INVALID_ARGUMENT for other options that cannot be;
  // TRAPPED, DEADLINE or EXITED when a start function does that; LIMIT_EXCEEDED.
  Result<Instance> instantiate(Loop& loop, const WorkloadOptions& options) const;
  Result<Instance> instantiate(Loop& loop) const { return instantiate(loop, WorkloadOptions()); }
  // The same with `options.wasi` as context, for a component that was prepared by itself. Errors:
  // also INVALID_ARGUMENT for a workload.
  Result<Instance> instantiate(Loop& loop, const InstanceOptions& options) const;

  // Without problems. Of a component that was prepared by itself: that one, with its links. It has
  // no name.
  const WorkloadPlan& plan() const;

 private:
  friend struct host::PreparedState;
  explicit Prepared(std::shared_ptr<const host::PreparedState> state) : state_(std::move(state)) {}
  std::shared_ptr<const host::PreparedState> state_;
};

}  // namespace tenon
