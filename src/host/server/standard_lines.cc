#include "host/server/standard_lines.h"

#include "net/inherited_streams.h"

#include <kj/array.h>

#include <unistd.h>

#include <span>
#include <string>
#include <utility>

namespace tenon::host {

StandardLines::StandardLines(kj::UnixEventPort& port)
    : streams_{Stream{net::newInheritedSink(port, STDOUT_FILENO)},
               Stream{net::newInheritedSink(port, STDERR_FILENO)}} {}

bool StandardLines::take(const GuestLine& line) {
  Stream& stream = streams_[static_cast<size_t>(line.stream)];
  auto permit = stream.sink->permit();
  if (!permit) return true;
  if (*permit == 0) {
    if (line.last) ++stream.lost;
    return false;
  }
  std::string text;
  if (stream.lost != 0) {
    text = "(" + std::to_string(std::exchange(stream.lost, 0)) + " lines were lost here)\n";
  }
  if (!line.component.empty()) text += std::string(line.component) + " | ";
  text.append(line.text).append("\n");
  // It keeps what does not fit, and permits nothing until that is gone.
  (void)stream.sink->write(std::as_bytes(std::span(text)));
  return true;
}

kj::Promise<void> StandardLines::whenFlushed() {
  auto waiting = kj::heapArrayBuilder<kj::Promise<void>>(streams_.size());
  for (Stream& stream : streams_) waiting.add(stream.sink->whenFlushed());
  return kj::joinPromises(waiting.finish());
}

}  // namespace tenon::host
