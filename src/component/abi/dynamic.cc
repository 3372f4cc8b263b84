#include "component/abi/dynamic.h"

#include "component/abi/value_walk.h"
#include "component/types/type_table.h"

#include <tenon/abi/abi_type.h>

#include <limits>

// guest-ok(pointer): all of what is at `pointer` lies inside the memory, which the callers have
// checked; so no address in it takes more than 32 bits.

namespace tenon::abi {
namespace {

// Core values that the parameters take: spilled ones are one pointer.
size_t paramSlots(const FuncType& type) {
  if (component::paramsSpill(type)) return 1;
  size_t count = 0;
  for (const Parameter& parameter : type.params) count += parameter.type->flatCount;
  return count;
}

// Whether `pointer` is good for the spilled parameters; fails if not.
bool checkLayout(Context& context, uint32_t pointer, const component::TupleLayout& layout) {
  return detail::checkRange(context, pointer, layout.size, layout.alignment);
}

}  // namespace

size_t slotCount(const FuncType& type) {
  size_t count = paramSlots(type) + (component::resultSpills(type) ? 1 : 0);
  return count == 0 ? 1 : count;
}

void lowerParams(Context& context, const FuncType& type, std::span<const Value> arguments,
                 RawValue* flat) {
  if (arguments.size() != type.params.size()) return context.fail(WRONG_KIND);
  if (!component::paramsSpill(type)) {
    for (size_t i = 0; i < arguments.size(); i++) {
      lowerFlat(context, *type.params[i].type, arguments[i], flat);
    }
    return;
  }
  auto layout = component::paramsLayout(type);
  if (layout.size > std::numeric_limits<uint32_t>::max()) {
    return context.fail("the parameters take more than 2^32 - 1 bytes");
  }
  uint32_t pointer = context.allocate(static_cast<uint32_t>(layout.size), layout.alignment);
  if (context.failed() || !checkLayout(context, pointer, layout)) return;
  for (size_t i = 0; i < arguments.size() && !context.failed(); i++) {
    store(context, *type.params[i].type, arguments[i], pointer + layout.offsets[i]);
  }
  detail::put(flat, pointer);
}

std::optional<Value> liftResult(Context& context, const FuncType& type, const RawValue* flat) {
  if (!type.result || context.failed()) return std::nullopt;
  std::optional<Value> value;
  if (!component::resultSpills(type)) {
    value = liftFlat(context, *type.result, flat);
  } else {
    uint32_t pointer = flat->i32;
    if (!detail::checkRange(context, pointer, type.result->size, type.result->alignment)) {
      return std::nullopt;
    }
    value = load(context, *type.result, pointer);
  }
  if (context.failed()) value.reset();
  return value;
}

std::vector<Value> liftParams(Context& context, const FuncType& type, const RawValue* flat) {
  std::vector<Value> values;
  if (!context.charge(type.params.size() * sizeof(Value))) return values;
  values.reserve(type.params.size());
  if (!component::paramsSpill(type)) {
    for (const Parameter& parameter : type.params) {
      values.push_back(liftFlat(context, *parameter.type, flat));
      if (context.failed()) break;
    }
  } else {
    uint32_t pointer = flat->i32;
    auto layout = component::paramsLayout(type);
    if (!checkLayout(context, pointer, layout)) return values;
    for (size_t i = 0; i < type.params.size() && !context.failed(); i++) {
      values.push_back(load(context, *type.params[i].type, pointer + layout.offsets[i]));
    }
  }
  if (context.failed()) values.clear();
  return values;
}

void lowerResult(Context& context, const FuncType& type, const Value* result, RawValue* flat) {
  if (context.failed()) return;
  if ((result == nullptr) != (type.result == nullptr)) {
    return context.fail("a host function returned a result where it has none, or none");
  }
  if (!result) return;
  if (!component::resultSpills(type)) return lowerFlat(context, *type.result, *result, flat);
  uint32_t pointer = flat[paramSlots(type)].i32;
  if (!detail::checkRange(context, pointer, type.result->size, type.result->alignment)) return;
  store(context, *type.result, *result, pointer);
}

}  // namespace tenon::abi
