#include "component/validate/core_types.h"

#include "component/validate/say.h"

#include <algorithm>

namespace tenon::component {
namespace {

constexpr uint8_t REF_NULL = 0x63;
constexpr uint8_t REF = 0x64;
constexpr uint32_t DEFAULT_PAGE_SIZE_LOG2 = 16;

// Abstract heap types by their one-byte code.
constexpr uint8_t NOEXN = 0x74, NOFUNC = 0x73, NOEXTERN = 0x72, NONE = 0x71, FUNC = 0x70,
                  EXTERN = 0x6f, ANY = 0x6e, EQ = 0x6d, I31 = 0x6c, STRUCT = 0x6b, ARRAY = 0x6a,
                  EXN = 0x69;

struct Reference {
  bool nullable = true;
  bool concrete = false;
  uint8_t heap = FUNC;  // abstract only

  bool operator==(const Reference&) const = default;
};

std::optional<Reference> asReference(const CoreValType& type) {
  if (type.code >= EXN && type.code <= NOEXN) return Reference{true, false, type.code};
  if (type.code != REF && type.code != REF_NULL) return std::nullopt;
  if (type.heapType >= 0) return Reference{type.code == REF_NULL, true, 0};
  return Reference{type.code == REF_NULL, false, static_cast<uint8_t>(type.heapType & 0x7f)};
}

const char* heapName(uint8_t heap) {
  switch (heap) {
    case NOEXN:
      return "noexn";
    case NOFUNC:
      return "nofunc";
    case NOEXTERN:
      return "noextern";
    case NONE:
      return "none";
    case FUNC:
      return "func";
    case EXTERN:
      return "extern";
    case ANY:
      return "any";
    case EQ:
      return "eq";
    case I31:
      return "i31";
    case STRUCT:
      return "struct";
    case ARRAY:
      return "array";
    case EXN:
      return "exn";
    default:
      return "?";
  }
}

bool heapMatches(uint8_t actual, uint8_t expected) {
  if (actual == expected) return true;
  switch (expected) {
    case ANY:
      return actual == EQ || actual == I31 || actual == STRUCT || actual == ARRAY || actual == NONE;
    case EQ:
      return actual == I31 || actual == STRUCT || actual == ARRAY || actual == NONE;
    case I31:
    case STRUCT:
    case ARRAY:
      return actual == NONE;
    case FUNC:
      return actual == NOFUNC;
    case EXTERN:
      return actual == NOEXTERN;
    case EXN:
      return actual == NOEXN;
    default:
      return false;
  }
}

bool sameValType(const CoreValType& a, const CoreValType& b) {
  auto refA = asReference(a);
  auto refB = asReference(b);
  if (refA && refB) return *refA == *refB;
  return a.code == b.code && !refA && !refB;
}

bool sameFunc(const CoreFuncType& a, const CoreFuncType& b) {
  return std::equal(a.params.begin(), a.params.end(), b.params.begin(), b.params.end(),
                    sameValType) &&
         std::equal(a.results.begin(), a.results.end(), b.results.begin(), b.results.end(),
                    sameValType);
}

bool limitsMatch(const CoreLimits& actual, const CoreLimits& expected) {
  if (actual.min < expected.min) return false;
  return !expected.max || (actual.max && *actual.max <= *expected.max);
}

std::optional<std::string> differ(const char* what) { return say("mismatch in ", what); }

std::optional<std::string> tableMismatch(const CoreExternType& actual,
                                         const CoreExternType& expected) {
  if (!sameValType(actual.valType, expected.valType)) {
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
                                          const CoreExternType& expected) {
  if (actual.isMutable != expected.isMutable) return "global types differ in mutability";
  bool fits = actual.isMutable ? valTypeMatches(actual.valType, expected.valType) &&
                                     valTypeMatches(expected.valType, actual.valType)
                               : valTypeMatches(actual.valType, expected.valType);
  if (fits) return std::nullopt;
  return say("expected global type ", toString(expected.valType), ", found ",
             toString(actual.valType));
}

bool isFlat(const CoreValType& type, CoreType flat) { return type == coreValType(flat); }

}  // namespace

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
  if (ref->concrete) return say("(ref ", ref->nullable ? "null " : "", type.heapType, ")");
  if (ref->nullable && (ref->heap == FUNC || ref->heap == EXTERN)) {
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

bool valTypeMatches(const CoreValType& actual, const CoreValType& expected) {
  auto refA = asReference(actual);
  auto refB = asReference(expected);
  if (!refA || !refB) return sameValType(actual, expected);
  if (refA->nullable && !refB->nullable) return false;
  if (refA->concrete || refB->concrete) return true;  // the engine knows
  return heapMatches(refA->heap, refB->heap);
}

std::optional<std::string> coreMismatch(const CoreExternType& actual,
                                        const CoreExternType& expected) {
  if (actual.kind != expected.kind) {
    return say("expected ", toString(expected.kind), ", found ", toString(actual.kind));
  }
  switch (actual.kind) {
    case CoreExternKind::FUNC:
    case CoreExternKind::TAG:
      if (sameFunc(actual.func, expected.func)) return std::nullopt;
      return say("expected: ", toString(expected.func), ", found: ", toString(actual.func));
    case CoreExternKind::TABLE:
      return tableMismatch(actual, expected);
    case CoreExternKind::MEMORY:
      return memoryMismatch(actual.limits, expected.limits);
    case CoreExternKind::GLOBAL:
      return globalMismatch(actual, expected);
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
