#include "net/descriptor_place.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>

namespace tenon::net {
namespace {

std::atomic<int64_t> taken = 0;

int64_t countAll() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return INT64_MAX;
  auto most = static_cast<int64_t>(std::min<rlim_t>(limit.rlim_cur, INT64_MAX));
  int64_t kept = std::min(std::clamp<int64_t>(most / 4, 64, 1024), most / 2);
  return most - kept;
}

}  // namespace

int64_t DescriptorPlace::all() {
  static const int64_t ALL = countAll();
  return ALL;
}

DescriptorPlace DescriptorPlace::take() {
  DescriptorPlace place;
  if (taken.fetch_add(1, std::memory_order_relaxed) < all()) {
    place.taken_ = true;
  } else {
    taken.fetch_sub(1, std::memory_order_relaxed);
  }
  return place;
}

DescriptorPlace::~DescriptorPlace() {
  if (taken_) taken.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace tenon::net
