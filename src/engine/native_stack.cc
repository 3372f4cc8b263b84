#include "engine/native_stack.h"

#include <pthread.h>

#include <cstdint>

namespace tenon::engine {
namespace {

struct Bounds {
  uintptr_t low = 0;
  uintptr_t high = 0;
};

Bounds boundsOfThread() {
  pthread_attr_t attributes;
  if (::pthread_getattr_np(::pthread_self(), &attributes) != 0) return {};
  void* low = nullptr;
  size_t size = 0;
  Bounds bounds;
  if (::pthread_attr_getstack(&attributes, &low, &size) == 0) {
    bounds.low = reinterpret_cast<uintptr_t>(low);
    bounds.high = bounds.low + size;
  }
  ::pthread_attr_destroy(&attributes);
  return bounds;
}

}  // namespace

size_t nativeStackLeft() {
  static thread_local const Bounds bounds = boundsOfThread();
  auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  return here >= bounds.low && here < bounds.high ? here - bounds.low : 0;
}

}  // namespace tenon::engine
