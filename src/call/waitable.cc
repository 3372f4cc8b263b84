#include "call/waitable.h"

#include <kj/vector.h>

#include <algorithm>

namespace tenon::call {

namespace {

// What it takes to wait for one of many.
constexpr uint64_t WAIT_COST = 1024;

}  // namespace

bool wait(call::HostCall& call, kj::Promise<void> promise) {
  bool done = false;
  auto arrived = [&call, &done]() {
    done = true;
    call.wake();
  };
  auto running =
      promise.then(arrived, [&arrived](kj::Exception&&) { arrived(); }).eagerlyEvaluate(nullptr);
  while (!done) {
    if (!call.suspend()) return false;
  }
  return true;
}

bool waitFor(call::HostCall& call, Waitable& waitable) {
  while (!waitable.ready()) {
    if (!wait(call, waitable.whenReady())) return false;
  }
  return true;
}

std::vector<uint32_t> waitForAny(call::HostCall& call, std::span<Waitable* const> waitables) {
  std::vector<uint32_t> indices;
  std::vector<Waitable*> different;  // once something has to be waited for
  call::MemoryCharge charge(call.objects.budget());
  while (true) {
    for (uint32_t i = 0; i < waitables.size(); i++) {
      if (waitables[i]->ready()) indices.push_back(i);
    }
    if (!indices.empty()) return indices;

    if (different.empty()) {
      different.assign(waitables.begin(), waitables.end());
      std::ranges::sort(different);
      different.erase(std::ranges::unique(different).begin(), different.end());
      if (!charge.set(different.size() * WAIT_COST)) {
        call.fail("waiting for so many pollables takes more memory than the instance may use");
        return {};
      }
    }
    bool woken = false;
    auto arrived = [&call, &woken]() {
      woken = true;
      call.wake();
    };
    kj::Vector<kj::Promise<void>> waits(different.size());
    for (Waitable* waitable : different) {
      waits.add(waitable->whenReady()
                    .then(arrived, [&arrived](kj::Exception&&) { arrived(); })
                    .eagerlyEvaluate(nullptr));
    }
    while (!woken) {
      if (!call.suspend()) return {};
    }
  }
}

}  // namespace tenon::call
