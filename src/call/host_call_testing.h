#pragma once

// A call of a host function without a guest: memory that grows upwards, handles that are
// representations, and a loop that runs when the function suspends.

#include "call/host_call.h"

#include <kj/async.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tenon::call {

class FakeCall final : public HostCall {
 public:
  FakeCall(std::vector<std::byte>& memory, PartContext* part, HostObjects& objects,
           const FuncType& type, kj::WaitScope& waitScope)
      : HostCall(GuestMemory(memory.data(), memory.size()), StringEncoding::UTF8, part, objects,
                 type),
        waitScope_(waitScope) {}

  bool suspend() override {
    suspensions++;
    if (onSuspend && !onSuspend()) {
      fail("cancelled");
      return false;
    }
    auto paf = kj::newPromiseAndFulfiller<void>();
    wake_ = kj::mv(paf.fulfiller);
    paf.promise.wait(waitScope_);
    return true;
  }
  void wake() override {
    KJ_IF_MAYBE (fulfiller, wake_) (*fulfiller)->fulfill();
  }
  void exit(int code) override { exitCode = code; }
  void trap(std::string message) override {
    failWith(Error(ErrorCode::TRAPPED, std::move(message)));
  }

  uint32_t allocate(uint32_t size, uint32_t alignment) override {
    next_ = (next_ + alignment - 1) / alignment * alignment;
    uint32_t pointer = next_;
    next_ += size;
    if (next_ > memory.size()) fail("out of test memory");
    return failed() ? 0 : pointer;
  }
  uint32_t reallocate(uint32_t pointer, uint32_t oldSize, uint32_t alignment,
                      uint32_t newSize) override {
    if (newSize <= oldSize) return pointer;
    uint32_t result = allocate(newSize, alignment);
    if (!failed())
      std::memcpy(memory.mutableBytes(result, oldSize).data(),
                  memory.bytes(pointer, oldSize).data(), oldSize);
    return result;
  }
  uint32_t liftOwn(uint32_t, uint32_t index) override { return index; }
  uint32_t liftBorrow(uint32_t, uint32_t index) override { return index; }
  uint32_t lowerOwn(uint32_t, uint32_t rep) override { return rep; }
  uint32_t lowerBorrow(uint32_t, uint32_t rep) override { return rep; }

  std::function<bool()> onSuspend;  // false: the call is cancelled
  int suspensions = 0;
  int exitCode = -1;

 private:
  kj::WaitScope& waitScope_;
  uint32_t next_ = 8;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> wake_;
};

}  // namespace tenon::call
