#pragma once

// The store-to-store walk: moves the values of one call from one guest's memory and flat values
// straight into another guest's, and the result back. No `Value` in between, and no memory of the
// host but for handles. What a call of an isolated link is made of:
//
//   caller's import (a host function)          callee's export (a CallCodec)
//     flat values, caller's Context  ── parameters ─>  lower: flat values, callee's Context
//                                                      ... the callee runs ...
//     the same flat values           <── results ───   lift: flat result, callee's Context
//
// A Transfer is compiled once for each link's function; each of its two directions is done in two
// steps, so that what the guests can see is what lifting and then lowering does:
//
//   1. check   all of the source, without writing a byte: bounds, alignment, lengths, UTF-8,
//              surrogates, chars, discriminants; handles are taken or lent. A value that is bad
//              makes no `realloc` run: a caller's mistake leaves nothing in the callee.
//   2. move    in the order of lowering: memory from the target's `realloc`, then what goes there.
//
// Source: CanonicalABI.md "Loading", "Storing", "Flat Lifting", "Flat Lowering".

#include <tenon/abi/context.h>
#include <tenon/result.h>
#include <tenon/type.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace tenon::abi {

// A handle type that a Transfer meets, in the names of both sides.
struct MovedHandle {
  enum class Mode : uint8_t { OWN, BORROW };
  enum class Way : uint8_t { TO_CALLEE, TO_CALLER };
  Mode mode = Mode::OWN;
  Way way = Way::TO_CALLEE;
  // `Type::resource` in the component of the side that gives (lifts) and of the one that gets
  // (lowers): caller and callee for parameters, callee and caller for results.
  uint32_t from = 0;
  uint32_t to = 0;

  bool operator==(const MovedHandle&) const = default;
};

// Moves handles between the two guests of one call. Implemented by whoever makes the link; lives
// as long as the call. Each handle of a value is lifted once, in the order of the walk, before any
// is lowered; those that were lifted are then lowered once, in the same order, unless the call
// fails in between: what becomes of a lifted handle then is the mover's business, as is the end of
// what was lent.
class HandleMover {
 public:
  // The handle `index` of the guest behind `from`: taken out of its table (OWN), or lent until the
  // call ends (BORROW). The answer means something to `lower` alone. A handle that cannot be moved
  // fails `from`; the answer does not count then. Calls no guest.
  virtual uint64_t lift(Context& from, const MovedHandle& type, uint32_t index) = 0;

  // An index in the table of the guest behind `to` for what `lift` answered. Fails `to` when that
  // is impossible. Calls no guest.
  virtual uint32_t lower(Context& to, const MovedHandle& type, uint64_t lifted) = 0;

 protected:
  ~HandleMover() = default;
};

struct TransferProgram;

// Immutable, shared freely between threads; moves. Refers to neither type after it is made.
class Transfer {
 public:
  // `caller` is the function as the caller's component imports it, `callee` as the callee's exports
  // it; their types may be of different tables and have the same structure. Resources are not
  // compared: the link has done that. Linear in the type graph, however often parts are
  // shared. Errors: TYPE_MISMATCH with the place where the two differ ("parameter 'p', field 'x':
  // u32 and u64"); UNSUPPORTED for async functions, streams, futures and error contexts;
  // LIMIT_EXCEEDED for parameters of more than 2^32 - 1 bytes.
  static Result<Transfer> compile(const FuncType& caller, const FuncType& callee);

  Transfer(Transfer&&) noexcept;
  Transfer& operator=(Transfer&&) noexcept;
  ~Transfer();

  // Moves the parameters. `in` is what the caller's lowered function was called with (slot count:
  // `slotCount` of <component/abi/dynamic.h>, the same for both sides); `out` gets the callee's
  // core parameters. Fits into `CallCodec::lower`.
  //
  // True if all went well. False if one of the contexts failed, and then it says why: `caller` if
  // the caller's values are bad (it traps, the callee was not touched), `callee` if its `realloc`
  // trapped or answered rubbish, or its handle table is full (its store is poisoned; what the
  // caller gets is the link's business). At most one of them fails here; one that had failed before
  // makes this do nothing.
  //
  // * The callee's `realloc` is a guest call, nested in the host call of the caller: it runs on the
  //   callee's store, it may take time and may trap, both as `Context::allocate` has it. The caller
  //   stands still meanwhile: whoever calls this sees to it that nothing runs in the caller's
  //   store, since views of its memory are held across `realloc`.
  // * Both `memory`s are current when this is called and differ: no two contexts over one memory.
  //   That of the target is refreshed by `allocate`; that of the source is never replaced. So if
  //   the caller ran since its host call began (it was called back), its Context's `memory` has to
  //   be refreshed before `results`.
  // * The budget of the side that gives is charged: the bytes of each string as `viewString` does
  //   it, and the bytes of each list. It bounds the time that this takes, not memory.
  // * `handles` may be null for functions without handles (`handles()` is empty). With them, the
  //   host takes memory for what was lifted, 8 bytes each.
  [[nodiscard]] bool parameters(Context& caller, const RawValue* in, Context& callee, RawValue* out,
                                HandleMover* handles = nullptr) const;

  // Moves the result, after the callee returned and before its post-return. `in` is the callee's
  // flat result; `flat` is the array that `parameters` had as `in`, unchanged: it says where a
  // spilled result goes, and gets a flat one. Does nothing for functions without a result. Fits
  // into `CallCodec::lift`. The rest as for `parameters`, with the roles changed: `callee` fails if
  // its result is bad, `caller` if its pointer for the result is, or its `realloc`.
  [[nodiscard]] bool results(Context& callee, const RawValue* in, Context& caller, RawValue* flat,
                             HandleMover* handles = nullptr) const;

  // The handle types that `parameters` can give to a HandleMover, then those of `results`, each
  // once. What `lift` and `lower` get is an element of this span, so that a link can keep what
  // it decided for each in an array beside it.
  std::span<const MovedHandle> handles() const;

  // Whether moving can call the `realloc` of the side that gets: then that side needs one.
  bool parametersNeedRealloc() const;
  bool resultsNeedRealloc() const;

 private:
  explicit Transfer(std::unique_ptr<const TransferProgram> program);

  std::unique_ptr<const TransferProgram> program_;
};

}  // namespace tenon::abi
