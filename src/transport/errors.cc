#include "transport/errors.h"

#include "call/guarded.h"

#include <tenon/typed.h>

#include <memory>
#include <string_view>

namespace tenon::transport {
namespace {

std::string_view toDebugString(call::HostCall& call, Borrow<RpcError> self) {
  const RpcError* error = call.objects.find<RpcError>(self.rep);
  if (error) return error->text;
  call.fail("the handle does not stand for an error");
  return {};
}

using Thunk = HostThunk<decltype(&toDebugString)>;

void runToDebugString(void*, call::HostCall& call, RawValue* values) noexcept {
  call::guarded(call, [&] {
    auto* function = &toDebugString;
    Thunk::run(function, call, call.type, values);
  });
}

std::string mismatchOfToDebugString(const FuncType& type) {
  TypeMatch match;
  return Thunk::matches(type, match) ? std::string() : std::move(match.difference);
}

}  // namespace

void provideErrors(call::Registry& registry) {
  registry.addResource(ERROR_INTERFACE, {.name = "error", .drop = nullptr});
  registry.add(ERROR_INTERFACE, "[method]error.to-debug-string",
               {.function = runToDebugString,
                .closure = nullptr,
                .blocking = call::Blocking::NEVER,
                .mismatch = mismatchOfToDebugString});
}

std::optional<ErrorResult> ErrorResult::of(const FuncType& type,
                                           const component::Program& program) {
  const Type* result = type.result;
  if (!result || result->kind != TypeKind::RESULT || !result->error ||
      result->error->kind != TypeKind::OWN) {
    return std::nullopt;
  }
  const component::ResourceInfo& resource = program.resources[result->error->resource];
  bool isOurs =
      resource.imported && resource.name == "error" &&
      call::canonicalInterface(resource.interface) == call::canonicalInterface(ERROR_INTERFACE);
  if (!isOurs) return std::nullopt;
  // Discriminant and handle are two values, so that the result is always in memory.
  size_t params = component::flattenLower(type).params.size();
  return ErrorResult{.resource = result->error->resource,
                     .alignment = result->alignment,
                     .payloadOffset = result->payloadOffset,
                     .pointerSlot = static_cast<uint32_t>(params - 1)};
}

void ErrorResult::give(call::HostCall& call, const RawValue* values, std::string text) const {
  constexpr uint8_t IS_ERROR = 1;
  const uint64_t pointer = values[pointerSlot].i32;
  if (pointer % alignment != 0) return call.fail("the pointer for the result is not aligned");
  uint32_t rep = call.objects.add(std::make_unique<RpcError>(std::move(text)));
  if (rep == 0) return call.fail("the instance holds too many host resources");
  uint32_t handle = call.lowerOwn(resource, rep);
  if (call.failed()) return;
  if (!call.memory.store(pointer, IS_ERROR) ||
      !call.memory.store(pointer + payloadOffset, handle)) {
    call.fail("the result is beyond the end of the memory");
  }
}

}  // namespace tenon::transport
