#include "component/abi/move_strings.h"

#include <tenon/abi/strings.h>

#include <simdjson.h>

#include <cstring>
#include <functional>

namespace tenon::abi {
namespace {

constexpr uint32_t UTF16_TAG = uint32_t{1} << 31;
constexpr const char* TOO_LONG = "a string is longer than 2^28 - 1 bytes";
constexpr const char* OUT_OF_BOUNDS = "a string is out of bounds of the memory";

const unsigned char* unsignedBytes(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// How many bytes from the start are ASCII.
size_t asciiPrefix(const unsigned char* bytes, size_t size) {
  size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    uint64_t word;
    std::memcpy(&word, bytes + i, 8);
    if ((word & 0x8080808080808080) != 0) break;
  }
  while (i < size && bytes[i] < 0x80) i++;
  return i;
}

// The code point at `at`, which is moved past it. Only for valid UTF-8.
char32_t next(const unsigned char*& at) {
  unsigned char lead = *at++;
  if (lead < 0x80) return lead;
  auto tail = [&] { return static_cast<char32_t>(*at++ & 0x3F); };
  if (lead < 0xE0) return (lead & 0x1Fu) << 6 | tail();
  if (lead < 0xF0) {
    char32_t code = (lead & 0x0Fu) << 12 | tail() << 6;
    return code | tail();
  }
  char32_t code = (lead & 0x07u) << 18 | tail() << 12;
  code |= tail() << 6;
  return code | tail();
}

char* append(char* out, char32_t code) {
  if (code < 0x80) {
    *out++ = static_cast<char>(code);
  } else if (code < 0x800) {
    *out++ = static_cast<char>(0xC0 | code >> 6);
    *out++ = static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    *out++ = static_cast<char>(0xE0 | code >> 12);
    *out++ = static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (code & 0x3F));
  } else {
    *out++ = static_cast<char>(0xF0 | code >> 18);
    *out++ = static_cast<char>(0x80 | (code >> 12 & 0x3F));
    *out++ = static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (code & 0x3F));
  }
  return out;
}

uint16_t unitAt(const unsigned char* units, size_t index) {
  uint16_t unit;
  std::memcpy(&unit, units + 2 * index, 2);
  return unit;
}

bool isHighSurrogate(char32_t unit) { return (unit & 0xFC00) == 0xD800; }
bool isLowSurrogate(char32_t unit) { return (unit & 0xFC00) == 0xDC00; }

// Bytes of the same text as UTF-8, or -1 if a surrogate is unpaired.
int64_t utf8Length(const unsigned char* units, size_t count) {
  int64_t length = 0;
  for (size_t i = 0; i < count; i++) {
    uint16_t unit = unitAt(units, i);
    if (unit < 0x80) {
      length += 1;
    } else if (unit < 0x800) {
      length += 2;
    } else if (!isHighSurrogate(unit) && !isLowSurrogate(unit)) {
      length += 3;
    } else {
      if (isLowSurrogate(unit) || i + 1 == count || !isLowSurrogate(unitAt(units, i + 1)))
        return -1;
      length += 4;
      i++;
    }
  }
  return length;
}

// Only after utf8Length accepted the units.
void utf16ToUtf8(const unsigned char* units, size_t count, char* out) {
  for (size_t i = 0; i < count; i++) {
    char32_t code = unitAt(units, i);
    if (isHighSurrogate(code)) {
      code = 0x10000 + ((code & 0x3FF) << 10 | (unitAt(units, ++i) & 0x3FFu));
    }
    out = append(out, code);
  }
}

// Writes valid UTF-8 as UTF-16 and returns the number of bytes. `out` has room for two per byte.
uint32_t utf8ToUtf16(std::string_view utf8, std::byte* out) {
  const auto* at = reinterpret_cast<const unsigned char*>(utf8.data());
  const unsigned char* end = at + utf8.size();
  std::byte* begin = out;
  auto put = [&](char32_t unit) {
    auto unit16 = static_cast<uint16_t>(unit);
    std::memcpy(out, &unit16, 2);
    out += 2;
  };
  while (at != end) {
    size_t ascii = asciiPrefix(at, static_cast<size_t>(end - at));
    for (size_t i = 0; i < ascii; i++) {
      uint16_t unit = at[i];
      std::memcpy(out + 2 * i, &unit, 2);
    }
    at += ascii;
    out += 2 * ascii;
    while (at != end && *at >= 0x80) {
      char32_t code = next(at);
      if (code < 0x10000) {
        put(code);
      } else {
        put(0xD800 | (code - 0x10000) >> 10);
        put(0xDC00 | ((code - 0x10000) & 0x3FF));
      }
    }
  }
  return static_cast<uint32_t>(out - begin);
}

// Bytes of the same text as UTF-8.
size_t latin1Length(const unsigned char* bytes, size_t count) {
  size_t high = 0;
  for (size_t i = 0; i < count; i++) high += bytes[i] >> 7;
  return count + high;
}

// `length`: what latin1Length gave.
void latin1ToUtf8(const unsigned char* bytes, size_t count, size_t length, char* out) {
  if (length == count && count != 0) {
    std::memcpy(out, bytes, count);
  } else {
    for (size_t i = 0; i < count; i++) out = append(out, bytes[i]);
  }
}

// The length as UTF-8, charged; -1 after a failure.
int64_t chargeUtf16(Context& context, const unsigned char* units, size_t count) {
  int64_t length = utf8Length(units, count);
  if (length < 0) {
    context.fail("a string has an unpaired surrogate");
    return -1;
  }
  return context.charge(static_cast<uint64_t>(length)) ? length : -1;
}

// Transcodes into `out`, which is charged. False after a failure.
bool decodeUtf16(Context& context, const unsigned char* units, size_t count, std::string& out) {
  int64_t length = chargeUtf16(context, units, count);
  if (length < 0) return false;
  out.resize(static_cast<size_t>(length));
  utf16ToUtf8(units, count, out.data());
  return true;
}

bool decodeLatin1(Context& context, const unsigned char* bytes, size_t count, std::string& out) {
  size_t length = latin1Length(bytes, count);
  if (!context.charge(length)) return false;
  out.resize(length);
  latin1ToUtf8(bytes, count, length, out.data());
  return true;
}

bool isTagged(const Context& context, StringRange range) {
  return context.encoding == StringEncoding::LATIN1_UTF16 && (range.codeUnits & UTF16_TAG) != 0;
}

// The bytes of a string in memory, checked for length, alignment and bounds. False after a failure.
struct Source {
  const unsigned char* bytes = nullptr;
  uint64_t size = 0;
  bool isUtf16 = false;
};
bool findSource(Context& context, StringRange range, Source& source) {
  if (context.failed()) return false;
  bool tagged = isTagged(context, range);
  source.isUtf16 = context.encoding == StringEncoding::UTF16 || tagged;
  uint64_t units = tagged ? range.codeUnits ^ UTF16_TAG : range.codeUnits;
  source.size = source.isUtf16 ? 2 * units : units;
  if (source.size > MAX_BYTE_LENGTH) {
    context.fail(TOO_LONG);
    return false;
  }
  if (context.encoding != StringEncoding::UTF8 && (range.pointer & 1) != 0) {
    context.fail("a string is not aligned for its encoding");
    return false;
  }
  if (!context.memory.contains(range.pointer, source.size)) {
    context.fail(OUT_OF_BOUNDS);
    return false;
  }
  source.bytes = unsignedBytes(context.memory.bytes(range.pointer, source.size));
  return true;
}

// The source as UTF-8 that is no longer or not yet anywhere: transcoded into `out`.
bool decode(Context& context, const Source& source, std::string& out) {
  return source.isUtf16 ? decodeUtf16(context, source.bytes, source.size / 2, out)
                        : decodeLatin1(context, source.bytes, source.size, out);
}

// Charged before it is looked at, also where nothing is kept of it: many strings may lie at one
// place, and nothing interrupts the host.
std::string_view validUtf8(Context& context, const Source& source) {
  if (!context.charge(source.size)) return {};
  std::string_view text(reinterpret_cast<const char*>(source.bytes), source.size);
  if (!isValidUtf8(text)) {
    context.fail("a string is not valid UTF-8");
    return {};
  }
  return text;
}

// Host bytes that do not lie in the guest's memory, where `realloc` may change or move them: `data`
// itself, or a copy that lives as long as the Context. Null after a failure.
const char* outsideOfGuest(Context& context, const char* data, size_t size) {
  auto memory = context.memory.bytes(0, context.memory.size());
  const auto* begin = reinterpret_cast<const char*>(memory.data());  // guest-ok: compared only
  std::less<> before;
  bool outside = size == 0 || memory.empty() || !before(data, begin + memory.size()) ||
                 !before(begin, data + size);
  if (outside) [[likely]]
    return data;
  if (!context.charge(size)) return nullptr;
  return context.newScratch().assign(data, size).data();
}

// Room that the guest's `realloc` gave for `size` bytes at `pointer`. Null after a failure, and for
// no bytes.
std::byte* room(Context& context, uint32_t pointer, uint32_t size) {
  if (context.failed()) return nullptr;
  if (!context.memory.contains(pointer, size)) {
    context.fail("realloc gave memory that is out of bounds");
    return nullptr;
  }
  // guest-ok: written to at once, before anything can call the guest
  return context.memory.mutableBytes(pointer, size).data();
}

void copyTo(std::byte* to, const void* from, size_t size) {
  if (to && size != 0) std::memcpy(to, from, size);
}

// -- Texts: valid ones, somewhere outside of the guest that they are stored for -------------------
//
// All have the same functions. `takeLatin1` writes the longest beginning that Latin-1 has and takes
// it off the text; `writeUtf16` writes what is left. Both give the number of bytes written.

struct Utf8Text {
  const unsigned char* at;
  const unsigned char* end;

  explicit Utf8Text(std::string_view utf8)
      : at(reinterpret_cast<const unsigned char*>(utf8.data())), end(at + utf8.size()) {}

  bool atEnd() const { return at == end; }
  uint64_t utf8Bytes() const { return static_cast<uint64_t>(end - at); }
  void writeUtf8(std::byte* to) const { copyTo(to, at, static_cast<size_t>(end - at)); }
  uint32_t writeUtf16(std::byte* to) const {
    std::string_view rest(reinterpret_cast<const char*>(at), static_cast<size_t>(end - at));
    return utf8ToUtf16(rest, to);
  }
  uint32_t takeLatin1(std::byte* to) {
    uint32_t length = 0;
    while (true) {
      size_t ascii = asciiPrefix(at, static_cast<size_t>(end - at));
      copyTo(to + length, at, ascii);
      at += ascii;
      length += static_cast<uint32_t>(ascii);
      if (at == end) return length;
      const unsigned char* after = at;
      char32_t code = next(after);
      if (code >= 0x100) return length;
      to[length++] = static_cast<std::byte>(code);
      at = after;
    }
  }
};

struct Utf16Text {
  const unsigned char* units;
  size_t count;

  bool atEnd() const { return count == 0; }
  uint64_t utf8Bytes() const { return static_cast<uint64_t>(utf8Length(units, count)); }
  void writeUtf8(std::byte* to) const { utf16ToUtf8(units, count, reinterpret_cast<char*>(to)); }
  uint32_t writeUtf16(std::byte* to) const {
    copyTo(to, units, 2 * count);
    return static_cast<uint32_t>(2 * count);
  }
  uint32_t takeLatin1(std::byte* to) {
    uint32_t length = 0;
    for (; count != 0 && unitAt(units, 0) < 0x100; units += 2, count--) {
      to[length++] = static_cast<std::byte>(unitAt(units, 0));
    }
    return length;
  }
};

struct Latin1Text {
  const unsigned char* bytes;
  size_t count;

  bool atEnd() const { return count == 0; }
  uint64_t utf8Bytes() const { return latin1Length(bytes, count); }
  void writeUtf8(std::byte* to) const {
    latin1ToUtf8(bytes, count, latin1Length(bytes, count), reinterpret_cast<char*>(to));
  }
  uint32_t writeUtf16(std::byte* to) const {
    for (size_t i = 0; i < count; i++) {
      uint16_t unit = bytes[i];
      std::memcpy(to + 2 * i, &unit, 2);
    }
    return static_cast<uint32_t>(2 * count);
  }
  uint32_t takeLatin1(std::byte* to) {
    auto length = static_cast<uint32_t>(count);
    copyTo(to, bytes, count);
    bytes += count;
    count = 0;
    return length;
  }
};

template <typename Text>
StringRange storeUtf8(Context& context, const Text& text, uint32_t bytes) {
  uint32_t pointer = context.allocate(bytes, 1);
  std::byte* to = room(context, pointer, bytes);
  if (context.failed()) return {};
  if (bytes != 0) text.writeUtf8(to);
  return {pointer, bytes};
}

// Source: definitions.py `store_utf8_to_utf16`.
template <typename Text>
StringRange storeUtf16(Context& context, const Text& text, uint32_t bytes) {
  uint32_t worstCase = 2 * bytes;
  uint32_t pointer = context.allocate(worstCase, 2);
  std::byte* to = room(context, pointer, worstCase);
  if (context.failed()) return {};
  uint32_t size = text.writeUtf16(to);
  if (size < worstCase) {
    pointer = context.reallocate(pointer, worstCase, 2, size);
    room(context, pointer, size);
  }
  if (context.failed()) return {};
  return {pointer, size / 2};
}

// Source: definitions.py `store_string_to_latin1_or_utf16`.
template <typename Text>
StringRange storeLatin1OrUtf16(Context& context, Text text, uint32_t bytes) {
  uint32_t pointer = context.allocate(bytes, 2);
  std::byte* to = room(context, pointer, bytes);
  if (context.failed()) return {};

  uint32_t length = text.takeLatin1(to);
  if (text.atEnd()) {
    if (length < bytes) {
      pointer = context.reallocate(pointer, bytes, 2, length);
      room(context, pointer, length);
    }
    if (context.failed()) return {};
    return {pointer, length};
  }

  uint32_t worstCase = 2 * bytes;
  pointer = context.reallocate(pointer, bytes, 2, worstCase);
  to = room(context, pointer, worstCase);
  if (context.failed()) return {};
  // What the guest's `realloc` kept of the text is widened in place.
  for (uint32_t i = length; i-- > 0;) {
    to[2 * i] = to[i];
    to[2 * i + 1] = std::byte{0};
  }
  uint32_t size = 2 * length + text.writeUtf16(to + size_t{2} * length);
  if (size < worstCase) {
    pointer = context.reallocate(pointer, worstCase, 2, size);
    room(context, pointer, size);
  }
  if (context.failed()) return {};
  return {pointer, size / 2 | UTF16_TAG};
}

// The text in the encoding of `context`. `realloc` is called as definitions.py has it for a source
// of encoding utf8, whatever `Text` is: it is the host's text that the guest gets.
template <typename Text>
StringRange storeText(Context& context, const Text& text) {
  uint64_t utf8Bytes = text.utf8Bytes();
  if (utf8Bytes > MAX_BYTE_LENGTH) {
    context.fail(TOO_LONG);
    return {};
  }
  auto bytes = static_cast<uint32_t>(utf8Bytes);
  if (context.encoding == StringEncoding::UTF16) return storeUtf16(context, text, bytes);
  if (context.encoding == StringEncoding::LATIN1_UTF16) {
    return storeLatin1OrUtf16(context, text, bytes);
  }
  return storeUtf8(context, text, bytes);
}

}  // namespace

bool isValidUtf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (text.size() <= 64) {
    size_t ascii = asciiPrefix(bytes, text.size());
    if (ascii == text.size()) return true;
  }
  return simdjson::validate_utf8(text.data(), text.size());
}

std::string_view viewString(Context& context, StringRange range) {
  Source source;
  if (!findSource(context, range, source)) return {};
  if (context.encoding == StringEncoding::UTF8) return validUtf8(context, source);
  std::string& scratch = context.newScratch();
  if (!decode(context, source, scratch)) return {};
  return scratch;
}

std::string loadString(Context& context, StringRange range) {
  std::string text;
  Source source;
  if (!findSource(context, range, source)) return text;
  if (context.encoding == StringEncoding::UTF8) {
    text = validUtf8(context, source);
  } else {
    decode(context, source, text);
  }
  return text;
}

StringRange storeString(Context& context, std::string_view utf8) {
  if (context.failed()) return {};
  if (utf8.size() > MAX_BYTE_LENGTH) {
    context.fail(TOO_LONG);
    return {};
  }
  const char* data = outsideOfGuest(context, utf8.data(), utf8.size());
  if (context.failed()) return {};
  utf8 = {data, utf8.size()};
  if (!isValidUtf8(utf8)) {
    context.fail("a string given by the host is not valid UTF-8");
    return {};
  }
  return storeText(context, Utf8Text(utf8));
}

bool checkString(Context& from, StringRange range) {
  Source source;
  if (!findSource(from, range, source)) return false;
  if (from.encoding == StringEncoding::UTF8) {
    validUtf8(from, source);
    return !from.failed();
  }
  if (source.isUtf16) return chargeUtf16(from, source.bytes, source.size / 2) >= 0;
  return from.charge(latin1Length(source.bytes, source.size));
}

StringRange moveString(const Context& from, StringRange range, Context& to) {
  if (to.failed()) return {};
  bool tagged = isTagged(from, range);
  uint64_t units = tagged ? range.codeUnits ^ UTF16_TAG : range.codeUnits;
  bool isUtf16 = from.encoding == StringEncoding::UTF16 || tagged;
  uint64_t size = isUtf16 ? 2 * units : units;
  auto source = from.memory.bytes(range.pointer, size);
  if (source.size() != size) {
    to.fail(OUT_OF_BOUNDS);
    return {};
  }
  // guest-ok: the memory of `from` is not touched while `to` is written, `realloc` included
  const unsigned char* begin = unsignedBytes(source);
  if (isUtf16) return storeText(to, Utf16Text{begin, static_cast<size_t>(units)});
  if (from.encoding == StringEncoding::LATIN1_UTF16) {
    return storeText(to, Latin1Text{begin, static_cast<size_t>(units)});
  }
  return storeText(to, Utf8Text({reinterpret_cast<const char*>(begin), source.size()}));
}

StringRange storePlainList(Context& context, const void* data, uint32_t length, uint32_t bytes,
                           uint32_t alignment) {
  if (context.failed()) return {};
  const char* source = outsideOfGuest(context, static_cast<const char*>(data), bytes);
  if (context.failed()) return {};
  uint32_t pointer = context.allocate(bytes, alignment);
  copyTo(room(context, pointer, bytes), source, bytes);
  if (context.failed()) return {};
  return {pointer, length};
}

}  // namespace tenon::abi
