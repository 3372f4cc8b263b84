#include "http/body_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tenon::http {
namespace {

// Of a chunk's size and its extensions.
constexpr size_t MAX_SIZE_LINE = 1024;
// Of the extensions of all chunks of a body. Source: RFC 9112 section 7.1.1.
constexpr size_t MAX_EXTENSIONS = 16 * 1024;
// What is read to see that bytes have come, when the rest is to stay in the system.
constexpr size_t SAMPLE = 256;

std::string_view withoutBlanks(std::string_view text) {
  size_t begin = text.find_first_not_of(" \t");
  return text.substr(std::min(begin, text.size()));
}

// Whether this is *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] ).
bool areExtensions(std::string_view text) {
  constexpr std::string_view ENDS = " \t;=";
  while (!text.empty()) {
    text = withoutBlanks(text);
    if (!text.starts_with(';')) return false;
    text = withoutBlanks(text.substr(1));
    size_t end = std::min(text.find_first_of(ENDS), text.size());
    if (!isToken(text.substr(0, end))) return false;
    text.remove_prefix(end);
    std::string_view value = withoutBlanks(text);
    if (!value.starts_with('=')) continue;
    value = withoutBlanks(value.substr(1));
    if (value.starts_with('"')) {
      end = 1;
      while (end < value.size() && value[end] != '"') end += value[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, value.size());
      if (!isQuoted(value.substr(0, end))) return false;
    } else {
      end = std::min(value.find_first_of(ENDS), value.size());
      if (!isToken(value.substr(0, end))) return false;
    }
    text = value.substr(end);
  }
  return true;
}

// The size that begins a chunk's line; nothing when it is none.
std::optional<uint64_t> parseChunkSize(std::string_view line) {
  uint64_t size = 0;
  size_t i = 0;
  for (; i < line.size(); ++i) {
    char c = line[i];
    uint64_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<uint64_t>(c - '0');
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      digit = static_cast<uint64_t>((c | 0x20) - 'a') + 10;
    } else {
      break;
    }
    if (i == 15) return std::nullopt;
    size = size << 4 | digit;
  }
  if (i == 0) return std::nullopt;
  // Extensions are dropped, but nothing else may follow, blanks neither.
  if (!areExtensions(line.substr(i))) return std::nullopt;
  return size;
}

}  // namespace

BodyReader::BodyReader(Wire& wire, BodyOptions options)
    : wire_(&wire), options_(std::move(options)) {
  switch (options_.framing) {
    case Framing::NONE:
      state_ = State::DONE;
      break;
    case Framing::LENGTH:
      left_ = options_.length;
      break;
    case Framing::UNTIL_CLOSE:
      left_ = UINT64_MAX;
      break;
    case Framing::CHUNKED:
      state_ = State::SIZE_LINE;
      break;
  }
}

size_t BodyReader::available() const {
  if (state_ != State::DATA) return 0;
  return static_cast<size_t>(std::min<uint64_t>(left_, wire_->bytes().size()));
}

void BodyReader::advance() {
  while (!finished()) {
    std::string_view bytes = wire_->bytes();
    switch (state_) {
      case State::SIZE_LINE:
        if (!takeSizeLine(bytes)) return;
        break;
      case State::DATA:
        return;
      case State::DATA_END:
        if (bytes.empty() || bytes == "\r") return;
        if (!bytes.starts_with("\r\n")) return fail(makeError<ErrorKind::HTTP_PROTOCOL_ERROR>());
        wire_->use(2);
        state_ = State::SIZE_LINE;
        break;
      case State::TRAILERS:
        if (!takeTrailers(bytes)) return;
        break;
      default:
        return;
    }
  }
}

bool BodyReader::takeSizeLine(std::string_view bytes) {
  size_t end = bytes.find('\n');
  if (end == std::string_view::npos) {
    if (bytes.size() > MAX_SIZE_LINE) fail(makeError<ErrorKind::HTTP_PROTOCOL_ERROR>());
    return false;
  }
  std::optional<uint64_t> size;
  if (end != 0 && end <= MAX_SIZE_LINE && bytes[end - 1] == '\r') {
    std::string_view line = bytes.substr(0, end - 1);
    size = parseChunkSize(line);
    extensions_ += line.size() - std::min(line.find(';'), line.size());
  }
  if (!size || extensions_ > MAX_EXTENSIONS) {
    fail(makeError<ErrorKind::HTTP_PROTOCOL_ERROR>());
    return false;
  }
  wire_->use(end + 1);
  left_ = *size;
  state_ = *size == 0 ? State::TRAILERS : State::DATA;
  return true;
}

bool BodyReader::takeTrailers(std::string_view bytes) {
  if (bytes.starts_with("\r\n")) {
    wire_->use(2);
    finish();
    return true;
  }
  size_t size = headSize(bytes, searched_);
  searched_ = bytes.size();
  if (size == 0) {
    if (bytes.size() < options_.trailers.bytes) return false;
  } else if (size <= options_.trailers.bytes) {
    std::string_view lines = bytes.substr(0, size);
    if (!lines.ends_with("\r\n\r\n")) {
      fail(makeError<ErrorKind::HTTP_PROTOCOL_ERROR>());
      return false;
    }
    lines.remove_suffix(2);
    auto fields = parseFields(lines, options_.trailers,
                              options_.side == Side::REQUEST ? Folds::REFUSED : Folds::JOINED);
    if (fields) {
      trailers_ = std::make_shared<FieldList>(std::move(fields.value()));
      wire_->use(size);
      finish();
      return true;
    }
    if (fields.error().status != 431) {
      fail(makeError<ErrorKind::HTTP_PROTOCOL_ERROR>());
      return false;
    }
  }
  // What is beyond the limit has come by chance.
  size_t seen = std::min<size_t>(size == 0 ? bytes.size() : size, options_.trailers.bytes);
  auto found = std::optional<uint32_t>(static_cast<uint32_t>(seen));
  fail(options_.side == Side::REQUEST
           ? makeError<ErrorKind::HTTP_REQUEST_TRAILER_SECTION_SIZE>(found)
           : makeError<ErrorKind::HTTP_RESPONSE_TRAILER_SECTION_SIZE>(found));
  return false;
}

void BodyReader::consumed(size_t count) {
  wire_->use(count);
  this->count(count);
}

// Takes note of bytes of the body that are on the wire no more.
void BodyReader::count(size_t count) {
  received_ += count;
  if (options_.framing != Framing::UNTIL_CLOSE) left_ -= count;
  if (received_ > options_.maxBytes) {
    fail(options_.side == Side::REQUEST
             ? makeError<ErrorKind::HTTP_REQUEST_BODY_SIZE>(std::optional(received_))
             : makeError<ErrorKind::HTTP_RESPONSE_BODY_SIZE>(std::optional(received_)));
    return;
  }
  if (left_ != 0) return;
  if (options_.framing == Framing::LENGTH) {
    finish();
  } else if (options_.framing == Framing::CHUNKED) {
    state_ = State::DATA_END;
  }
  advance();
}

void BodyReader::tellFinished() {
  changed_.raise();
  finished_.raise();
  if (options_.onFinished) std::exchange(options_.onFinished, nullptr)(complete());
}

void BodyReader::finish() {
  state_ = State::DONE;
  tellFinished();
}

void BodyReader::fail(ErrorCode why) {
  if (finished()) return;
  state_ = State::FAILED;
  error_ = std::move(why);
  tellFinished();
}

void BodyReader::detach(ErrorCode why) {
  fail(std::move(why));
  filling_ = false;
  fill_ = nullptr;
  wire_ = nullptr;
}

ErrorCode BodyReader::incomplete() const {
  return options_.side == Side::REQUEST ? makeError<ErrorKind::CONNECTION_TERMINATED>()
                                        : makeError<ErrorKind::HTTP_RESPONSE_INCOMPLETE>();
}

// The other side sends no more.
void BodyReader::ended() {
  if (options_.framing == Framing::UNTIL_CLOSE && state_ == State::DATA) {
    finish();
  } else {
    fail(incomplete());
  }
}

void BodyReader::startFill() {
  if (filling_ || finished()) return;
  if (options_.onFirstRead) std::exchange(options_.onFirstRead, nullptr)();
  filling_ = true;
  wire_->touch();
  kj::Promise<bool> filling = wire_->fill(sparing_ ? SAMPLE : Wire::ROOM);
  KJ_IF_MAYBE (patience, options_.patience) {
    filling = filling.exclusiveJoin(wire_->timer().afterDelay(*patience).then([this]() {
      late_ = true;
      return false;
    }));
  }
  fill_ = filling
              .then(
                  [this](bool more) {
                    filling_ = false;
                    if (late_) {
                      fail(makeError<ErrorKind::CONNECTION_READ_TIMEOUT>());
                    } else if (more) {
                      advance();
                    } else {
                      ended();
                    }
                    changed_.raise();
                  },
                  [this](kj::Exception&&) {
                    filling_ = false;
                    fail(makeError<ErrorKind::CONNECTION_TERMINATED>());
                  })
              .eagerlyEvaluate(nullptr);
}

net::StreamResult<size_t> BodyReader::read(std::span<std::byte> into) {
  if (!finished()) advance();
  size_t count = 0;
  while (count < into.size()) {
    size_t piece = std::min(available(), into.size() - count);
    if (piece == 0) break;
    std::memcpy(into.data() + count, wire_->bytes().data(), piece);
    count += piece;
    consumed(piece);
  }
  if (count != 0) {
    sparing_ = false;
    // The next bytes come while the guest works on these.
    if (!finished() && available() == 0) startFill();
    return count;
  }
  if (state_ == State::FAILED && !std::exchange(told_, true)) return httpFault(*error_);
  if (finished()) return net::closedFault();
  if (!into.empty()) startFill();
  return size_t{0};
}

net::StreamResult<uint64_t> BodyReader::skip(uint64_t length) {
  if (!finished()) advance();
  uint64_t count = 0;
  while (count < length) {
    size_t piece = static_cast<size_t>(std::min<uint64_t>(available(), length - count));
    if (piece == 0) break;
    count += piece;
    consumed(piece);
  }
  if (count != 0) return count;
  auto nothing = read({});
  if (!nothing) return Unexpected<net::StreamFault>{std::move(nothing).error()};
  return uint64_t{0};
}

bool BodyReader::fillsPipes() {
  if (!finished()) advance();
  return state_ == State::DATA && !options_.onFirstRead && wire_->socket() >= 0;
}

uint64_t BodyReader::fillPipe(net::KernelPipe& pipe, std::string& before, uint64_t most) {
  // While a read is under way its bytes may be here already, and nobody knows of them.
  if (!fillsPipes() || filling_) return 0;
  size_t here = wire_->bytes().size();
  most = std::min(most, left_);
  if (here >= most) return 0;
  sparing_ = true;
  size_t moved = pipe.fill(wire_->socket(), static_cast<size_t>(most - here));
  if (moved == 0) return 0;
  before.assign(wire_->bytes());
  wire_->use(here);
  wire_->touch();
  count(here + moved);
  return here + moved;
}

bool BodyReader::ready() {
  if (!finished()) advance();
  return finished() || available() != 0;
}

kj::Promise<void> BodyReader::whenReady() {
  if (ready()) return kj::READY_NOW;
  startFill();
  return changed_.wait();
}

kj::Promise<void> BodyReader::discard(uint64_t limit) {
  while (true) {
    while (!finished()) {
      advance();
      size_t piece = available();
      if (piece == 0) break;
      if (piece > limit) co_return;
      limit -= piece;
      consumed(piece);
    }
    if (finished()) co_return;
    startFill();
    co_await changed_.wait();
  }
}

kj::Promise<void> BodyReader::whenFinished() {
  if (finished()) return kj::READY_NOW;
  return finished_.wait();
}

}  // namespace tenon::http
