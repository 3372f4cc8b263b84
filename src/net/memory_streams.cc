#include "net/memory_streams.h"

#include <algorithm>
#include <cstring>

namespace tenon::net {
namespace {

constexpr uint64_t PERMIT = 1024 * 1024;

class MemorySource final : public InputSource {
 public:
  explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}

  StreamResult<size_t> read(std::span<std::byte> into) override {
    size_t left = bytes_.size() - position_;
    if (left == 0) return closedFault();
    size_t count = std::min(left, into.size());
    if (count != 0) std::memcpy(into.data(), bytes_.data() + position_, count);
    position_ += count;
    return count;
  }
  StreamResult<uint64_t> skip(uint64_t length) override {
    size_t left = bytes_.size() - position_;
    if (left == 0) return closedFault();
    uint64_t count = std::min<uint64_t>(left, length);
    position_ += count;
    return count;
  }
  bool ready() override { return true; }
  kj::Promise<void> whenReady() override { return kj::READY_NOW; }

 private:
  std::string bytes_;
  size_t position_ = 0;
};

class CallbackSink final : public OutputSink {
 public:
  explicit CallbackSink(std::function<void(std::span<const std::byte>)> capture)
      : capture_(std::move(capture)) {}

  StreamResult<uint64_t> permit() override { return PERMIT; }
  StreamResult<void> write(std::span<const std::byte> bytes) override {
    if (capture_ && !bytes.empty()) capture_(bytes);
    return {};
  }
  StreamResult<void> flush() override { return {}; }
  bool ready() override { return true; }
  kj::Promise<void> whenReady() override { return kj::READY_NOW; }

 private:
  std::function<void(std::span<const std::byte>)> capture_;
};

}  // namespace

std::shared_ptr<InputSource> newMemorySource(std::string bytes) {
  return std::make_shared<MemorySource>(std::move(bytes));
}

std::shared_ptr<OutputSink> newCallbackSink(
    std::function<void(std::span<const std::byte>)> capture) {
  return std::make_shared<CallbackSink>(std::move(capture));
}

}  // namespace tenon::net
