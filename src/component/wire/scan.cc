// What may be sent, and whether bytes are it. The scan keeps a stack of the values that have begun,
// one frame for each list, record and case that encloses them, and goes on at the first byte of the
// value that was not complete: no byte is looked at twice but those of one number or character.

#include "component/wire/cases.h"
#include "component/wire/primitives.h"
#include "component/wire/wire.h"

#include <tenon/abi/strings.h>

#include <algorithm>
#include <set>
#include <utility>

namespace tenon::abi {
namespace {

Error unsupported(const std::string& path, const std::string& what) {
  return {ErrorCode::UNSUPPORTED, path + ": " + what + " cannot be sent"};
}

std::string named(const char* what, const std::string& label, uint64_t index) {
  if (label.empty()) return std::string(what) + " " + std::to_string(index);
  return std::string(what) + " '" + label + "'";
}

// Every node once: `done` has those that are good.
Result<void> check(const Type& type, const std::string& path, std::set<const Type*>& done) {
  if (done.contains(&type)) return {};
  auto part = [&](const Type* inner, const std::string& step) -> Result<void> {
    if (inner == nullptr) return {};
    return check(*inner, path + ", " + step, done);
  };
  switch (type.kind) {
    case TypeKind::ERROR_CONTEXT:
      return unsupported(path, "error contexts");
    case TypeKind::STREAM:
    case TypeKind::FUTURE:
      return unsupported(path, "streams and futures");
    case TypeKind::LIST:
      if (type.isMap) return unsupported(path, "maps");
      if (type.fixedLength != 0) return unsupported(path, "lists of fixed length");
      TENON_CHECK(part(type.element, "element"));
      break;
    case TypeKind::OPTION:
      TENON_CHECK(part(type.element, "some"));
      break;
    case TypeKind::RESULT:
      TENON_CHECK(part(type.ok, "ok"));
      TENON_CHECK(part(type.error, "error"));
      break;
    case TypeKind::RECORD:
    case TypeKind::TUPLE:
    case TypeKind::VARIANT:
      for (size_t i = 0; i < type.members.size(); ++i) {
        const Labelled& member = type.members[i];
        const char* what = type.kind == TypeKind::VARIANT  ? "case"
                           : type.kind == TypeKind::RECORD ? "field"
                                                           : "element";
        TENON_CHECK(part(member.type, named(what, member.label, i)));
      }
      break;
    default:
      return {};  // scalars, strings, enums, flags, handles
  }
  done.insert(&type);
  return {};
}

}  // namespace

Result<WireType> WireType::parameters(const FuncType& type) {
  if (type.async) return Error{ErrorCode::UNSUPPORTED, "async functions cannot be called yet"};
  WireType made;
  made.values_ = type.params;
  std::set<const Type*> done;
  for (size_t i = 0; i < type.params.size(); ++i) {
    TENON_CHECK(check(*type.params[i].type, named("parameter", type.params[i].name, i), done));
  }
  return made;
}

Result<WireType> WireType::result(const FuncType& type) {
  if (type.async) return Error{ErrorCode::UNSUPPORTED, "async functions cannot be called yet"};
  WireType made;
  made.isResult_ = true;
  if (type.result == nullptr) return made;
  made.values_.push_back({"", type.result});
  std::set<const Type*> done;
  TENON_CHECK(check(*type.result, "result", done));
  return made;
}

WireScan::WireScan(const WireType& type, uint64_t limit)
    : values_(type.values_), isResult_(type.isResult_), limit_(limit) {
  stack_.push_back({nullptr, 0, values_.size()});
}

Result<WireScan::Progress> WireScan::scan(std::span<const std::byte> bytes) {
  while (!stack_.empty()) {
    // One value more of the innermost frame. It may put a frame of its own on the stack.
    Frame& frame = stack_.back();
    if (!isCut_) {
      if (frame.next == frame.count) {
        stack_.pop_back();
        continue;
      }
      frame.next++;
    }
    TENON_TRY(Step step, value(bytes, part(frame, frame.next - 1)));
    isCut_ = step == Step::MORE;
    if (isCut_) {
      if (bytes.size() > limit_) return refuse(ErrorCode::LIMIT_EXCEEDED, "too many bytes");
      return Progress::MORE;
    }
    if (position_ > limit_) return refuse(ErrorCode::LIMIT_EXCEEDED, "too many bytes");
  }
  return Progress::DONE;
}

const Type& WireScan::part(const Frame& frame, uint64_t index) const {
  if (frame.type == nullptr) return *values_[index].type;
  const Type& type = *frame.type;
  switch (type.kind) {
    case TypeKind::RECORD:
    case TypeKind::TUPLE:
      return *type.members[index].type;
    case TypeKind::LIST:
      return *type.element;
    default:
      // A case with its payload: the frame begins at the case's number, for the place alone.
      return *wire::payloadOf(type, index);
  }
}

// Reads all of a scalar or string, or the head of what has parts.
Result<WireScan::Step> WireScan::value(std::span<const std::byte> bytes, const Type& type) {
  using wire::Read;
  uint64_t at = position_;
  uint64_t number = 0;
  int64_t signedNumber = 0;
  uint32_t code = 0;
  Read read = Read::OK;
  auto fixed = [&](uint64_t size) { read = bytes.size() - at < size ? Read::MORE : Read::OK; };
  auto skip = [&](uint64_t size) {
    fixed(size);
    if (read == Read::OK) at += size;
  };
  const char* what = "a number does not fit its type";
  switch (type.kind) {
    case TypeKind::BOOL:
      fixed(1);
      if (read == Read::OK && std::to_integer<uint8_t>(bytes[at++]) > 1) {
        read = Read::BAD;
        what = "a bool is neither 0 nor 1";
      }
      break;
    case TypeKind::S8:
    case TypeKind::U8:
      skip(1);
      break;
    case TypeKind::F32:
      skip(4);
      break;
    case TypeKind::F64:
      skip(8);
      break;
    case TypeKind::FLAGS:
      skip(wire::flagBytes(type.members.size()));
      break;
    case TypeKind::U16:
      read = wire::readUnsigned(bytes, at, 16, number);
      break;
    case TypeKind::U32:
      read = wire::readUnsigned(bytes, at, 32, number);
      break;
    case TypeKind::U64:
      read = wire::readUnsigned(bytes, at, 64, number);
      break;
    case TypeKind::S16:
      read = wire::readSigned(bytes, at, 16, signedNumber);
      break;
    case TypeKind::S32:
      read = wire::readSigned(bytes, at, 32, signedNumber);
      break;
    case TypeKind::S64:
      read = wire::readSigned(bytes, at, 64, signedNumber);
      break;
    case TypeKind::CHAR:
      read = wire::readChar(bytes, at, code);
      what = "a char is not UTF-8 of a Unicode scalar value";
      break;
    case TypeKind::STRING:
    case TypeKind::OWN:
    case TypeKind::BORROW:
    case TypeKind::LIST: {
      read = wire::readUnsigned(bytes, at, 32, number);
      if (read != Read::OK) break;
      bool isList = type.kind == TypeKind::LIST;
      bool isBytes =
          !isList || type.element->kind == TypeKind::U8 || type.element->kind == TypeKind::S8;
      // Each element takes a byte at least.
      if (number > limit_ - std::min(limit_, at)) {
        return refuse(ErrorCode::LIMIT_EXCEEDED, "longer than the bytes that may come");
      }
      if (number * (isList ? type.element->size : 1) > MAX_BYTE_LENGTH) {
        return refuse(ErrorCode::LIMIT_EXCEEDED, "longer than 2^28 - 1 bytes in memory");
      }
      if (!isBytes) {
        position_ = at;
        stack_.push_back({&type, 0, number});
        return Step::DONE;
      }
      fixed(number);
      if (read != Read::OK) break;
      if (type.kind == TypeKind::STRING) {
        auto text = bytes.subspan(at, number);
        if (!isValidUtf8({reinterpret_cast<const char*>(text.data()), text.size()})) {
          read = Read::BAD;
          what = "a string is not valid UTF-8";
          break;
        }
      }
      at += number;
      break;
    }
    case TypeKind::RECORD:
    case TypeKind::TUPLE:
      stack_.push_back({&type, 0, type.members.size()});
      return Step::DONE;
    case TypeKind::ENUM:
    case TypeKind::VARIANT:
    case TypeKind::OPTION:
    case TypeKind::RESULT: {
      if (wire::hasTwoCases(type)) {
        fixed(1);
        if (read == Read::OK) number = std::to_integer<uint8_t>(bytes[at++]);
      } else {
        read = wire::readUnsigned(bytes, at, 32, number);
      }
      if (read != Read::OK) break;
      if (number >= wire::caseCount(type)) {
        read = Read::BAD;
        what = "there is no such case";
        break;
      }
      if (type.kind == TypeKind::ENUM || wire::payloadOf(type, number) == nullptr) break;
      position_ = at;
      stack_.push_back({&type, number, number + 1});
      return Step::DONE;
    }
    case TypeKind::ERROR_CONTEXT:
    case TypeKind::STREAM:
    case TypeKind::FUTURE:
      return refuse(ErrorCode::UNSUPPORTED, "this type cannot be sent");
  }
  if (read == Read::MORE) return Step::MORE;
  if (read == Read::BAD) return refuse(ErrorCode::MALFORMED, what);
  position_ = at;
  return Step::DONE;
}

std::string WireScan::place() const {
  std::string text;
  for (const Frame& frame : stack_) {
    uint64_t index = frame.next == 0 ? 0 : frame.next - 1;
    if (frame.type == nullptr) {
      if (isResult_ || values_.empty()) {
        text = "result";
      } else {
        text = named("parameter", values_[index].name, index);
      }
      continue;
    }
    const Type& type = *frame.type;
    switch (type.kind) {
      case TypeKind::LIST:
        text += ", element " + std::to_string(index);
        break;
      case TypeKind::RECORD:
        text += ", " + named("field", type.members[index].label, index);
        break;
      case TypeKind::TUPLE:
        text += ", element " + std::to_string(index);
        break;
      case TypeKind::OPTION:
        text += ", some";
        break;
      case TypeKind::RESULT:
        text += index == 0 ? ", ok" : ", error";
        break;
      default:
        text += ", " + named("case", type.members[index].label, index);
    }
  }
  return text;
}

Error WireScan::refuse(ErrorCode code, const std::string& what) const {
  return {code, place() + ": " + what, position_};
}

}  // namespace tenon::abi
