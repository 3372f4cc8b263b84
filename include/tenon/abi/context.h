#pragma once

// One crossing: values go from the host to one guest, or back, for one call. This is the seam
// between the canonical ABI's walks (typed ones in <tenon/typed.h>, dynamic ones in
// src/component/abi) and whatever runs the guest. A Context lives on the stack of the call, on the
// instance's thread.
//
// Failures are sticky: the first one is kept, every later step does nothing or gives zeros, and
// whoever made the Context turns it into a trap. So walks have no error paths of their own; they
// must only bound their loops by checked lengths. Source: CanonicalABI.md `LiftLowerContext`.

#include <tenon/abi/guest_memory.h>
#include <tenon/result.h>
#include <tenon/type.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tenon {

class ResourceHandle;

// One flat core value. As large and aligned as the engine's raw values; only the low bytes count.
union alignas(16) RawValue {
  uint32_t i32;
  uint64_t i64;
  float f32;
  double f64;
  unsigned char bytes[16];
};

enum class StringEncoding : uint8_t { UTF8, UTF16, LATIN1_UTF16 };

namespace abi {

// Strings and lists: bytes in one at most. Source: definitions.py MAX_STRING_BYTE_LENGTH,
// MAX_LIST_BYTE_LENGTH.
inline constexpr uint64_t MAX_BYTE_LENGTH = (uint64_t{1} << 28) - 1;

// Makes what the host holds of a resource (`ResourceHandle`) out of a representation, and back.
// Implemented by whoever runs instances; used by dynamic values and by `GuestResource`. `resource`
// is Type::resource of the crossing's component. Lives as long as the Context that points to it.
class HandleFactory {
 public:
  // Wraps a rep that `liftOwn` or `liftBorrow` gave: the handle owns it, or stands for it until the
  // host call returns. Null when that is impossible.
  virtual std::shared_ptr<ResourceHandle> wrapOwn(uint32_t resource, uint32_t rep) = 0;
  virtual std::shared_ptr<ResourceHandle> wrapBorrow(uint32_t resource, uint32_t rep) = 0;

  // Why `handle` cannot be passed as `own` or `borrow` of this resource type (moved, borrowed,
  // another type or instance): a sentence without full stop; null when it can. Changes nothing.
  virtual const char* refuseOwn(const ResourceHandle& handle, uint32_t resource) const = 0;
  virtual const char* refuseBorrow(const ResourceHandle& handle, uint32_t resource) const = 0;

  // The rep, for `lowerOwn` and `lowerBorrow`; only when not refused. The first marks the handle as
  // moved.
  virtual uint32_t takeOwn(ResourceHandle& handle) = 0;
  virtual uint32_t borrow(ResourceHandle& handle) = 0;

 protected:
  ~HandleFactory() = default;
};

class Context {
 public:
  Context(GuestMemory memory, StringEncoding encoding) : memory(memory), encoding(encoding) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // The guest's memory, as it is now. Replaced by `allocate`.
  GuestMemory memory;
  const StringEncoding encoding;

  // How many bytes of host memory this call may still take for lifted values; `charge` counts it
  // down.
  uint64_t budget = uint64_t{1} << 30;

  // Needed for ResourceHandles only; null: a crossing with one fails.
  HandleFactory* handles = nullptr;

  bool failed() const { return failure_ != nullptr; }
  // A sentence without full stop; null while nothing failed.
  const char* failure() const { return failure_; }
  // Keeps the first reason only. `reason` has static storage.
  void fail(const char* reason) {
    if (!failure_) failure_ = reason;
  }
  // The same for a reason made at run time: what a host function that returned an Error says.
  void failWith(Error error) {
    if (failure_) return;
    extra().error = std::move(error);
    failure_ = extra_->error->message.c_str();
  }
  // What `failWith` kept; null if the failure has another source.
  const Error* error() const { return extra_ && extra_->error ? &*extra_->error : nullptr; }
  // An empty string that lives as long as this Context: for text that views refer to. Charge it.
  std::string& newScratch() { return extra().scratch.emplace_back(); }
  // Takes `bytes` from the budget; false, and failed, when there is not enough.
  bool charge(uint64_t bytes) {
    if (bytes > budget) {
      fail("the values of one call take more host memory than allowed");
      return false;
    }
    budget -= bytes;
    return true;
  }

  // Calls the guest's `realloc` for `size` new bytes and refreshes `memory`. The result is checked:
  // aligned, and all of it inside the memory. 0 after a failure. All views taken before die.
  virtual uint32_t allocate(uint32_t size, uint32_t alignment) = 0;
  // The same for growing or shrinking an allocation made during this call (strings are transcoded
  // so).
  virtual uint32_t reallocate(uint32_t pointer, uint32_t oldSize, uint32_t alignment,
                              uint32_t newSize) = 0;

  // Resources, by representation. `resource` is Type::resource of an OWN or BORROW type of the
  // component; `index` is a handle in the guest's table. 0 after a failure. Source: CanonicalABI.md
  // `lift_own`, `lift_borrow`, `lower_own`, `lower_borrow`.
  virtual uint32_t liftOwn(uint32_t resource, uint32_t index) = 0;
  virtual uint32_t liftBorrow(uint32_t resource, uint32_t index) = 0;
  virtual uint32_t lowerOwn(uint32_t resource, uint32_t rep) = 0;
  virtual uint32_t lowerBorrow(uint32_t resource, uint32_t rep) = 0;

 protected:
  ~Context() = default;

 private:
  struct Extra {
    std::optional<Error> error;
    std::deque<std::string> scratch;
  };
  Extra& extra() {
    if (!extra_) extra_ = std::make_unique<Extra>();
    return *extra_;
  }

  const char* failure_ = nullptr;
  std::unique_ptr<Extra> extra_;  // rarely needed, so that a Context is made in a few stores
};

}  // namespace abi
}  // namespace tenon
