#pragma once

// Dynamic values across the canonical ABI: what definitions.py does with Python values, with
// tenon::Value. Walks recurse along the type, whose depth is limited. Lowering expects values that
// `checkValue` accepted, and fails the Context (it never misbehaves) for others. All host memory
// that lifting takes is charged to the Context's budget first. Streams, futures and error contexts
// fail. Source: CanonicalABI.md "Loading", "Storing", "Flat Lifting", "Flat Lowering", "Lifting and
// Lowering Values".

#include <tenon/abi/context.h>
#include <tenon/result.h>
#include <tenon/type.h>
#include <tenon/value.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace tenon::abi {

// One value in memory. `pointer` is aligned for the type, and its size is inside the memory: the
// caller has checked it.
Value load(Context& context, const Type& type, uint32_t pointer);
void store(Context& context, const Type& type, const Value& value, uint32_t pointer);

// One value as `type.flatCount` core values; the iterator moves past them. Lowered values fill 64
// bits, zero-extended.
Value liftFlat(Context& context, const Type& type, const RawValue*& in);
void lowerFlat(Context& context, const Type& type, const Value& value, RawValue*& out);

// Raw values that a call of this function needs: for its core parameters or results, whichever are
// more, as lifted or as lowered; at least one.
size_t slotCount(const FuncType& type);

// Calling an export: arguments into core parameters (spilled to memory beyond MAX_FLAT_PARAMS), and
// the core result into the value, before post-return. No value: the function has no result, or the
// Context failed.
void lowerParams(Context& context, const FuncType& type, std::span<const Value> arguments,
                 RawValue* flat);
std::optional<Value> liftResult(Context& context, const FuncType& type, const RawValue* flat);

// A host function that a guest calls: core parameters into values, and the result into the core
// result or to where the guest's last core parameter points. `flat` is the same array for both.
// `result` is null if and only if the function has none. Empty after a failure.
std::vector<Value> liftParams(Context& context, const FuncType& type, const RawValue* flat);
void lowerResult(Context& context, const FuncType& type, const Value* result, RawValue* flat);

// Whether `value` is one of `type`, in every part. Errors: INVALID_ARGUMENT with `path`, what was
// expected and what was found ("argument 'a', field 'x': expected u32, found string \"7\""), or
// UNSUPPORTED for a type that cannot be lowered. Resource handles are asked of `handles`; null: any
// handle is refused.
Result<void> checkValue(const Type& type, const Value& value, std::string_view path,
                        const HandleFactory* handles = nullptr);

// The number of arguments, and each of them as "argument 'name'".
Result<void> checkArguments(const FuncType& type, std::span<const Value> arguments,
                            const HandleFactory* handles = nullptr);

// A short text for messages: "u32 7", "string \"abc\"", "list of 3 items", "record { x, y }".
std::string describeValue(const Value& value);

}  // namespace tenon::abi
