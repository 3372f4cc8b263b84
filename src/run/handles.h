#pragma once

// What the host holds of a guest's resources: handles outside of any guest's table.

#include "run/instance.h"

#include <tenon/abi/context.h>
#include <tenon/value.h>

#include <memory>
#include <string_view>

namespace tenon::run {

// Outlives the instance when handles do: they then stand for nothing.
struct InstanceLife {
  Instance* instance = nullptr;  // null once the instance is gone
};

// Makes handles for one instance; used on its thread, outlived by what it makes.
class Handles final : public abi::HandleFactory {
 public:
  explicit Handles(Instance& instance) : instance_(instance) {}
  virtual ~Handles() {
    if (life_) life_->instance = nullptr;
  }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;

  std::shared_ptr<ResourceHandle> wrapOwn(uint32_t resource, uint32_t rep) override;
  std::shared_ptr<ResourceHandle> wrapBorrow(uint32_t resource, uint32_t rep) override;
  const char* refuseOwn(const ResourceHandle& handle, uint32_t resource) const override;
  const char* refuseBorrow(const ResourceHandle& handle, uint32_t resource) const override;
  uint32_t takeOwn(ResourceHandle& handle) override;
  uint32_t borrow(ResourceHandle& handle) override;

 private:
  std::shared_ptr<ResourceHandle> wrap(uint32_t resource, uint32_t rep, bool owned);

  Instance& instance_;
  std::shared_ptr<InstanceLife> life_;  // null until there is a handle
};

}  // namespace tenon::run
