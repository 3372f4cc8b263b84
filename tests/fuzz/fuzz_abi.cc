// Lift and lower, by dynamic values, against a hostile guest: any bytes in its memory, any flat
// values, a `realloc` that returns anything and moves the memory. Where the guest behaves, what is
// lowered lifts to the same value.

#include "component/abi/dynamic.h"
#include "component/wit/wave.h"
#include "tests/fuzz/input.h"

#include <tenon/abi/context.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

using namespace tenon;

namespace {

class Handle final : public ResourceHandle {
 public:
  Handle(uint32_t rep, bool own) : rep(rep), own(own) {}
  std::string_view typeName() const override { return "fuzz"; }
  uint64_t id() const override { return rep; }
  bool moved() const override { return isMoved; }

  const uint32_t rep;
  const bool own;
  bool isMoved = false;
};

class Handles final : public abi::HandleFactory {
 public:
  std::shared_ptr<ResourceHandle> wrapOwn(uint32_t, uint32_t rep) override {
    return std::make_shared<Handle>(rep, true);
  }
  std::shared_ptr<ResourceHandle> wrapBorrow(uint32_t, uint32_t rep) override {
    return std::make_shared<Handle>(rep, false);
  }
  const char* refuseOwn(const ResourceHandle& handle, uint32_t) const override {
    const auto& ours = static_cast<const Handle&>(handle);
    return ours.own && !ours.isMoved ? nullptr : "moved or borrowed";
  }
  const char* refuseBorrow(const ResourceHandle& handle, uint32_t) const override {
    return static_cast<const Handle&>(handle).isMoved ? "moved" : nullptr;
  }
  uint32_t takeOwn(ResourceHandle& handle) override {
    static_cast<Handle&>(handle).isMoved = true;
    return static_cast<Handle&>(handle).rep;
  }
  uint32_t borrow(ResourceHandle& handle) override { return static_cast<Handle&>(handle).rep; }
};

enum class Manners : uint8_t { GOOD, HOSTILE };

class Guest final : public abi::Context {
 public:
  Guest(StringEncoding encoding, std::vector<uint8_t> content, fuzzing::Input& input,
        Manners manners)
      : Context({}, encoding), content_(std::move(content)), input_(input), manners_(manners) {
    handles = &factory_;
    view();
  }

  uint32_t allocate(uint32_t size, uint32_t alignment) override {
    return reallocate(0, 0, alignment, size);
  }
  uint32_t reallocate(uint32_t pointer, uint32_t oldSize, uint32_t alignment,
                      uint32_t newSize) override {
    if (failed()) return 0;
    uint32_t result = (bump_ + alignment - 1) & ~(alignment - 1);
    uint64_t end = uint64_t{result} + newSize;
    if (manners_ == Manners::GOOD) {
      constexpr uint64_t MAX_MEMORY = 1 << 22;
      constexpr uint64_t MOVED_EACH_TIME = 4096;
      if (end > MAX_MEMORY) {
        fail("the guest is out of memory");
        return 0;
      }
      if (end > content_.size()) {
        // In steps, so that many small allocations copy no more than twice the memory.
        move(std::min(std::max(end, 2 * uint64_t{content_.size()}), MAX_MEMORY));
      } else if (content_.size() <= MOVED_EACH_TIME) {
        move(content_.size());
      }
    } else {
      switch (input_.below(4)) {
        case 0:
          result = static_cast<uint32_t>(input_.integer());
          break;
        case 1:
          move(content_.size() + input_.below(64));
          break;
        case 2:
          move(content_.size());
          if (!content_.empty()) content_[input_.below(0x10000) % content_.size()] ^= 0xff;
          break;
        default:
          break;
      }
    }
    view();
    if ((result & (alignment - 1)) != 0 || !memory.contains(result, newSize)) {
      fail("realloc returned a bad pointer");
      return 0;
    }
    if (oldSize != 0 && memory.contains(pointer, oldSize)) {
      std::memmove(&content_[result], &content_[pointer], std::min(oldSize, newSize));
    }
    bump_ = result + newSize;
    return result;
  }
  uint32_t liftOwn(uint32_t, uint32_t index) override { return lifted(index); }
  uint32_t liftBorrow(uint32_t, uint32_t index) override { return lifted(index); }
  uint32_t lowerOwn(uint32_t, uint32_t rep) override { return rep; }
  uint32_t lowerBorrow(uint32_t, uint32_t rep) override { return rep; }

 private:
  uint32_t lifted(uint32_t index) {
    if (index % 4 == 3) fail("there is no such handle");
    return index;
  }
  // The memory at another address, so that a view that outlives `realloc` is seen.
  void move(uint64_t size) {
    std::vector<uint8_t> moved(size);
    std::copy_n(content_.begin(), std::min<uint64_t>(content_.size(), size), moved.begin());
    content_ = std::move(moved);
  }
  void view() { memory = {reinterpret_cast<std::byte*>(content_.data()), content_.size()}; }

  std::vector<uint8_t> content_;
  fuzzing::Input& input_;
  const Manners manners_;
  uint32_t bump_ = 8;
  Handles factory_;
};

StringEncoding encoding(fuzzing::Input& input) {
  constexpr StringEncoding ALL[] = {StringEncoding::UTF8, StringEncoding::UTF16,
                                    StringEncoding::LATIN1_UTF16};
  return ALL[input.below(3)];
}

bool hasHandles(const FuncType& type) {
  bool found = type.result != nullptr && type.result->hasResource;
  for (const Parameter& param : type.params) found |= param.type->hasResource;
  return found;
}

std::string printed(const std::vector<Value>& values) {
  std::string text;
  for (const Value& value : values) text += component::printWave(value) + "\n";
  return text;
}

// Lowers into a guest and lifts again.
void lowerAndLift(const FuncType& type, const std::vector<Value>& values, fuzzing::Input& input,
                  Manners manners) {
  Guest guest(encoding(input), std::vector<uint8_t>(input.below(512)), input, manners);
  std::vector<RawValue> flat(abi::slotCount(type));
  abi::lowerParams(guest, type, values, flat.data());
  if (guest.failed()) return;
  auto again = abi::liftParams(guest, type, flat.data());
  if (manners == Manners::HOSTILE || hasHandles(type)) return;
  if (guest.failed()) fuzzing::fail(std::string("lifting what was lowered: ") + guest.failure());
  if (printed(again) != printed(values)) {
    fuzzing::fail(toString(type) + ": " + printed(values) + "became " + printed(again));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzzing::Input input(data, size);
  component::TypeTable types;
  auto kinds = input.flip() ? fuzzing::Kinds::VALUES : fuzzing::Kinds::VALUES_AND_HANDLES;
  FuncType type = input.function(types, kinds);
  std::vector<RawValue> flat(abi::slotCount(type));
  for (RawValue& raw : flat) raw.i64 = input.integer();
  StringEncoding from = encoding(input);
  bool result = input.flip(), small = input.below(8) == 0;
  auto manners = input.flip() ? Manners::GOOD : Manners::HOSTILE;
  fuzzing::Input later = input;
  auto rest = input.rest();
  std::vector<uint8_t> content(rest.begin(), rest.end());
  // Repeated, so that a short input can fill what large types need.
  if (!content.empty() && content[0] % 2 == 0) {
    for (size_t i = 0; content.size() < 4096; ++i) content.push_back(content[i]);
  }
  Guest guest(from, std::move(content), later, Manners::GOOD);
  if (small) guest.budget = 100;
  if (result) {
    auto value = abi::liftResult(guest, type, flat.data());
    if (!guest.failed() && value && type.result != nullptr && kinds == fuzzing::Kinds::VALUES) {
      if (auto fits = abi::checkValue(*type.result, *value, "result"); !fits) {
        fuzzing::fail(fits.error().text());
      }
      Guest target(encoding(later), std::vector<uint8_t>(later.below(512)), later, manners);
      for (RawValue& raw : flat) raw.i64 = later.integer();
      abi::lowerResult(target, type, &*value, flat.data());
    }
    return 0;
  }
  auto values = abi::liftParams(guest, type, flat.data());
  if (guest.failed()) return 0;
  if (values.size() != type.params.size()) fuzzing::fail("values are missing");
  if (kinds == fuzzing::Kinds::VALUES) {
    if (auto fit = abi::checkArguments(type, values); !fit) fuzzing::fail(fit.error().text());
  }
  lowerAndLift(type, values, later, manners);
  return 0;
}
