#include "tests/wire/check.h"

#include "component/abi/dynamic.h"
#include "component/types/type_table.h"
#include "component/wire/wire.h"
#include "tests/wire/reference.h"

#include <algorithm>
#include <span>

namespace tenon::wiretest {
namespace {

constexpr uint64_t LIMIT = 1 << 20;
constexpr uint64_t LARGEST_MEMORY = 1 << 22;

class Guest final : public abi::Context {
 public:
  explicit Guest(StringEncoding encoding) : Context({}, encoding) {}

  uint32_t allocate(uint32_t size, uint32_t alignment) override {
    return reallocate(0, 0, alignment, size);
  }
  uint32_t reallocate(uint32_t pointer, uint32_t oldSize, uint32_t alignment,
                      uint32_t newSize) override {
    if (failed()) return 0;
    uint64_t result = (uint64_t{bump_} + alignment - 1) & ~(uint64_t{alignment} - 1);
    uint64_t end = result + newSize;
    if (end > LARGEST_MEMORY) {
      fail("the guest is out of memory");
      return 0;
    }
    if (end > bytes_.size()) {
      std::vector<std::byte> moved(
          std::min(std::max(end, 2 * uint64_t{bytes_.size()}), LARGEST_MEMORY));
      std::copy(bytes_.begin(), bytes_.end(), moved.begin());
      bytes_ = std::move(moved);
    }
    memory = {bytes_.data(), bytes_.size()};
    if (oldSize != 0) {
      std::copy_n(bytes_.begin() + pointer, std::min(oldSize, newSize),
                  bytes_.begin() + static_cast<ptrdiff_t>(result));
    }
    bump_ = static_cast<uint32_t>(end);
    return static_cast<uint32_t>(result);
  }
  uint32_t liftOwn(uint32_t, uint32_t index) override { return index; }
  uint32_t liftBorrow(uint32_t, uint32_t index) override { return index; }
  uint32_t lowerOwn(uint32_t, uint32_t rep) override { return rep; }
  uint32_t lowerBorrow(uint32_t, uint32_t rep) override { return rep; }

 private:
  std::vector<std::byte> bytes_;
  uint32_t bump_ = 8;
};

// A handle is the bytes of its index.
class PlainHandles final : public abi::WireHandles {
 public:
  void encode(abi::Context&, const Type&, uint32_t index, std::vector<std::byte>& out) override {
    for (int i = 0; i < 4; ++i) out.push_back(static_cast<std::byte>(index >> (8 * i)));
  }
  uint32_t decode(abi::Context& to, const Type&, std::span<const std::byte> handle) override {
    uint32_t index = 0;
    if (handle.size() != 4) to.fail("not one of ours");
    for (size_t i = 0; i < handle.size() && i < 4; ++i) {
      index |= std::to_integer<uint32_t>(handle[i]) << (8 * i);
    }
    return index;
  }
};

std::string failureOf(const Guest& guest) { return guest.failed() ? guest.failure() : ""; }

// The error of scanning piece by piece, "more" or "".
std::string scanned(const FuncType& type, std::span<const std::byte> bytes, size_t piece,
                    uint64_t& size) {
  auto wire = abi::WireType::parameters(type);
  if (!wire) return wire.error().text();
  abi::WireScan scan(*wire, LIMIT);
  for (size_t arrived = 0;;) {
    auto progress = scan.scan(bytes.first(arrived));
    if (!progress) return progress.error().text();
    size = scan.size();
    if (*progress == abi::WireScan::Progress::DONE) return "";
    if (arrived == bytes.size()) return "more";
    arrived = std::min(bytes.size(), arrived + piece);
  }
}

}  // namespace

bool isSendable(const FuncType& type) { return abi::WireType::parameters(type).ok(); }

std::string roundTrip(const FuncType& type, const std::vector<Value>& values, StringEncoding from,
                      StringEncoding to, size_t piece) {
  Guest sender(from), receiver(to);
  std::vector<RawValue> in(abi::slotCount(type)), out(in.size());
  abi::lowerParams(sender, type, values, in.data());
  if (sender.failed()) return "";  // too large for the test's memory
  std::vector<std::byte> bytes;
  if (!abi::encodeParameters(sender, type, in.data(), bytes, LIMIT)) {
    return "encoding failed of " + failureOf(sender);
  }
  std::string expected;
  for (size_t i = 0; i < values.size(); ++i) expected += encode(*type.params[i].type, values[i]);
  std::string found(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (found != expected) return "the bytes are not those of the reference";

  uint64_t size = 0;
  if (auto failure = scanned(type, bytes, piece, size); !failure.empty()) {
    return "scanning failed of " + failure;
  }
  if (size != bytes.size()) return "the scan ends before the bytes";
  // Cut anywhere, there is more to come; a few places, chosen by the bytes.
  for (size_t i = 0; i < 3 && !bytes.empty(); ++i) {
    size_t cut = (i * 7919 + bytes.size() / 2) % bytes.size();
    auto failure = scanned(type, std::span(bytes).first(cut), 1 + cut / 3, size);
    if (failure != "more") return "a cut one is no cut one: " + failure;
  }

  if (!abi::decodeParameters(receiver, type, bytes, out.data())) {
    if (failureOf(receiver) == "the guest is out of memory") return "";
    return "decoding failed of " + failureOf(receiver);
  }
  auto arrived = abi::liftParams(receiver, type, out.data());
  if (receiver.failed()) return "lifting failed of " + failureOf(receiver);
  std::string again;
  for (size_t i = 0; i < values.size(); ++i) again += encode(*type.params[i].type, arrived[i]);
  return again == expected ? "" : "other values arrived";
}

std::string anyBytes(const FuncType& type, const std::string& text, size_t piece, bool& accepted) {
  std::span<const std::byte> bytes = std::as_bytes(std::span(text));
  uint64_t size = 0, whole = 0;
  std::string failure = scanned(type, bytes, piece, size);
  std::string atOnce = scanned(type, bytes, bytes.size() + 1, whole);
  if (failure != atOnce) return "by pieces '" + failure + "', at once '" + atOnce + "'";
  accepted = failure.empty();
  if (!accepted) return "";
  if (size != whole) return "the size is another by pieces";

  PlainHandles handles;
  Guest receiver(StringEncoding::UTF8);
  std::vector<RawValue> flat(abi::slotCount(type));
  bytes = bytes.first(size);
  if (!abi::decodeParameters(receiver, type, bytes, flat.data(), &handles)) {
    failure = failureOf(receiver);
    bool isFine = failure == "the guest is out of memory" || failure == "not one of ours";
    return isFine ? "" : "decoding what was scanned failed of " + failure;
  }
  // What comes out is the shortest form: it encodes to itself.
  std::vector<std::byte> once, twice;
  if (!abi::encodeParameters(receiver, type, flat.data(), once, LIMIT, &handles)) {
    return "encoding what was decoded failed of " + failureOf(receiver);
  }
  if (once.size() > bytes.size()) return "the shortest form is longer";
  Guest second(StringEncoding::UTF8);
  if (!abi::decodeParameters(second, type, once, flat.data(), &handles) ||
      !abi::encodeParameters(second, type, flat.data(), twice, LIMIT, &handles)) {
    return "the second time failed of " + failureOf(second);
  }
  return once == twice ? "" : "the second time the bytes are others";
}

}  // namespace tenon::wiretest
