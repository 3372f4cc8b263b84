#pragma once

// Who calls a host function: an optional first parameter of callables that a Linker is given.
//
//   linker.function("demo:host/api", "log", [](const tenon::Caller& caller, std::string_view text)
//   {
//     caller.userData<Session>()->log(caller.component(), text);
//   });
//
// Belongs to the call, on the instance's thread: keep no reference to it. Costs nothing where it is
// not asked for.

#include <any>
#include <string_view>

namespace tenon {

namespace call {
class PartContext;
}  // namespace call

class Caller {
 public:
  // `part` null: nothing is known.
  explicit Caller(const call::PartContext* part) : part_(part) {}
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  // The name of the component in its workload; empty when it was instantiated by itself, and when
  // no component calls: the host itself dropped a handle.
  std::string_view component() const;

  // What the `userData` of its InstanceOptions, WorkloadOptions or ServerOptions gave the calling
  // instance, which it may change; null when that is no `T`. Lives as long as the instance.
  template <typename T>
  T* userData() const {
    return std::any_cast<T>(data());
  }

 private:
  std::any* data() const;

  const call::PartContext* part_;
};

}  // namespace tenon
