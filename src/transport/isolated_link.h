#pragma once

// An isolated link's function: a host function for the importer, a call into another store behind
// it. Immutable, shared freely.
//
//   the importer's guest                                       another store
//        │ calls its import
//        ▼
//   IsolatedLink ── admission: depth, calls at once ── Pool::take
//        ├── parameters, memory to memory ──────────────────►  realloc
//        ├── NestedCall, on a stack of its own ─────────────►  runs, waits: the importer waits too
//        ◄── results, memory to memory, on the importer's stack
//        └── post-return, the instance goes back to its pool
//
// What fails the callee ends its instance, and is one sentence to the caller that names the link,
// the callee and the cause: as a value where the function's result has room for it (errors.h), else
// as a trap.

#include "call/host_call.h"
#include "component/transfer/transfer.h"
#include "transport/errors.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace tenon::transport {

class IsolatedLink {
 public:
  // `store`: as Dispatcher::pool has it. `function`: of its Target. `blocking`: as the callee's
  // export. `errors`: how the function can give an error; nothing: what fails it is a trap.
  static call::HostFunction make(abi::Transfer transfer, std::string importer, size_t store,
                                 size_t function, call::Blocking blocking,
                                 std::optional<ErrorResult> errors);

  IsolatedLink(abi::Transfer transfer, std::string importer, size_t store, size_t function,
               std::optional<ErrorResult> errors)
      : transfer_(std::move(transfer)),
        importer_(std::move(importer)),
        store_(store),
        function_(function),
        errors_(errors) {}

 private:
  static void run(void* link, call::HostCall& call, RawValue* values) noexcept;
  void invoke(call::HostCall& call, RawValue* values) const;

  const abi::Transfer transfer_;
  const std::string importer_;
  const size_t store_;
  const size_t function_;
  const std::optional<ErrorResult> errors_;
};

}  // namespace tenon::transport
