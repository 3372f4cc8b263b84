#include "run/handles.h"

#include <atomic>

namespace tenon::run {
namespace {

class HeldResource final : public ResourceHandle {
 public:
  HeldResource(std::shared_ptr<InstanceLife> life, uint32_t resource, uint32_t rep, bool owned)
      : life(std::move(life)), resource(resource), rep(rep), owned(owned) {
    static std::atomic<uint64_t> next{1};
    id_ = next.fetch_add(1, std::memory_order_relaxed);
  }

  ~HeldResource() override {
    if (owned && !moved_ && life->instance) life->instance->giveUp(resource, rep);
  }

  std::string_view typeName() const override {
    if (!life->instance) return "resource";
    return life->instance->program().resources[resource].name;
  }
  uint64_t id() const override { return id_; }
  bool moved() const override { return moved_; }

  const std::shared_ptr<InstanceLife> life;
  const uint32_t resource;
  const uint32_t rep;
  const bool owned;

  void move() { moved_ = true; }
  void lend() { lentTo_ = life->instance->task().number(); }
  // Whether the call that runs has borrowed it.
  bool lent() const {
    return life->instance->inCall() && lentTo_ == life->instance->task().number();
  }

 private:
  uint64_t id_ = 0;
  uint64_t lentTo_ = 0;
  bool moved_ = false;
};

}  // namespace

std::shared_ptr<ResourceHandle> Handles::wrap(uint32_t resource, uint32_t rep, bool owned) {
  if (!life_) life_ = std::make_shared<InstanceLife>(InstanceLife{&instance_});
  return std::make_shared<HeldResource>(life_, instance_.linked().canonicalResource(resource), rep,
                                        owned);
}

std::shared_ptr<ResourceHandle> Handles::wrapOwn(uint32_t resource, uint32_t rep) {
  return wrap(resource, rep, true);
}

std::shared_ptr<ResourceHandle> Handles::wrapBorrow(uint32_t resource, uint32_t rep) {
  return wrap(resource, rep, false);
}

const char* Handles::refuseBorrow(const ResourceHandle& handle, uint32_t resource) const {
  auto* held = dynamic_cast<const HeldResource*>(&handle);
  if (!held || held->life != life_) return "the handle belongs to another instance";
  if (held->moved()) return "the handle was given away";
  if (held->resource != instance_.linked().canonicalResource(resource)) {
    return "the handle is of another resource type";
  }
  return nullptr;
}

const char* Handles::refuseOwn(const ResourceHandle& handle, uint32_t resource) const {
  if (const char* refused = refuseBorrow(handle, resource)) return refused;
  const auto& held = static_cast<const HeldResource&>(handle);
  if (!held.owned) return "the handle is borrowed";
  // Source: definitions.py `lift_own`, `num_lends`.
  return held.lent() ? "the handle is lent to the same call" : nullptr;
}

uint32_t Handles::takeOwn(ResourceHandle& handle) {
  auto& held = static_cast<HeldResource&>(handle);
  held.move();
  return held.rep;
}

uint32_t Handles::borrow(ResourceHandle& handle) {
  auto& held = static_cast<HeldResource&>(handle);
  held.lend();
  return held.rep;
}

}  // namespace tenon::run
