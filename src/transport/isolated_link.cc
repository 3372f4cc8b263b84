#include "transport/isolated_link.h"

#include "call/guarded.h"
#include "engine/store.h"
#include "run/caller.h"
#include "transport/links.h"
#include "transport/nested_call.h"

#include <chrono>
#include <memory>
#include <string_view>

namespace tenon::transport {
namespace {

// The message of a callee that failed by a link of its own, which failed by one of its own, and so
// on: the first and the last are told.
std::string shortened(std::string message) {
  constexpr std::string_view LINK = "the isolated link from ";
  size_t first = message.find(LINK);
  size_t last = message.rfind(LINK);
  if (first != last) message.replace(first, last - first, "[...] ");
  return message;
}

// What an error of a callee is to its caller.
std::string causeOf(const Error& error, const Target& target) {
  switch (error.code) {
    case ErrorCode::TRAPPED:
      return "the callee trapped: " + shortened(error.message);
    case ErrorCode::EXITED:
      return "the callee exited with code " + std::to_string(error.exitCode.value_or(0));
    case ErrorCode::DEADLINE: {
      std::string text = "DEADLINE: the callee was not done";
      if (!target.timeout) return text + " in the time of its caller";
      auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(*target.timeout);
      return text + " after " + std::to_string(milliseconds.count()) + " ms";
    }
    case ErrorCode::CANCELLED:
      return "CANCELLED: " + error.message;
    case ErrorCode::LIMIT_EXCEEDED:
      if (error.message.starts_with("OVERLOADED")) return error.message;
      return "LIMIT: " + error.message;
    default:
      return error.message;
  }
}

// Whether the caller's own time is up, or it was cancelled.
bool isOver(const engine::Store& store, engine::TrapKind& why) {
  if (store.stopFlag() && store.stopFlag()->load(std::memory_order_relaxed)) {
    why = engine::TrapKind::CANCELLED;
    return true;
  }
  why = engine::TrapKind::DEADLINE;
  return store.deadline() && engine::Store::Clock::now() >= *store.deadline();
}

}  // namespace

call::HostFunction IsolatedLink::make(abi::Transfer transfer, std::string importer, size_t store,
                                      size_t function, call::Blocking blocking,
                                      std::optional<ErrorResult> errors) {
  return {.function = &IsolatedLink::run,
          .closure = std::make_shared<IsolatedLink>(std::move(transfer), std::move(importer), store,
                                                    function, errors),
          .blocking = blocking,
          .mismatch = {}};
}

void IsolatedLink::run(void* link, call::HostCall& call, RawValue* values) noexcept {
  call::guarded(
      call, [&] { static_cast<const IsolatedLink*>(link)->invoke(call, values); },
      "an isolated link threw");
}

void IsolatedLink::invoke(call::HostCall& call, RawValue* values) const {
  auto* links = call.part ? call.part->find<PartLinks>() : nullptr;
  if (!links) return call.fail("the instance was made without its isolated links");
  Pool& pool = links->dispatcher.pool(store_);
  const Target& target = pool.target();
  auto refuse = [&](const Error& error) {
    if (call.failed()) return;  // the caller's own fault, or its end
    engine::TrapKind why{};
    if (isOver(run::callerOf(call).store(), why)) return run::endCall(call, why);
    std::string text = "the isolated link from " + importer_ + " to " + target.name +
                       " failed: " + causeOf(error, target);
    if (errors_) return errors_->give(call, values, std::move(text));
    call.failWith(Error(ErrorCode::TRAPPED, std::move(text)));
  };
  if (links->guest && links->guest->depth >= Dispatcher::MOST_DEPTH) {
    return refuse(Error(ErrorCode::LIMIT_EXCEEDED, "OVERLOADED: more than " +
                                                       std::to_string(Dispatcher::MOST_DEPTH) +
                                                       " isolated calls stand in each other"));
  }
  auto lease = pool.take(call, links->guest);
  if (!lease) return refuse(lease.error());
  auto outcome = [&] {
    NestedCall nested(call, values, transfer_, **lease, function_, target, links->dispatcher.turns);
    return nested.run();
  }();
  if (!outcome) return refuse(outcome.error());
  std::move(*lease).giveBack();
}

}  // namespace tenon::transport
