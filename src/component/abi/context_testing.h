#pragma once

// A guest for tests: a memory, a bump allocator as `realloc`, one handle table, and host handles.

#include <tenon/abi/context.h>
#include <tenon/value.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon::abi {

struct FakeHandle {
  bool own = true;
  uint32_t resource = 0;
  uint32_t rep = 0;
  uint32_t lends = 0;
};

class FakeResource final : public ResourceHandle {
 public:
  FakeResource(uint32_t resource, uint32_t rep, bool own)
      : resource(resource), rep(rep), own(own) {}
  std::string_view typeName() const override { return "fake"; }
  uint64_t id() const override { return reinterpret_cast<uintptr_t>(this); }
  bool moved() const override { return isMoved; }

  const uint32_t resource;
  const uint32_t rep;
  const bool own;
  bool isMoved = false;
};

class FakeHandles final : public HandleFactory {
 public:
  std::shared_ptr<ResourceHandle> wrapOwn(uint32_t resource, uint32_t rep) override {
    return std::make_shared<FakeResource>(resource, rep, true);
  }
  std::shared_ptr<ResourceHandle> wrapBorrow(uint32_t resource, uint32_t rep) override {
    return std::make_shared<FakeResource>(resource, rep, false);
  }
  const char* refuseOwn(const ResourceHandle& handle, uint32_t resource) const override {
    const auto& fake = static_cast<const FakeResource&>(handle);
    if (!fake.own) return "the handle is borrowed";
    return refuseBorrow(handle, resource);
  }
  const char* refuseBorrow(const ResourceHandle& handle, uint32_t resource) const override {
    const auto& fake = static_cast<const FakeResource&>(handle);
    if (fake.isMoved) return "the handle was given away";
    return fake.resource == resource ? nullptr : "the handle is of another resource type";
  }
  uint32_t takeOwn(ResourceHandle& handle) override {
    static_cast<FakeResource&>(handle).isMoved = true;
    return static_cast<FakeResource&>(handle).rep;
  }
  uint32_t borrow(ResourceHandle& handle) override {
    return static_cast<FakeResource&>(handle).rep;
  }
};

// The memory starts with zeros. `realloc` gives away what follows `bump` and never takes back.
class FakeContext final : public Context {
 public:
  // old pointer, old size, alignment, new size, result
  using Realloc = std::array<uint32_t, 5>;

  explicit FakeContext(StringEncoding encoding = StringEncoding::UTF8, size_t size = 8192,
                       uint32_t bump = 8)
      : FakeContext(encoding, std::vector<uint8_t>(size), bump) {}
  FakeContext(StringEncoding encoding, std::vector<uint8_t> content, uint32_t bump = 8)
      : Context({}, encoding), bump(bump), data(std::move(content)) {
    memory = view();
    handles = &factory;
  }

  uint32_t allocate(uint32_t size, uint32_t alignment) override {
    return reallocate(0, 0, alignment, size);
  }
  uint32_t reallocate(uint32_t pointer, uint32_t oldSize, uint32_t alignment,
                      uint32_t newSize) override {
    if (failed()) return 0;
    uint32_t result = (bump + alignment - 1) & ~(alignment - 1);
    if (forced) result = *forced;
    if (growWith) data.resize(data.size() + growWith);
    if (afterRealloc) afterRealloc(data);
    memory = view();
    log.push_back({pointer, oldSize, alignment, newSize, result});
    if ((result & (alignment - 1)) != 0 || !memory.contains(result, newSize)) {
      fail("realloc returned a bad pointer");
      return 0;
    }
    if (oldSize != 0) std::memmove(&data[result], &data[pointer], std::min(oldSize, newSize));
    bump = result + newSize;
    return result;
  }

  uint32_t liftOwn(uint32_t resource, uint32_t index) override {
    FakeHandle* handle = find(resource, index);
    if (!handle) return 0;
    if (!handle->own || handle->lends != 0) {
      fail("the handle is borrowed or lent");
      return 0;
    }
    uint32_t rep = handle->rep;
    table[index].reset();
    return rep;
  }
  uint32_t liftBorrow(uint32_t resource, uint32_t index) override {
    FakeHandle* handle = find(resource, index);
    if (!handle) return 0;
    handle->lends++;
    return handle->rep;
  }
  uint32_t lowerOwn(uint32_t resource, uint32_t rep) override { return add({true, resource, rep}); }
  uint32_t lowerBorrow(uint32_t resource, uint32_t rep) override {
    return add({false, resource, rep});
  }

  uint32_t add(FakeHandle handle) {
    table.push_back(handle);
    return static_cast<uint32_t>(table.size() - 1);
  }

  GuestMemory view() { return {reinterpret_cast<std::byte*>(data.data()), data.size()}; }

  std::optional<uint32_t> forced;  // what realloc returns, whatever was asked for
  size_t growWith = 0;             // bytes that the memory grows by with each realloc: it moves
  void (*afterRealloc)(std::vector<uint8_t>& data) = nullptr;  // what a hostile guest does
  uint32_t bump;
  std::vector<uint8_t> data;
  std::vector<Realloc> log;
  std::vector<std::optional<FakeHandle>> table = {std::nullopt};
  FakeHandles factory;

 private:
  FakeHandle* find(uint32_t resource, uint32_t index) {
    if (index >= table.size() || !table[index] || table[index]->resource != resource) {
      fail("there is no such handle");
      return nullptr;
    }
    return &*table[index];
  }
};

}  // namespace tenon::abi
