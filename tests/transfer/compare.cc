#include "tests/transfer/compare.h"

#include "component/abi/dynamic.h"
#include "component/types/type_table.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>

namespace tenon::transfer {
namespace {

using abi::MovedHandle;

constexpr const char* OUT_OF_BUDGET = "the values of one call take more host memory than allowed";

struct TableEntry {
  bool own = true;
  uint32_t resource = 0;
  uint32_t rep = 0;
  uint32_t lends = 0;
  bool gone = false;
  bool operator==(const TableEntry&) const = default;
};

class Held final : public ResourceHandle {
 public:
  Held(uint32_t rep, bool own) : rep(rep), own(own) {}
  std::string_view typeName() const override { return "held"; }
  uint64_t id() const override { return rep; }
  bool moved() const override { return isMoved; }

  const uint32_t rep;
  const bool own;
  bool isMoved = false;
};

class HeldFactory final : public abi::HandleFactory {
 public:
  std::shared_ptr<ResourceHandle> wrapOwn(uint32_t, uint32_t rep) override {
    return std::make_shared<Held>(rep, true);
  }
  std::shared_ptr<ResourceHandle> wrapBorrow(uint32_t, uint32_t rep) override {
    return std::make_shared<Held>(rep, false);
  }
  const char* refuseOwn(const ResourceHandle&, uint32_t) const override { return nullptr; }
  const char* refuseBorrow(const ResourceHandle&, uint32_t) const override { return nullptr; }
  uint32_t takeOwn(ResourceHandle& handle) override {
    static_cast<Held&>(handle).isMoved = true;
    return static_cast<Held&>(handle).rep;
  }
  uint32_t borrow(ResourceHandle& handle) override { return static_cast<Held&>(handle).rep; }
};

class Guest final : public abi::Context {
 public:
  explicit Guest(const GuestState& state)
      : Context({}, state.encoding), state(state), content(state.memory), bump(state.bump) {
    budget = state.budget;
    handles = &factory_;
    // Some handles of two resource types, owned and borrowed.
    table.push_back({.gone = true});
    for (uint32_t i = 1; i < 12; ++i) {
      table.push_back({.own = i % 3 != 0, .resource = i % 2, .rep = 100 + i});
    }
    view();
  }

  uint32_t allocate(uint32_t size, uint32_t alignment) override {
    return reallocate(0, 0, alignment, size);
  }
  uint32_t reallocate(uint32_t pointer, uint32_t oldSize, uint32_t alignment,
                      uint32_t newSize) override {
    if (failed()) return 0;
    size_t number = log.size();
    uint64_t result = (uint64_t{bump} + alignment - 1) & ~(uint64_t{alignment} - 1);
    uint64_t end = result + newSize;
    bool isForced = state.forced.contains(number);
    if (isForced) result = state.forced.at(number);
    log.push_back({pointer, oldSize, alignment, newSize, static_cast<uint32_t>(result)});
    if (!isForced && end > LARGEST_MEMORY) {
      fail("the guest is out of memory");
      return 0;
    }
    // Small memories move each time, so that a view that outlives `realloc` is seen.
    constexpr size_t MOVED_EACH_TIME = 4096;
    uint64_t size = content.size();
    if (!isForced && end > size) size = std::min(std::max(end, 2 * size), LARGEST_MEMORY);
    if (size != content.size() || size <= MOVED_EACH_TIME) {
      std::vector<uint8_t> moved(size);
      std::copy(content.begin(), content.end(), moved.begin());
      content = std::move(moved);
    }
    if (auto found = state.scribbled.find(number); found != state.scribbled.end()) {
      if (!content.empty()) content[found->second % content.size()] ^= 0x5a;
    }
    view();
    auto answer = static_cast<uint32_t>(result);
    if ((answer & (alignment - 1)) != 0) {
      fail("realloc return: result not aligned");
      return 0;
    }
    if (!memory.contains(answer, newSize)) {
      fail("realloc return: beyond end of memory");
      return 0;
    }
    if (oldSize != 0 && memory.contains(pointer, oldSize)) {
      std::memmove(&content[answer], &content[pointer], std::min(oldSize, newSize));
    }
    if (!isForced) bump = static_cast<uint32_t>(end);
    return answer;
  }

  uint32_t liftOwn(uint32_t resource, uint32_t index) override {
    TableEntry* entry = find(resource, index);
    if (entry == nullptr) return 0;
    if (!entry->own || entry->lends != 0) {
      fail("the handle is borrowed or lent");
      return 0;
    }
    entry->gone = true;
    return entry->rep;
  }
  uint32_t liftBorrow(uint32_t resource, uint32_t index) override {
    TableEntry* entry = find(resource, index);
    if (entry == nullptr) return 0;
    entry->lends++;
    return entry->rep;
  }
  uint32_t lowerOwn(uint32_t resource, uint32_t rep) override {
    return add({.own = true, .resource = resource, .rep = rep});
  }
  uint32_t lowerBorrow(uint32_t resource, uint32_t rep) override {
    return add({.own = false, .resource = resource, .rep = rep});
  }

  const GuestState& state;
  std::vector<uint8_t> content;
  uint32_t bump;
  std::vector<std::array<uint32_t, 5>> log;
  std::vector<TableEntry> table;

 private:
  TableEntry* find(uint32_t resource, uint32_t index) {
    if (index >= table.size() || table[index].gone || table[index].resource != resource) {
      fail("there is no such handle");
      return nullptr;
    }
    return &table[index];
  }
  uint32_t add(TableEntry entry) {
    if (failed()) return 0;
    table.push_back(entry);
    return static_cast<uint32_t>(table.size() - 1);
  }
  void view() { memory = {reinterpret_cast<std::byte*>(content.data()), content.size()}; }

  HeldFactory factory_;
};

// Moves handles as lifting and lowering do: by what they stand for.
class Straight final : public abi::HandleMover {
 public:
  uint64_t lift(abi::Context& from, const MovedHandle& type, uint32_t index) override {
    return type.mode == MovedHandle::Mode::OWN ? from.liftOwn(type.from, index)
                                               : from.liftBorrow(type.from, index);
  }
  uint32_t lower(abi::Context& to, const MovedHandle& type, uint64_t lifted) override {
    auto rep = static_cast<uint32_t>(lifted);
    return type.mode == MovedHandle::Mode::OWN ? to.lowerOwn(type.to, rep)
                                               : to.lowerBorrow(type.to, rep);
  }
};

std::string text(const std::vector<std::array<uint32_t, 5>>& log) {
  std::string out;
  for (const auto& call : log) {
    out += "(";
    for (uint32_t number : call) out += std::to_string(number) + " ";
    out += ") ";
  }
  return out;
}

std::string failureOf(const Guest& guest) { return guest.failed() ? guest.failure() : "nothing"; }

bool isOutOfBudget(const Guest& guest) { return failureOf(guest) == OUT_OF_BUDGET; }

// How one guest of the two runs differs.
std::string differenceOf(const std::string& who, const Guest& byValue, const Guest& direct) {
  if (failureOf(byValue) != failureOf(direct)) {
    return who + " failed of " + failureOf(byValue) + ", by transfer of " + failureOf(direct);
  }
  if (byValue.log != direct.log) {
    return who + "'s realloc " + text(byValue.log) + ", by transfer " + text(direct.log);
  }
  if (byValue.table != direct.table) return who + "'s handles differ";
  if (byValue.content.size() != direct.content.size()) return who + "'s memory has another size";
  for (size_t i = 0; i < byValue.content.size(); ++i) {
    if (byValue.content[i] != direct.content[i]) {
      return who + "'s memory differs at byte " + std::to_string(i) + ": " +
             std::to_string(byValue.content[i]) + ", by transfer " +
             std::to_string(direct.content[i]);
    }
  }
  return "";
}

std::string flatDifference(const std::vector<RawValue>& byValue,
                           const std::vector<RawValue>& direct, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (byValue[i].i64 != direct[i].i64) return "flat value " + std::to_string(i) + " differs";
  }
  return "";
}

// Both runs are over: `giving` and `getting` are the guests of each.
Crossed judge(const Guest& giving, const Guest& getting, const Guest& givingDirect,
              const Guest& gettingDirect, bool ok, const std::vector<RawValue>& flat,
              const std::vector<RawValue>& flatDirect, size_t flatCount) {
  Crossed crossed;
  if (isOutOfBudget(giving) || isOutOfBudget(givingDirect)) {
    crossed.outOfBudget = true;
    return crossed;
  }
  crossed.failed = giving.failed() || getting.failed();
  if (crossed.failed) crossed.failure = failureOf(giving.failed() ? giving : getting);
  crossed.difference = differenceOf("who gives", giving, givingDirect);
  if (crossed.difference.empty()) {
    crossed.difference = differenceOf("who gets", getting, gettingDirect);
  }
  if (crossed.difference.empty() && ok == crossed.failed)
    crossed.difference = "the answer is wrong";
  if (crossed.difference.empty() && !crossed.failed) {
    crossed.difference = flatDifference(flat, flatDirect, flatCount);
  }
  if (givingDirect.content != givingDirect.state.memory) {
    crossed.difference = "the source was written to";
  }
  crossed.flat = flatDirect;
  crossed.memory = gettingDirect.content;
  return crossed;
}

}  // namespace

Crossed compareParameters(const FuncType& type, const abi::Transfer& transfer,
                          const GuestState& caller, const GuestState& callee,
                          const std::vector<RawValue>& in) {
  size_t slots = abi::slotCount(type);
  Guest from(caller), to(callee);
  std::vector<RawValue> out(slots);
  auto values = abi::liftParams(from, type, in.data());
  if (!from.failed()) abi::lowerParams(to, type, values, out.data());

  Guest fromDirect(caller), toDirect(callee);
  std::vector<RawValue> outDirect(slots);
  Straight straight;
  bool ok = transfer.parameters(fromDirect, in.data(), toDirect, outDirect.data(), &straight);
  return judge(from, to, fromDirect, toDirect, ok, out, outDirect,
               component::flattenLift(type).params.size());
}

Crossed compareResults(const FuncType& type, const abi::Transfer& transfer,
                       const GuestState& callee, const GuestState& caller,
                       const std::vector<RawValue>& in, const std::vector<RawValue>& flat) {
  Guest from(callee), to(caller);
  std::vector<RawValue> out = flat;
  auto value = abi::liftResult(from, type, in.data());
  if (!from.failed()) abi::lowerResult(to, type, value ? &*value : nullptr, out.data());

  Guest fromDirect(callee), toDirect(caller);
  std::vector<RawValue> outDirect = flat;
  Straight straight;
  bool ok = transfer.results(fromDirect, in.data(), toDirect, outDirect.data(), &straight);
  return judge(from, to, fromDirect, toDirect, ok, out, outDirect, out.size());
}

namespace {

bool keep(GuestState& state, const Guest& guest) {
  if (guest.failed()) return false;
  state.memory = guest.content;
  state.bump = guest.bump;
  return true;
}

}  // namespace

bool lowerInto(GuestState& guest, const FuncType& type, const std::vector<Value>& values,
               std::vector<RawValue>& flat) {
  Guest writer(guest);
  flat.assign(abi::slotCount(type), RawValue{});
  abi::lowerParams(writer, type, values, flat.data());
  // Room for a result, behind the values.
  uint32_t room = 0;
  if (component::resultSpills(type)) {
    room = writer.allocate(type.result->size, type.result->alignment);
    flat.back().i64 = room;
  }
  return keep(guest, writer);
}

bool lowerResultInto(GuestState& guest, const FuncType& type, const Value& result,
                     std::vector<RawValue>& flat) {
  Guest writer(guest);
  flat.assign(1, RawValue{});
  RawValue* out = flat.data();
  if (!component::resultSpills(type)) {
    abi::lowerFlat(writer, *type.result, result, out);
  } else {
    uint32_t pointer = writer.allocate(type.result->size, type.result->alignment);
    if (!writer.failed()) abi::store(writer, *type.result, result, pointer);
    flat[0].i64 = pointer;
  }
  return keep(guest, writer);
}

}  // namespace tenon::transfer
