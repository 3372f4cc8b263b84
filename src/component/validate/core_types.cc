#include "component/validate/core_types.h"

#include "component/validate/say.h"

#include <algorithm>

namespace tenon::component {
namespace {

constexpr uint32_t DEFAULT_PAGE_SIZE_LOG2 = 16;

const char* heapName(HeapKind heap) {
  static constexpr const char* NAMES[] = {"cont",     "exn",    "array",  "struct", "i31",
                                          "eq",       "any",    "extern", "func",   "none",
                                          "noextern", "nofunc", "noexn",  "nocont"};
  return NAMES[static_cast<size_t>(heap) - static_cast<size_t>(HeapKind::CONT)];
}

bool limitsMatch(const CoreLimits& actual, const CoreLimits& expected) {
  if (actual.min < expected.min) return false;
  return !expected.max || (actual.max && *actual.max <= *expected.max);
}

std::optional<std::string> differ(const char* what) { return say("mismatch in ", what); }

std::optional<std::string> tableMismatch(const CoreExternType& actual,
                                         const CoreExternType& expected) {
  if (actual.valType != expected.valType) {
    return say("expected table element type ", toString(expected.valType), ", found ",
               toString(actual.valType));
  }
  if (actual.limits.shared != expected.limits.shared) return differ("the shared flag for tables");
  if (actual.limits.is64 != expected.limits.is64) return differ("index type used for tables");
  if (!limitsMatch(actual.limits, expected.limits)) return differ("table limits");
  return std::nullopt;
}

std::optional<std::string> memoryMismatch(const CoreLimits& actual, const CoreLimits& expected) {
  if (actual.shared != expected.shared) return differ("the shared flag for memories");
  if (actual.is64 != expected.is64) return differ("index type used for memories");
  if (actual.pageSizeLog2.value_or(DEFAULT_PAGE_SIZE_LOG2) !=
      expected.pageSizeLog2.value_or(DEFAULT_PAGE_SIZE_LOG2)) {
    return differ("page size for memories");
  }
  if (!limitsMatch(actual, expected)) return differ("memory limits");
  return std::nullopt;
}

std::optional<std::string> globalMismatch(const CoreExternType& actual,
                                          const CoreExternType& expected,
                                          const typed::CoreTypeTable& types) {
  if (actual.isMutable != expected.isMutable) return "global types differ in mutability";
  bool fits = types.matches(actual.valType, expected.valType) &&
              (!actual.isMutable || types.matches(expected.valType, actual.valType));
  if (fits) return std::nullopt;
  return say("expected global type ", toString(expected.valType), ", found ",
             toString(actual.valType));
}

bool isFlat(const CoreValType& type, CoreType flat) { return type == coreValType(flat); }

}  // namespace

std::optional<CoreReference> asReference(const CoreValType& type) {
  auto isAbstract = [](uint8_t code) {
    return code >= static_cast<uint8_t>(HeapKind::CONT) &&
           code <= static_cast<uint8_t>(HeapKind::NOCONT);
  };
  CoreReference reference;
  if (isAbstract(type.code)) {
    reference.heap = static_cast<HeapKind>(type.code);
    return reference;
  }
  if (type.code != REF && type.code != REF_NULL) return std::nullopt;
  reference.nullable = type.code == REF_NULL;
  if (type.heapType >= 0) {
    reference.type = static_cast<typed::CoreTypeId>(type.heapType);
    return reference;
  }
  auto code = static_cast<uint8_t>(type.heapType & 0x7f);
  if (!isAbstract(code)) return std::nullopt;
  reference.heap = static_cast<HeapKind>(code);
  return reference;
}

bool heapMatches(HeapKind actual, HeapKind expected) {
  if (actual == expected) return true;
  switch (expected) {
    case HeapKind::ANY:
      return actual == HeapKind::EQ || heapMatches(actual, HeapKind::EQ);
    case HeapKind::EQ:
      return actual == HeapKind::I31 || actual == HeapKind::STRUCT || actual == HeapKind::ARRAY ||
             actual == HeapKind::NONE;
    case HeapKind::I31:
    case HeapKind::STRUCT:
    case HeapKind::ARRAY:
      return actual == HeapKind::NONE;
    case HeapKind::FUNC:
      return actual == HeapKind::NOFUNC;
    case HeapKind::EXTERN:
      return actual == HeapKind::NOEXTERN;
    case HeapKind::EXN:
      return actual == HeapKind::NOEXN;
    case HeapKind::CONT:
      return actual == HeapKind::NOCONT;
    default:
      return false;
  }
}

std::string toString(const CoreValType& type) {
  switch (type.code) {
    case 0x7f:
      return "i32";
    case 0x7e:
      return "i64";
    case 0x7d:
      return "f32";
    case 0x7c:
      return "f64";
    case 0x7b:
      return "v128";
    default:
      break;
  }
  auto ref = asReference(type);
  if (!ref) return "?";
  if (ref->type) return say("(ref ", ref->nullable ? "null " : "", "type ", *ref->type, ")");
  if (ref->nullable && (ref->heap == HeapKind::FUNC || ref->heap == HeapKind::EXTERN)) {
    return say(heapName(ref->heap), "ref");
  }
  return say("(ref ", ref->nullable ? "null " : "", heapName(ref->heap), ")");
}

std::string toString(const CoreFuncType& type) {
  std::string text = "(func";
  auto list = [&](const char* what, const std::vector<CoreValType>& types) {
    if (types.empty()) return;
    text += say(" (", what);
    for (const CoreValType& each : types) text += say(" ", toString(each));
    text += ")";
  };
  list("param", type.params);
  list("result", type.results);
  return text + ")";
}

const char* toString(CoreExternKind kind) {
  static constexpr const char* NAMES[] = {"func", "table", "memory", "global", "tag"};
  return NAMES[static_cast<size_t>(kind)];
}

std::optional<std::string> coreMismatch(const CoreExternType& actual,
                                        const CoreExternType& expected,
                                        const typed::CoreTypeTable& types) {
  if (actual.kind != expected.kind) {
    return say("expected ", toString(expected.kind), ", found ", toString(actual.kind));
  }
  switch (actual.kind) {
    case CoreExternKind::FUNC:
    case CoreExternKind::TAG: {
      bool fits = actual.kind == CoreExternKind::TAG
                      ? actual.typeIndex == expected.typeIndex
                      : types.isSubtype(actual.typeIndex, expected.typeIndex);
      if (fits) return std::nullopt;
      return say("expected: ", toString(expected.func), ", found: ", toString(actual.func));
    }
    case CoreExternKind::TABLE:
      return tableMismatch(actual, expected);
    case CoreExternKind::MEMORY:
      return memoryMismatch(actual.limits, expected.limits);
    case CoreExternKind::GLOBAL:
      return globalMismatch(actual, expected, types);
  }
  return std::nullopt;
}

CoreValType coreValType(CoreType type) {
  static constexpr uint8_t CODES[] = {0x7f, 0x7e, 0x7d, 0x7c};
  return {CODES[static_cast<size_t>(type)], 0};
}

bool isSignature(const CoreFuncType& type, const std::vector<CoreType>& params,
                 const std::vector<CoreType>& results) {
  return std::equal(type.params.begin(), type.params.end(), params.begin(), params.end(), isFlat) &&
         std::equal(type.results.begin(), type.results.end(), results.begin(), results.end(),
                    isFlat);
}

}  // namespace tenon::component
