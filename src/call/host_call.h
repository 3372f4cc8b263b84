#pragma once

// The seam between guests and what the host implements for them: a host function is a plain
// function that gets one HostCall. WASI, plugins and an embedder's callables are all of this one
// shape; whatever runs guests (src/run) makes the HostCalls.

#include "call/host_objects.h"
#include "call/part_context.h"

#include <tenon/abi/context.h>
#include <tenon/type.h>

#include <functional>
#include <memory>
#include <string>

namespace tenon::call {

// One call from a guest into the host, on the instance's thread. Lives on the stack of the call:
// keep nothing of it.
class HostCall : public abi::Context {
 public:
  // The part that calls, with what each plugin keeps for it, as given when the instance was made.
  // Null if nothing was given.
  PartContext* const part;
  // The objects that this store's guests hold handles to.
  HostObjects& objects;
  // The function's type as the guest declared it.
  const FuncType& type;

  // Stops the guest until `wake` is called, and gives the thread back meanwhile. False if the call
  // was cancelled, or cannot wait here (the failure is set): the host function must return at once.
  // Only for functions registered as MAY_BLOCK. Never inside a `catch`, never with a lock held. The
  // memory view is fresh afterwards; views taken before are dead.
  virtual bool suspend() = 0;
  // Lets a suspended call go on, soon but not inside this function. On the instance's thread.
  virtual void wake() = 0;

  // Ends the guest: the call fails as EXITED with this code once the host function returns.
  virtual void exit(int code) = 0;
  // Fails the call with a text of its own, once the host function returns.
  virtual void trap(std::string message) = 0;

 protected:
  HostCall(GuestMemory memory, StringEncoding encoding, PartContext* part, HostObjects& objects,
           const FuncType& type)
      : abi::Context(memory, encoding), part(part), objects(objects), type(type) {}
  ~HostCall() = default;
};

// `values` holds the flat parameters and receives the flat result, as the lowered core signature
// says (spilled parameters and results: a pointer into `call.memory`). Must not throw.
using HostFunctionPointer = void (*)(void* closure, HostCall& call, RawValue* values) noexcept;

enum class Blocking : uint8_t { NEVER, MAY_BLOCK };

struct HostFunction {
  HostFunctionPointer function = nullptr;
  std::shared_ptr<void>
      closure;  // given to `function`; shared, because several linked components use it
  Blocking blocking = Blocking::NEVER;
  // Says how `type` differs from what the function implements; empty: it does not. Null: takes any
  // type.
  std::function<std::string(const FuncType& type)> mismatch;
};

// A resource type that the host implements: representations are HostObjects of the instance's store
// unless `drop` is set.
struct HostResource {
  std::string name;
  // Called with the rep when the owner drops its handle. Null: HostObjects::drop. Must not throw.
  // `owner`: the part whose handle it was, or InstanceOptions::whole when the host held it.
  std::function<void(PartContext* owner, uint32_t rep)> drop;
};

}  // namespace tenon::call
