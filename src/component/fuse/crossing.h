#pragma once

// The code that moves values one way: from one side's locals or memory into the other side's. A
// Crossing is one pair of sides in one generated module; it makes helper functions for types as
// they are needed, each once, so that code stays linear in the type graph however often parts are
// shared. Source: CanonicalABI.md "Loading", "Storing", "Flat Lifting", "Flat Lowering", which one
// pass here fuses.

#include "component/fuse/code_builder.h"
#include "component/fuse/control.h"
#include "component/fuse/module_builder.h"

#include <tenon/abi/context.h>
#include <tenon/type.h>

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

namespace tenon::component::adapt {

// What all code of one module under construction needs.
struct Common {
  ModuleBuilder& module;
  bool mayThrow = false;  // whether any core module of the program can throw an exception
  uint32_t control = 0;   // memory
  uint32_t trap = 0;      // function
  // Functions of the host, by (kind, resource, instance, target), declared before any code.
  using HostKey = std::tuple<Trampoline::Kind, uint32_t, uint32_t, uint32_t>;
  std::map<HostKey, uint32_t> host;

  // Code that stops the guest, blaming component instance `guilty`, if the condition is not zero.
  void trapIf(CodeBuilder& f, const Expr& condition, control::TrapCode code, uint32_t guilty) const;
  // `call` as it is, or so that an exception out of it becomes a trap. The results must be taken
  // inside. Source: CanonicalABI.md `call_and_trap_on_throw`.
  void trapOnThrow(CodeBuilder& f, uint32_t guilty, const CodeBuilder::Body& call) const;
};

// One side: whose values are lifted or lowered.
struct Side {
  uint32_t instance = 0;
  StringEncoding encoding = StringEncoding::UTF8;
  uint32_t memory = NONE;    // memory index; NONE: no pointers cross
  uint32_t realloc = NONE;   // function index; lowering only
  bool usesContext = false;  // its context storage has to be cleared before `realloc`
  auto operator<=>(const Side&) const = default;
};

// Where a value is, or goes: bytes in the side's memory, or flat values in locals, whose types may
// be wider than the type's own (a variant's cases share locals).
struct Place {
  bool inMemory = false;
  Local address;
  uint32_t offset = 0;
  std::span<const Local> flat;

  static Place at(Local address, uint32_t offset = 0) { return {true, address, offset, {}}; }
  static Place in(std::span<const Local> flat) { return {false, {}, 0, flat}; }
  // A part: `bytes` further in memory, or the `count` locals from `first`.
  Place part(uint32_t bytes, size_t first, size_t count) const {
    if (inMemory) return at(address, offset + bytes);
    return in(flat.subspan(first, count));
  }
};

class Crossing {
 public:
  // `lends`: borrowed handles are lent by LEND and given back by the adapter, without a call scope.
  Crossing(Common& common, Side from, Side to, bool lends)
      : common_(common), from_(from), to_(to), lends_(lends) {}
  Crossing(const Crossing&) = delete;
  Crossing& operator=(const Crossing&) = delete;

  // Code that moves one value.
  void move(CodeBuilder& f, const Type& type, Place source, Place target);

  // Code that traps unless `address` is aligned and `size` bytes from it lie in the memory.
  void checkSource(CodeBuilder& f, Local address, uint32_t alignment, uint32_t size);
  void checkTarget(CodeBuilder& f, Local address, uint32_t alignment, uint32_t size);

  // Code that calls the target's `realloc` for new memory and checks what it gives.
  void allocate(CodeBuilder& f, Local result, uint32_t alignment, const Expr& size);

 private:
  enum class Helper : uint8_t {
    VALUE,
    LIST,
    STRING,
    UTF8,
    UTF16,
    COPY_SHORT,
    COPY_SHORT_TEXT,
    COPY_LONG_TEXT
  };
  enum class SourceEncoding : uint8_t { UTF8, UTF16, LATIN1 };
  struct Key {
    Helper helper;
    const Type* type;
    bool fromMemory, toMemory;
    auto operator<=>(const Key&) const = default;
  };

  // The function of this key, which `write` writes when it is first asked for. It can call itself.
  uint32_t helper(const Key& key, const WasmSignature& signature,
                  const std::function<void(CodeBuilder&)>& write);

  // crossing.cc
  void moveInline(CodeBuilder& f, const Type& type, Place source, Place target);
  void moveByHelper(CodeBuilder& f, const Type& type, Place source, Place target);
  void moveScalar(CodeBuilder& f, const Type& type, Place source, Place target);
  void moveMembers(CodeBuilder& f, const Type& type, Place source, Place target);
  void moveVariant(CodeBuilder& f, const Type& type, Place source, Place target);
  void moveCases(CodeBuilder& f, std::span<const Type* const> payloads, uint32_t offset,
                 const Expr& which, size_t begin, size_t end, Place source, Place target);
  void movePayload(CodeBuilder& f, const Type* payload, uint32_t offset, Place source,
                   Place target);
  void moveBytes(CodeBuilder& f, uint32_t size, Place source, Place target);
  void moveList(CodeBuilder& f, const Type& type, Place source, Place target);
  void moveFixedList(CodeBuilder& f, const Type& type, Place source, Place target);
  void moveString(CodeBuilder& f, Place source, Place target);
  Expr loadScalar(const Type& type, Place source);
  void storeScalar(CodeBuilder& f, const Type& type, Place target, Expr value);
  Expr handle(const Type& type, Expr index);
  uint32_t cost(const Type& type);

  // lists.cc
  uint32_t listHelper(const Type& type);
  void listBody(CodeBuilder& f, const Type& element, Local pointer, Local length, Local result);
  void checkBytes(CodeBuilder& f, const Side& side, const Expr& address, const Expr& length,
                  uint32_t alignment, control::TrapCode misaligned, control::TrapCode beyond);
  void trapIf(CodeBuilder& f, const Expr& condition, control::TrapCode code, const Side& guilty) {
    common_.trapIf(f, condition, code, guilty.instance);
  }
  void callRealloc(CodeBuilder& f, Local result, std::vector<Expr> arguments);
  // `realloc` of an allocation, checked.
  void reallocate(CodeBuilder& f, Local pointer, const Expr& oldSize, uint32_t alignment,
                  const Expr& newSize);

  // strings.cc: (pointer, units) -> (pointer, units)
  uint32_t stringHelper();
  void stringBody(CodeBuilder& f);
  void checkUnits(CodeBuilder& f, Local pointer, Local units, uint32_t unitSize,
                  uint32_t alignment);
  uint32_t utf8Helper();   // (pointer, length): traps unless valid
  uint32_t utf16Helper();  // (pointer, units): traps unless valid
  void utf8Body(CodeBuilder& f);
  void utf16Body(CodeBuilder& f);
  void copyUnits(CodeBuilder& f, Local pointer, Local units, uint32_t unitSize, Local result);

  // copies.cc
  struct Copied {
    Local target, source, length;
    Local beyond;  // nonzero if there is more than ASCII; only where it is text
    bool isText;
  };
  void copyEnds(CodeBuilder& f, const Copied& bytes, uint32_t width, uint32_t count);
  void copyUpToThree(CodeBuilder& f, const Copied& bytes);
  void copyUpToShort(CodeBuilder& f, const Copied& bytes);
  void copyLongText(CodeBuilder& f, const Copied& text);
  void copyMediumText(CodeBuilder& f, const Copied& text);
  uint32_t copyHelper(bool isText);
  uint32_t longTextHelper();
  void copyBytes(CodeBuilder& f, Local target, Local source, Local length);
  void copyText(CodeBuilder& f, Local target, Local source, Local length);

  // transcode.cc
  void decode(CodeBuilder& f, SourceEncoding encoding, Local position, Local codePoint);
  void encodeUtf8(CodeBuilder& f, Local at, Local codePoint);
  void encodeUtf16(CodeBuilder& f, Local at, Local codePoint);
  void toUtf8(CodeBuilder& f, SourceEncoding encoding, Local pointer, Local units, Local result,
              Local resultUnits);
  void toUtf16(CodeBuilder& f, Local pointer, Local units, Local result, Local resultUnits);
  void widenLatin1(CodeBuilder& f, Local pointer, Local units, Local result);
  void toLatin1OrUtf16(CodeBuilder& f, SourceEncoding encoding, Local pointer, Local units,
                       Local result, Local resultUnits);
  void probablyUtf16(CodeBuilder& f, Local pointer, Local units, Local result, Local resultUnits);

  Common& common_;
  const Side from_, to_;
  const bool lends_;
  std::map<Key, uint32_t> helpers_;
  std::map<const Type*, uint32_t> costs_;
  std::map<const CodeBuilder*, uint32_t> inlineStrings_;  // how many are in a function so far
};

}  // namespace tenon::component::adapt
