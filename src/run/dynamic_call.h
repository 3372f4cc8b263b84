#pragma once

// A call whose types are known at run time only: for Instance::execute, and what drives it.

#include "component/abi/dynamic.h"
#include "run/instance.h"

#include <tenon/value.h>

#include <span>
#include <utility>
#include <vector>

namespace tenon::run {

// The arguments of one call, and then its result. Lives until the call has ended; its codec points
// to it.
struct DynamicCall {
  const tenon::FuncType& type;
  std::span<const Value> arguments;       // checked (abi::checkArguments), and unchanged meanwhile
  abi::HandleFactory* handles = nullptr;  // makes the handles among the values; null: the instance
  std::vector<Value> results;             // at most one; none: the call failed, or there is none

  abi::CallCodec codec() {
    return {.self = this,
            .lower =
                [](void* self, abi::Context& context, RawValue* values) {
                  auto& call = *static_cast<DynamicCall*>(self);
                  if (call.handles) context.handles = call.handles;
                  abi::lowerParams(context, call.type, call.arguments, values);
                },
            .lift =
                [](void* self, abi::Context& context, const RawValue* values) {
                  auto& call = *static_cast<DynamicCall*>(self);
                  if (call.handles) context.handles = call.handles;
                  if (auto value = abi::liftResult(context, call.type, values)) {
                    call.results.push_back(*std::move(value));
                  }
                }};
  }
};

}  // namespace tenon::run
