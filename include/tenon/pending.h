#pragma once

// Host functions that wait: what a callable given to a Linker returns when its value comes later.
//
//   linker.function("demo:shop/prices", "find", [&shop](std::string_view item) {
//     tenon::Completer<uint32_t> completer;
//     tenon::Pending<uint32_t> price = completer.pending();
//     shop.ask(std::string(item), [completer](uint32_t cents) { completer.complete(cents); });
//     return price;
//   });
//
// The guest is suspended meanwhile, and other calls of its loop go on. Views among the parameters
// die when the callable returns: what is needed longer is copied.

#include <tenon/result.h>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace tenon {

template <typename T>
class Pending;
template <typename T>
class Completer;

namespace host {
struct PendingSignal;
}  // namespace host

namespace detail {

// What a Pending and its Completers share, apart from the value: whether that is there, and who
// waits for it. On any thread.
class PendingState {
 public:
  PendingState();
  PendingState(const PendingState&) = delete;
  PendingState& operator=(const PendingState&) = delete;
  ~PendingState();

  // True once: whoever gets it sets the value and then calls `publish`.
  bool claim();
  void publish();
  // Nobody waits for it any more.
  void abandon();
  bool abandoned() const;

  host::PendingSignal& signal() { return *signal_; }

 private:
  std::unique_ptr<host::PendingSignal> signal_;
};

template <typename T>
struct PendingValue : PendingState {
  std::optional<Result<T>> result;  // empty once published: nobody completed it
};

// Exists as long as any of its Completers.
template <typename T>
struct Completion {
  const std::shared_ptr<PendingValue<T>> value = std::make_shared<PendingValue<T>>();

  Completion() = default;
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;
  ~Completion() {
    if (value->claim()) value->publish();
  }

  void complete(Result<T>&& result) {
    if (!value->claim()) return;
    struct Publishing {
      PendingState& state;
      ~Publishing() { state.publish(); }  // also when moving the value throws
    } publishing{*value};
    value->result.emplace(std::move(result));
  }
};

}  // namespace detail

namespace abi {

// Suspends the guest that called a host function. Made by whoever runs host functions.
class Waiter {
 public:
  // Returns when the state was published. False: the call has failed, of a deadline or because it
  // was cancelled or cannot wait; the host function must return at once.
  virtual bool wait(tenon::detail::PendingState& state) = 0;

  template <typename T>
  Result<T> wait(Pending<T> pending);

 protected:
  ~Waiter() = default;
};

}  // namespace abi

// A value that comes later, or is there already. Returned by a host function; its `T` is the C++
// form of the function's result, void for none.
template <typename T = void>
class [[nodiscard]] Pending {
 public:
  // It is there: nobody waits.
  explicit Pending(Result<T> result) : state_(std::make_shared<detail::PendingValue<T>>()) {
    state_->claim();
    state_->result.emplace(std::move(result));
    state_->publish();
  }
  Pending(Pending&&) noexcept = default;
  Pending& operator=(Pending&&) = delete;
  ~Pending() {
    if (state_) state_->abandon();
  }

 private:
  friend class Completer<T>;
  friend class abi::Waiter;
  explicit Pending(std::shared_ptr<detail::PendingValue<T>> state) : state_(std::move(state)) {}

  std::shared_ptr<detail::PendingValue<T>> state_;
};

// Completes a Pending. Copies complete the same one, and the first to do so counts. Any thread, at
// any time: before somebody waits, and when nobody does any more, because the call was cancelled or
// its instance is gone. When the last copy goes without, the guest's call fails.
template <typename T = void>
class Completer {
  using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

 public:
  Completer() : completion_(std::make_shared<detail::Completion<T>>()) {}

  // What the host function returns. Once.
  Pending<T> pending() const { return Pending<T>(completion_->value); }

  // The guest goes on with `value`, soon and on its own thread.
  void complete(Value value) const
    requires(!std::is_void_v<T>)
  {
    completion_->complete(std::move(value));
  }
  void complete() const
    requires(std::is_void_v<T>)
  {
    completion_->complete({});
  }
  // The guest's call fails, as with a host function that returns an Error.
  void fail(Error error) const { completion_->complete(std::move(error)); }

  // Whether nobody waits any more: what is being done for it can stop.
  bool abandoned() const { return completion_->value->abandoned(); }

 private:
  std::shared_ptr<detail::Completion<T>> completion_;
};

template <typename T>
Result<T> abi::Waiter::wait(Pending<T> pending) {
  // The Context has failed already and keeps its first reason.
  if (!wait(static_cast<tenon::detail::PendingState&>(*pending.state_))) {
    return Error(ErrorCode::CANCELLED, "the call was cancelled");
  }
  if (!pending.state_->result) {
    return Error(ErrorCode::INTERNAL,
                 "the host function's Completer is gone, and completed nothing");
  }
  return *std::move(pending.state_->result);
}

}  // namespace tenon
