#include "host/server/guest_lines.h"

#include <utility>

namespace tenon::host {

using net::StreamResult;

namespace {

// What a guest may write at once.
constexpr uint64_t PERMIT = 4096;
// Also when each of its bytes is escaped, a log has room for it.
constexpr size_t LONGEST = 16 * 1024;
constexpr auto AGAIN = 20 * kj::MILLISECONDS;

}  // namespace

StreamResult<uint64_t> GuestLineSink::permit() { return waiting_.empty() ? PERMIT : uint64_t{0}; }

StreamResult<void> GuestLineSink::write(std::span<const std::byte> bytes) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    size_t size = std::min(end, LONGEST - line_.size());
    line_ += text.substr(0, size);
    text.remove_prefix(size);
    if (text.empty() && line_.size() < LONGEST) break;
    if (text.starts_with('\n')) text.remove_prefix(1);
    endLine();
  }
  return {};
}

kj::Promise<void> GuestLineSink::whenReady() {
  if (ready()) return kj::READY_NOW;
  return offered_.addBranch();
}

kj::Promise<void> GuestLineSink::whenFlushed() {
  end();
  return whenReady();
}

void GuestLineSink::endLine() {
  Waiting line{id_, std::exchange(line_, {})};
  if (waiting_.empty() && offer(line)) return;
  waiting_.push_back(std::move(line));
  if (std::exchange(offering_, true)) return;
  offered_ = offerAgain().fork();
}

bool GuestLineSink::hand(const Waiting& line, bool last) {
  return taker_.take(
      {.id = line.id, .component = component_, .stream = stream_, .text = line.text, .last = last});
}

// Whether it need not be offered again.
bool GuestLineSink::offer(const Waiting& line) {
  if (hand(line, false)) {
    refuses() = false;
    return true;
  }
  if (refuses()) (void)hand(line, true);
  return refuses();
}

void GuestLineSink::give() {
  if (!line_.empty()) waiting_.push_back({id_, std::exchange(line_, {})});
  for (; !waiting_.empty(); waiting_.pop_front()) (void)hand(waiting_.front(), true);
}

kj::Promise<void> GuestLineSink::offerAgain() {
  kj::TimePoint end = taker_.timer.now() + LineTaker::PATIENCE;
  while (!waiting_.empty()) {
    if (offer(waiting_.front())) {
      waiting_.pop_front();
      continue;
    }
    if (taker_.timer.now() >= end) refuses() = true;
    if (!refuses()) co_await taker_.timer.afterDelay(AGAIN);
  }
  offering_ = false;
}

}  // namespace tenon::host
