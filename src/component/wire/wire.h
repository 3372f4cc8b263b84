#pragma once

// The encoding of values that wRPC uses, straight from a guest's flat values and memory to bytes,
// and back; no `Value` in between. It is the component model's value definition encoding: the
// values of a direction one after another, without a count or a length around them.
//
//   bool, u8, s8      one byte                    list<T>          count, elements
//   other integers    LEB128                      record, tuple    the fields in order
//   f32, f64          little-endian, one NaN      variant, enum    case as LEB128, payload
//   char              its UTF-8 bytes             option, result   00 or 01, payload
//   string            length in bytes, UTF-8      flags            ceil(n/8) bytes
//   own, borrow       opaque bytes with a length
//
// A WireType is what both ends of a function need; it borrows the function's type nodes. Sending:
// `encodeParameters`, `encodeResult`. Receiving: bytes arrive in pieces, a `WireScan` says when the
// values are complete and refuses what is none, without a guest; then `decodeParameters` or
// `decodeResult` lowers them. Source: Binary.md "Value Definitions"; the crate wrpc-transport.

#include <tenon/abi/context.h>
#include <tenon/result.h>
#include <tenon/type.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tenon::abi {

// Handles on the wire: bytes that mean something to whoever made them. Implemented by the link;
// lives as long as the call.
class WireHandles {
 public:
  // The bytes for handle `index` of the guest behind `from`, which is taken out of its table (OWN)
  // or lent (BORROW), appended to `out`, without a length. Fails `from` when that is impossible.
  virtual void encode(Context& from, const Type& type, uint32_t index,
                      std::vector<std::byte>& out) = 0;
  // An index in the table of the guest behind `to`. Fails `to` for bytes that are no handle.
  virtual uint32_t decode(Context& to, const Type& type, std::span<const std::byte> handle) = 0;

 protected:
  ~WireHandles() = default;
};

// One direction of a function: the types of its parameters, or of its result.
class WireType {
 public:
  // Errors: UNSUPPORTED, with the place, for what wRPC has no encoding for or Tenon does not send
  // yet: maps, lists of fixed length, error contexts, streams, futures; async functions.
  static Result<WireType> parameters(const FuncType& type);
  static Result<WireType> result(const FuncType& type);

  // The types, in order; none: a function without parameters or without a result.
  std::span<const Parameter> values() const { return values_; }
  bool isResult() const { return isResult_; }

 private:
  friend class WireScan;
  std::vector<Parameter> values_;
  bool isResult_ = false;
};

// Appends the encoding of lifted values to `out`, up to `limit` bytes of it in all. `flat` is what
// lifting reads: for parameters what the caller's lowered function was called with, for a result
// the callee's flat result. False, and `from` failed, for values that do not lift, for more bytes
// than `limit`, and when the budget of `from` is spent, which is charged for each string and list.
// `out` then has a part of the values.
[[nodiscard]] bool encodeParameters(Context& from, const FuncType& type, const RawValue* flat,
                                    std::vector<std::byte>& out, uint64_t limit,
                                    WireHandles* handles = nullptr);
[[nodiscard]] bool encodeResult(Context& from, const FuncType& type, const RawValue* flat,
                                std::vector<std::byte>& out, uint64_t limit,
                                WireHandles* handles = nullptr);

// Looks at the bytes of one direction as they arrive. A plain value, but for the WireType and its
// type nodes, which it borrows. The work for all pieces together is linear in the bytes, also if
// they come one by one.
class WireScan {
 public:
  // `limit`: bytes that the values may take.
  WireScan(const WireType& type, uint64_t limit);

  enum class Progress : uint8_t { MORE, DONE };
  // `bytes`: all that has arrived, the same ones as last time first. DONE: the values end at
  // `size()`, which may be before the end of `bytes`. Errors: MALFORMED with the offset and the
  // place ("parameter 'p', field 'x', element 3: ...") for what no value has; LIMIT_EXCEEDED for
  // values of more than `limit` bytes, or lists that no guest's memory takes. After an error
  // it is not called again. Takes memory for the depth of the types only.
  Result<Progress> scan(std::span<const std::byte> bytes);

  // Bytes that belong to complete values and parts of them so far.
  uint64_t size() const { return position_; }
  // Where the value is that is not complete, for a message: "parameter 'p', element 3".
  std::string place() const;

 private:
  struct Frame {
    const Type* type = nullptr;  // null: the values themselves
    uint64_t next = 0;           // parts that have begun
    uint64_t count = 0;          // parts
  };
  enum class Step : uint8_t { MORE, DONE };
  Result<Step> value(std::span<const std::byte> bytes, const Type& type);
  const Type& part(const Frame& frame, uint64_t index) const;
  Error refuse(ErrorCode code, const std::string& what) const;

  std::span<const Parameter> values_;
  bool isResult_ = false;
  uint64_t limit_ = 0;
  uint64_t position_ = 0;
  bool isCut_ = false;  // the last part that has begun is to be read again, with more bytes
  std::vector<Frame> stack_;
};

// Lowers values whose bytes a WireScan found complete: `realloc` is called as lowering does. `flat`
// gets the callee's core parameters; for a result it is the array that the caller's lowered
// function was called with, which says where a spilled result goes. Returns false if `to` failed:
// its `realloc` or pointer was bad, it has no room for a handle, or `bytes` are not what was
// scanned.
[[nodiscard]] bool decodeParameters(Context& to, const FuncType& type,
                                    std::span<const std::byte> bytes, RawValue* flat,
                                    WireHandles* handles = nullptr);
[[nodiscard]] bool decodeResult(Context& to, const FuncType& type, std::span<const std::byte> bytes,
                                RawValue* flat, WireHandles* handles = nullptr);

}  // namespace tenon::abi
