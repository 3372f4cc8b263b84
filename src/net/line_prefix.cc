#include "net/line_prefix.h"

#include <tenon/text.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace tenon::net {
namespace {

// What a guest may write at once.
constexpr uint64_t PERMIT = 4096;

class LinePrefixSink final : public OutputSink {
 public:
  LinePrefixSink(std::shared_ptr<OutputSink> sink, std::string prefix)
      : sink_(std::move(sink)), prefix_(std::move(prefix)) {}

  StreamResult<uint64_t> permit() override {
    if (auto fault = takeFault()) return Unexpected<StreamFault>{*std::move(fault)};
    return lines_.empty() ? PERMIT : uint64_t{0};
  }

  StreamResult<void> write(std::span<const std::byte> bytes) override {
    if (auto fault = takeFault()) return Unexpected<StreamFault>{*std::move(fault)};
    for (std::byte byte : bytes) {
      line_ += static_cast<char>(byte);
      if (line_.back() == '\n' || line_.size() >= MAX_PREFIXED_LINE) endLine();
    }
    begin();
    return {};
  }

  StreamResult<void> flush() override {
    if (auto fault = takeFault()) return Unexpected<StreamFault>{*std::move(fault)};
    return sink_->flush();
  }

  bool ready() override { return fault_ || closed_ || lines_.empty(); }
  kj::Promise<void> whenReady() override {
    if (ready()) return kj::READY_NOW;
    return draining_.addBranch();
  }

  bool flushed() override { return line_.empty() && lines_.empty() && sink_->flushed(); }
  kj::Promise<void> whenFlushed() override {
    if (!line_.empty()) {
      endLine();
      begin();
    }
    if (lines_.empty()) return sink_->whenFlushed();
    return draining_.addBranch().then([this]() { return sink_->whenFlushed(); });
  }

 private:
  void endLine() {
    std::string_view text = line_;
    if (text.ends_with('\n')) text.remove_suffix(1);
    std::string_view end = text.ends_with('\r') ? "\r\n" : "\n";
    text.remove_suffix(end.size() - 1);
    // Or one component could write what looks like another's line.
    lines_ += prefix_ + printable(text, Lines::SEVERAL);
    lines_ += end;
    line_.clear();
  }

  // Moves what goes at once; a coroutine moves the rest.
  void begin() {
    if (lines_.empty() || isDraining_) return;
    move();
    if (lines_.empty()) return;
    isDraining_ = true;
    draining_ = drain().fork();
  }

  // Whole lines as far as they fit, so that another component's do not come between.
  void move() {
    while (!lines_.empty() && !fault_) {
      auto room = sink_->permit();
      if (!room) {
        fault_ = std::move(room).error();
        break;
      }
      if (*room == 0) return;
      size_t size = std::min<uint64_t>(*room, lines_.size());
      size_t end = std::string_view(lines_).substr(0, size).rfind('\n');
      if (end != std::string_view::npos) size = end + 1;
      auto written = sink_->write(std::as_bytes(std::span(lines_.data(), size)));
      if (!written) fault_ = std::move(written).error();
      lines_.erase(0, size);
    }
    if (fault_) lines_.clear();
  }

  kj::Promise<void> drain() {
    while (!lines_.empty()) {
      co_await sink_->whenReady();
      move();
    }
    isDraining_ = false;
  }

  // Tells of a failure once; from then on the stream is closed.
  std::optional<StreamFault> takeFault() {
    if (closed_) return StreamFault{};
    if (!fault_) return std::nullopt;
    closed_ = true;
    return std::exchange(fault_, std::nullopt);
  }

  std::shared_ptr<OutputSink> sink_;
  const std::string prefix_;
  std::string line_;   // not ended yet
  std::string lines_;  // with their prefix, not handed on yet
  std::optional<StreamFault> fault_;
  bool closed_ = false;
  bool isDraining_ = false;
  kj::ForkedPromise<void> draining_ = nullptr;  // last: uses everything above
};

}  // namespace

std::shared_ptr<OutputSink> newLinePrefixSink(std::shared_ptr<OutputSink> sink,
                                              std::string prefix) {
  return std::make_shared<LinePrefixSink>(std::move(sink), std::move(prefix));
}

}  // namespace tenon::net
