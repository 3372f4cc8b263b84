#pragma once

// What a host provides: functions and resource types by interface and name. Filled once, then
// shared read-only between threads. Interfaces with versions match by the canonical version: a
// request for `wasi:io/poll@0.2.0` is answered by `wasi:io/poll@0.2.6` and the other way round.
// Source: Explainer.md "Import and Export Definitions", `canonversion`.

#include "call/host_call.h"

#include <tenon/result.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::call {

// The name without the parts of its version that do not decide compatibility: "a:b/c@1.2.3" ->
// "a:b/c@1", "@0.2.3" -> "@0.2", "@0.0.3" -> "@0.0.3"; a pre-release keeps all of it. A name
// without a version is itself.
std::string canonicalInterface(std::string_view interface);

class Registry {
 public:
  // `interface` is empty for functions at the root of a world. Adding the same name again replaces
  // it.
  void add(std::string_view interface, std::string_view name, HostFunction function);
  void addResource(std::string_view interface, HostResource resource);

  // Null when there is none.
  const HostFunction* find(std::string_view interface, std::string_view name) const;
  const HostResource* findResource(std::string_view interface, std::string_view name) const;

  // The plugin that provides something under the canonical name of `interface`, first come; empty
  // for what was added here. Null: nothing is.
  const std::string* findPlugin(std::string_view interface) const;
  // The provided names closest to what was asked for, best first, at most three; for error
  // messages.
  std::vector<std::string> similar(std::string_view interface, std::string_view name) const;

  // Adds everything of `other`, which `plugin` provides; what is here already stays.
  void merge(const Registry& other, std::string_view plugin);

 private:
  struct Interface {
    std::string name;    // as it was first added, with the full version
    std::string plugin;  // that it came with first
    std::map<std::string, HostFunction, std::less<>> functions;
    std::map<std::string, HostResource, std::less<>> resources;
  };
  Interface& interfaceFor(std::string_view interface);
  const Interface* findInterface(std::string_view interface) const;

  std::map<std::string, Interface, std::less<>> interfaces_;  // by canonical name
};

}  // namespace tenon::call
