#pragma once

// Exports called with C++ types: what Instance::function gives.

#include <tenon/abi/call_codec.h>
#include <tenon/call_options.h>
#include <tenon/result.h>
#include <tenon/type.h>
#include <tenon/typed.h>

#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace tenon {

namespace host {
struct FunctionState;
}  // namespace host

// An export, found and checked against C++ types: calls cost no look-up and no check. Belongs to
// its instance and must not outlive it; use it on the instance's thread.
template <typename Signature>
class Function;

namespace detail {
// Runs one call. Errors: as DynamicFunction::call.
Result<void> call(host::FunctionState& function, const abi::CallCodec& codec,
                  const CallOptions& options);
const FuncType& typeOf(const host::FunctionState& function);
}  // namespace detail

template <typename R, typename... Args>
class Function<R(Args...)> {
 public:
  // Errors: as DynamicFunction::call.
  Result<R> operator()(const std::remove_cvref_t<Args>&... args) const { return call({}, args...); }
  Result<R> call(const CallOptions& options, const std::remove_cvref_t<Args>&... args) const;

 private:
  friend class Instance;
  explicit Function(std::shared_ptr<host::FunctionState> state) : state_(std::move(state)) {}
  std::shared_ptr<host::FunctionState> state_;
};

template <typename R, typename... Args>
Result<R> Function<R(Args...)>::call(const CallOptions& options,
                                     const std::remove_cvref_t<Args>&... args) const {
  using Call = TypedCall<R(Args...)>;
  struct Frame {
    const FuncType& type;
    std::tuple<const std::remove_cvref_t<Args>&...> args;
    std::conditional_t<std::is_void_v<R>, std::monostate, std::optional<R>> result;
  } frame{detail::typeOf(*state_), {args...}, {}};
  TENON_CHECK(detail::call(*state_,
                           {.self = &frame,
                            .lower =
                                [](void* self, abi::Context& context, RawValue* values) {
                                  auto& frame = *static_cast<Frame*>(self);
                                  std::apply(
                                      [&](const auto&... args) {
                                        Call::lower(context, frame.type, values, args...);
                                      },
                                      frame.args);
                                },
                            .lift =
                                [](void* self, abi::Context& context, const RawValue* values) {
                                  auto& frame = *static_cast<Frame*>(self);
                                  if constexpr (!std::is_void_v<R>) {
                                    frame.result.emplace(Call::lift(context, frame.type, values));
                                  }
                                }},
                           options));
  if constexpr (std::is_void_v<R>) {
    return {};
  } else {
    return *std::move(frame.result);
  }
}

}  // namespace tenon
