// What comes over a connection of HTTP/1.1: heads, fields, and bodies however they arrive. A head
// that is accepted has nothing in it that could smuggle a second message past the guest, and a body
// means the same whether its bytes come at once or in pieces.

#include "http/body_reader.h"
#include "http/message.h"
#include "http/wire.h"
#include "tests/fuzz/input.h"

#include <kj/async-io.h>
#include <kj/timer.h>

#include <string>

namespace {

using namespace tenon::http;
using tenon::fuzzing::fail;
using tenon::fuzzing::Input;

constexpr HeadLimits LIMITS{.bytes = 2048, .fields = 20};

void checkFields(const FieldList& fields) {
  if (fields.size() > LIMITS.fields) fail("more fields than allowed");
  for (const Field& field : fields) {
    if (!isToken(field.name)) fail("a name that is no token: " + field.name);
    if (!isFieldValue(field.value)) fail("a value with control characters: " + field.name);
    if (isForbidden(field.name)) fail("the guest would see " + field.name);
  }
  // What was accepted is accepted again, and makes no further fields.
  std::string text;
  appendFields(text, fields);
  auto again = parseFields(text, {.bytes = UINT32_MAX, .fields = LIMITS.fields});
  if (!again) fail("fields that were written are refused");
  if (again->size() > fields.size()) fail("a field that was written is two");
}

void checkHead(std::string_view bytes, size_t step) {
  size_t size = headSize(bytes, 0);
  size_t searched = 0;
  for (size_t end = 0; end < bytes.size() && size != 0; end += step) {
    size_t found = headSize(bytes.substr(0, end), searched);
    if (found != 0 && found != size) fail("the end of a head depends on how it arrives");
    if (found != 0) break;
    searched = end;
  }
  if (size == 0) return;
  std::string_view head = bytes.substr(0, size);
  if (auto request = parseRequest(head, LIMITS)) {
    checkFields(*request->fields);
    if (!isToken(request->method)) fail("a method that is no token");
    if (request->target.empty()) fail("no target");
    for (char c : request->target) {
      if (c <= ' ' || c == '\x7f') fail("a space or a control character in the target");
    }
    if (request->framing == Framing::UNTIL_CLOSE) fail("a request that nothing ends");
  } else if (request.error().status < 400 || !request.error().why) {
    fail("a refusal without a reason");
  }
  for (bool toHead : {false, true}) {
    if (auto response = parseResponse(head, toHead, LIMITS)) {
      checkFields(*response->fields);
      if (response->status < 100 || response->status > 999) fail("a status of other than 3 digits");
    }
  }
}

struct Outcome {
  std::string body;
  std::string ending;  // with the trailers
  std::string next;    // what is left for the next message

  bool operator==(const Outcome&) const = default;
};

// Sends `bytes` in pieces of `piece` bytes, then ends the connection.
Outcome readBody(std::string_view bytes, Framing framing, uint64_t length, size_t piece) {
  kj::EventLoop loop;
  kj::WaitScope waitScope(loop);
  kj::TimerImpl timer(kj::origin<kj::TimePoint>());
  kj::TwoWayPipe pipe = kj::newTwoWayPipe();
  Wire wire(*pipe.ends[0], timer);
  BodyReader reader(wire,
                    {.framing = framing, .length = length, .maxBytes = 1500, .trailers = LIMITS});
  Outcome outcome;
  std::byte buffer[64];
  std::string_view left = bytes;
  kj::Promise<void> sending = kj::READY_NOW;
  bool ended = false;
  while (true) {
    auto ready = reader.whenReady();
    while (!ready.poll(waitScope)) {
      if (!sending.poll(waitScope) || ended) fail("a body that never ends");
      if (left.empty()) {
        pipe.ends[1]->shutdownWrite();
        ended = true;
        continue;
      }
      std::string_view next = left.substr(0, piece);
      left.remove_prefix(next.size());
      sending = pipe.ends[1]->write(next.data(), next.size());
    }
    ready.wait(waitScope);
    auto count = reader.read(buffer);
    if (!count) {
      outcome.ending = count.error().closed() ? "end" : count.error().error->text;
      break;
    }
    outcome.body.append(reinterpret_cast<const char*>(buffer), *count);
  }
  if (outcome.body.size() > 1500) fail("more bytes than allowed");
  if (const auto& trailers = reader.trailers()) {
    checkFields(*trailers);
    appendFields(outcome.ending, *trailers);
  }
  // After an error the connection is closed, so that what is left of it is nobody's.
  if (reader.complete()) outcome.next = std::string(wire.bytes()) + std::string(left);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  size_t piece = 1 + input.below(40);
  auto framing = static_cast<Framing>(input.below(4));
  uint64_t length = input.integer();
  std::string_view text = input.text();
  checkHead(text, piece);
  Outcome pieces = readBody(text, framing, length, piece);
  Outcome whole = readBody(text, framing, length, text.size() + 1);
  if (pieces != whole) {
    fail("a body depends on how it arrives: \"" + pieces.body + "\" " + pieces.ending + " or \"" +
         whole.body + "\" " + whole.ending);
  }
  return 0;
}
