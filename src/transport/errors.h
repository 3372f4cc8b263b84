#pragma once

// `wrpc:rpc/error`: what fails a call of a link, as a value for the guest that calls. A function
// whose result is `result<T, error>` with that resource gets an `err`; any other call traps.
// Source: wrpc, wit/rpc.wit of `wrpc:rpc@0.1.0`.

#include "call/host_objects.h"
#include "call/registry.h"
#include "component/program/program.h"
#include "run/instance.h"

#include <tenon/abi/context.h>
#include <tenon/type.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace tenon::transport {

inline constexpr const char* ERROR_INTERFACE = "wrpc:rpc/error@0.1.0";

class RpcError final : public call::HostObject {
 public:
  explicit RpcError(std::string text) : text(std::move(text)) {}
  const std::string text;  // one line, for people
};

// The resource and `to-debug-string`. Its `from-io-error` is for streams of transports, which there
// are none of yet.
void provideErrors(call::Registry& registry);

// How a function's result can be such an error.
struct ErrorResult {
  uint32_t resource = 0;       // Type::resource of the caller's component
  uint32_t alignment = 1;      // of the result
  uint32_t payloadOffset = 0;  // of the handle in it
  uint32_t pointerSlot = 0;    // of the flat parameters: where it goes

  // `type`: as `program` imports it. Nothing: its result is something else.
  static std::optional<ErrorResult> of(const FuncType& type, const component::Program& program);

  // Makes `text` the result of a host function that got `values`. Fails the call where there is no
  // room for it.
  void give(call::HostCall& call, const RawValue* values, std::string text) const;
};

}  // namespace tenon::transport
