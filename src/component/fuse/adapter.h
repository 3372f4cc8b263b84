#pragma once

// One adapter: the core function between a caller that lowered a function and the callee that
// lifted it. Source: CanonicalABI.md `canon_lift` and `canon_lower`, both synchronous.

#include "component/fuse/crossing.h"
#include "component/program/program.h"

#include <tenon/result.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

namespace tenon::component::adapt {

// What of the two sides an adapter touches. Only this has to exist before the adapter's module
// does, so that functions without pointers depend on no memory.
struct Needs {
  bool callerMemory = false, callerRealloc = false;
  bool calleeMemory = false, calleeRealloc = false;
  bool lends =
      false;  // borrowed handles by LEND and UNLEND: the callee defines all their resources
  bool scope = false;  // borrowed handles by a call scope
};
Needs needsOf(const Program& program, const Adapter& adapter);

// All items that the adapter's module has to import or contain. Errors: INTERNAL for NONE slots
// that are needed; LIMIT_EXCEEDED for parameters that no 32-bit memory holds.
Result<std::vector<CoreItem>> dependenciesOf(const Program& program, const Adapter& adapter);

// The host functions that the adapter calls, as keys of Common::host.
std::vector<Common::HostKey> hostFunctionsOf(const Program& program, const Adapter& adapter);

// The adapters of one module share their crossings, and so their helper functions.
class Crossings {
 public:
  explicit Crossings(Common& common) : common_(common) {}
  Crossing& between(const Side& from, const Side& to, bool lends);

 private:
  using Key = std::tuple<Side, Side, bool>;
  Common& common_;
  std::map<Key, std::unique_ptr<Crossing>> made_;
};

// How the adapter's module calls what its program names.
struct Indices {
  std::function<uint32_t(const CoreItem&)> memory;
  std::function<uint32_t(const CoreItem&, const WasmSignature&)> function;
};
// The signature of every `realloc`.
const WasmSignature& reallocSignature();

// Makes `indices` name everything that `writeAdapter` will ask for, so that it is imported.
void importNeeds(const Program& program, const Adapter& adapter, const Indices& indices);

// Writes the adapter into `f`, whose signature is the lowered one.
// `usesContext`: by component instance, whether it has context.get or context.set.
void writeAdapter(const Program& program, const Adapter& adapter, const Indices& indices,
                  const std::vector<bool>& usesContext, Common& common, Crossings& crossings,
                  CodeBuilder& f);

}  // namespace tenon::component::adapt
