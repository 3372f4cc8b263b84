// lift, lower and task.return, and canonical options. Source: CanonicalABI.md "`canonopt`
// Validation",
// "`canon lift`", "`canon lower`", "Flattening".

#include "component/validate/core_types.h"
#include "component/validate/say.h"
#include "component/validate/validation.h"

#include <algorithm>

namespace tenon::component::typed {
namespace {

constexpr size_t MAX_OPTIONS = 10;

enum OptionCode : uint8_t {
  UTF8 = 0x00,
  UTF16 = 0x01,
  LATIN1_UTF16 = 0x02,
  MEMORY = 0x03,
  REALLOC = 0x04,
  POST_RETURN = 0x05,
  ASYNC = 0x06,
  CALLBACK = 0x07,
};

const char* optionName(uint8_t code) {
  static constexpr const char* NAMES[] = {"utf8",    "utf16",       "latin1-utf16", "memory",
                                          "realloc", "post-return", "async",        "callback"};
  return NAMES[code];
}

// Flat types with pointers of either size, up to a limit.
class Flat {
 public:
  Flat(CoreType pointer, size_t limit) : pointer_(pointer), limit_(limit) {}

  // False, and no longer of use, if there are more than the limit.
  bool add(const Type& type) {
    // As the table has them: pointers are i32 there.
    if (pointer_ == CoreType::I32 || !hasPointer(type)) {
      if (type.flatCount > limit_ - types.size()) return false;
      types.insert(types.end(), type.flat.begin(), type.flat.end());
      return true;
    }
    switch (type.kind) {
      case TypeKind::RECORD:
      case TypeKind::TUPLE:
        return std::all_of(type.members.begin(), type.members.end(),
                           [this](const Labelled& member) { return add(*member.type); });
      case TypeKind::VARIANT: {
        std::vector<const Type*> payloads;
        for (const Labelled& member : type.members) payloads.push_back(member.type);
        return addSum(payloads);
      }
      case TypeKind::OPTION:
        return addSum({type.element});
      case TypeKind::RESULT:
        return addSum({type.ok, type.error});
      case TypeKind::LIST:
        for (uint32_t i = 0; i < type.fixedLength; ++i) {
          if (!add(*type.element)) return false;
        }
        if (type.fixedLength != 0) return true;
        [[fallthrough]];
      default:  // a string or list
        return push(pointer_) && push(pointer_);
    }
  }

  bool push(CoreType type) {
    if (types.size() == limit_) return false;
    types.push_back(type);
    return true;
  }

  std::vector<CoreType> types;

 private:
  // A pointer outside of a list counts: those of a list are in memory.
  static bool hasPointer(const Type& type) { return type.hasPointer; }

  bool addSum(const std::vector<const Type*>& payloads) {
    if (!push(CoreType::I32)) return false;
    std::vector<CoreType> joined;
    for (const Type* payload : payloads) {
      if (payload == nullptr) continue;
      Flat flat(pointer_, limit_ - types.size());
      if (!flat.add(*payload)) return false;
      for (size_t i = 0; i < flat.types.size(); ++i) {
        if (i == joined.size()) {
          joined.push_back(flat.types[i]);
        } else {
          joined[i] = join(joined[i], flat.types[i]);
        }
      }
    }
    types.insert(types.end(), joined.begin(), joined.end());
    return true;
  }

  static CoreType join(CoreType a, CoreType b) {
    if (a == b) return a;
    bool both32 =
        (a == CoreType::I32 && b == CoreType::F32) || (a == CoreType::F32 && b == CoreType::I32);
    return both32 ? CoreType::I32 : CoreType::I64;
  }

  CoreType pointer_;
  size_t limit_;
};

Error required(const char* option, uint64_t offset) {
  return invalid(offset, say("canonical option `", option, "` is required"));
}

Result<void> require(bool memory, bool realloc, const CheckedOptions& options, uint64_t offset) {
  if ((memory || realloc) && !options.hasMemory) return required("memory", offset);
  if (realloc && !options.hasRealloc) return required("realloc", offset);
  return {};
}

std::string listed(const std::vector<CoreValType>& types) {
  std::string text = "[";
  for (const CoreValType& type : types) {
    if (text.size() > 1) text += ", ";
    text += toString(type);
  }
  return text + "]";
}

std::vector<CoreValType> coreValTypes(const std::vector<CoreType>& types) {
  std::vector<CoreValType> list;
  list.reserve(types.size());
  for (CoreType type : types) list.push_back(coreValType(type));
  return list;
}

}  // namespace

// -- Options --------------------------------------------------------------------------------------

Result<void> Validation::memoryOption(uint32_t index, CheckedOptions& checked, uint64_t offset) {
  TENON_TRY(const CoreExternType* memory, scope().coreItem(CoreExternKind::MEMORY, index, offset));
  if (memory->limits.shared) return invalid(offset, "mismatch in the shared flag for memories");
  if (memory->limits.is64) TENON_CHECK(gate(features_.memory64, "64-bit memories", offset));
  checked.hasMemory = true;
  checked.memory64 = memory->limits.is64;
  return {};
}

Result<void> Validation::reallocOption(uint32_t index, const CheckedOptions& checked,
                                       uint64_t offset) {
  if (!checked.hasMemory) {
    return invalid(offset, "canonical option `realloc` requires `memory` to also be specified");
  }
  TENON_TRY(const CoreExternType* realloc, scope().coreItem(CoreExternKind::FUNC, index, offset));
  CoreType address = checked.pointer();
  if (isSignature(realloc->func, {address, address, address, address}, {address})) return {};
  return invalid(offset,
                 "canonical option `realloc` uses a core function with an incorrect signature");
}

Result<CheckedOptions> Validation::options(const CanonOpts& opts, uint64_t offset) {
  TENON_CHECK(checkCount(0, opts.options.size(), MAX_OPTIONS, "canonical options", offset));
  CheckedOptions checked;
  std::optional<uint8_t> encoding;
  std::optional<uint32_t> realloc;
  uint32_t seen = 0;
  for (const CanonOpts::Option& option : opts.options) {
    if (option.code <= LATIN1_UTF16) {
      if (encoding) {
        return invalid(offset, say("canonical encoding option `", optionName(*encoding),
                                   "` conflicts with option `", optionName(option.code), "`"));
      }
      encoding = option.code;
      continue;
    }
    if (option.code > CALLBACK) return invalid(offset, "unknown canonical option");
    if (seen & 1u << option.code) {
      return invalid(offset, say("canonical option `", optionName(option.code),
                                 "` is specified more than once"));
    }
    seen |= 1u << option.code;
    switch (option.code) {
      case MEMORY:
        TENON_CHECK(memoryOption(option.index, checked, offset));
        break;
      case REALLOC:
        realloc = option.index;
        break;
      case POST_RETURN:
        checked.postReturn = option.index;
        break;
      case ASYNC:
        checked.async = true;
        break;
      default:
        checked.callback = option.index;
        break;
    }
  }
  if (checked.callback && !checked.async) {
    return invalid(offset, "cannot specify callback without async");
  }
  if (checked.async && checked.postReturn) {
    return invalid(offset, "cannot specify post-return function in async");
  }
  if (realloc) {
    TENON_CHECK(reallocOption(*realloc, checked, offset));
    checked.hasRealloc = true;
  }
  return checked;
}

// -- Signatures -----------------------------------------------------------------------------------

Result<CoreSignature> Validation::lowered(const FuncNode& func, const CheckedOptions& options,
                                          Lifting lifting, uint64_t offset) {
  bool lift = lifting == Lifting::LIFT;
  CoreType pointer = options.pointer();
  Flat params(pointer, !lift && options.async ? MAX_FLAT_ASYNC_PARAMS : MAX_FLAT_PARAMS);
  for (const FuncNode::Param& param : func.params) {
    const Type& type = *param.type.node->type;
    // A lifted function's parameters are put into its memory, a lowered one's are read from it.
    if (type.hasPointer) TENON_CHECK(require(!lift, lift, options, offset));
    if (params.add(type)) continue;
    TENON_CHECK(require(true, lift, options, offset));
    params.types = {pointer};
    break;
  }
  CoreSignature signature{std::move(params.types), {}};
  const Type* result = func.result ? func.result.node->type : nullptr;
  if (!lift && result != nullptr && result->hasPointer) {
    TENON_CHECK(require(true, true, options, offset));
  }
  if (!options.async) {
    Flat results(pointer, MAX_FLAT_RESULTS);
    if (result == nullptr || results.add(*result)) {
      signature.results = std::move(results.types);
      return signature;
    }
    TENON_CHECK(require(true, false, options, offset));
    (lift ? signature.results : signature.params).push_back(pointer);
    return signature;
  }
  if (!lift) {
    if (result != nullptr) {
      TENON_CHECK(require(true, false, options, offset));
      signature.params.push_back(pointer);
    }
    signature.results = {CoreType::I32};
    return signature;
  }
  // The result goes through task.return, which has the same options.
  if (result != nullptr) {
    bool fits = Flat(pointer, MAX_FLAT_PARAMS).add(*result);
    TENON_CHECK(require(!fits || result->hasPointer, false, options, offset));
  }
  if (options.callback) signature.results = {CoreType::I32};
  return signature;
}

void Validation::pushCoreFunc(const std::vector<CoreType>& params,
                              const std::vector<CoreType>& results) {
  scope().coreFuncs.push_back(arena_.coreFunc({coreValTypes(params), coreValTypes(results)}));
}

// -- Definitions ----------------------------------------------------------------------------------

Result<void> Validation::canon(const Canon& canon, uint64_t offset) {
  switch (canon.kind) {
    case CanonKind::LIFT:
      return lift(canon, offset);
    case CanonKind::LOWER:
      return lower(canon, offset);
    case CanonKind::TASK_RETURN:
      return taskReturn(canon, offset);
    default:
      return builtin(canon, offset);
  }
}

Result<void> Validation::checkLiftOptions(const CheckedOptions& options, const CoreFuncType& callee,
                                          uint64_t offset) {
  if (options.postReturn) {
    TENON_TRY(const CoreExternType* postReturn,
              scope().coreItem(CoreExternKind::FUNC, *options.postReturn, offset));
    if (postReturn->func.params != callee.results || !postReturn->func.results.empty()) {
      return invalid(
          offset,
          "canonical option `post-return` uses a core function with an incorrect signature");
    }
  }
  if (options.async && !options.callback) {
    TENON_CHECK(gate(features_.stackful, "asynchronous lifts without a callback", offset));
  }
  if (options.callback) {
    TENON_TRY(const CoreExternType* callback,
              scope().coreItem(CoreExternKind::FUNC, *options.callback, offset));
    if (!isSignature(callback->func, {CoreType::I32, CoreType::I32, CoreType::I32},
                     {CoreType::I32})) {
      return invalid(
          offset, "canonical option `callback` uses a core function with an incorrect signature");
    }
  }
  return {};
}

Result<void> Validation::lift(const Canon& canon, uint64_t offset) {
  TENON_TRY(const FuncNode* func, scope().funcType(canon.type, offset));
  TENON_TRY(const CoreExternType* callee,
            scope().coreItem(CoreExternKind::FUNC, canon.func, offset));
  TENON_TRY(CheckedOptions checked, options(canon.opts, offset));
  TENON_CHECK(checkLiftOptions(checked, callee->func, offset));
  if (checked.async && !func->async) {
    return invalid(offset, "the `async` canonical option requires an async function type");
  }
  TENON_TRY(CoreSignature expected, lowered(*func, checked, Lifting::LIFT, offset));
  if (!isSignature(callee->func, expected.params, expected.results)) {
    bool params = coreValTypes(expected.params) == callee->func.params;
    const char* what = params ? "result" : "parameter";
    return invalid(offset, say("lowered ", what, " types `",
                               listed(coreValTypes(params ? expected.results : expected.params)),
                               "` do not match ", what, " types `",
                               listed(params ? callee->func.results : callee->func.params),
                               "` of core function ", canon.func));
  }
  scope().funcs.push_back(func);
  return {};
}

Result<void> Validation::lower(const Canon& canon, uint64_t offset) {
  TENON_TRY(const FuncNode* func, scope().func(canon.func, offset));
  TENON_TRY(CheckedOptions checked, options(canon.opts, offset));
  if (checked.postReturn) {
    return invalid(offset, "canonical option `post-return` cannot be specified for lowerings");
  }
  if (checked.callback) {
    return invalid(offset, "canonical option `callback` cannot be specified for lowerings");
  }
  if (checked.async && !func->async) {
    return invalid(offset, "the `async` canonical option requires an async function type");
  }
  TENON_TRY(CoreSignature signature, lowered(*func, checked, Lifting::LOWER, offset));
  pushCoreFunc(signature.params, signature.results);
  return {};
}

// Typed as a lowered function that takes the result.
Result<void> Validation::taskReturn(const Canon& canon, uint64_t offset) {
  FuncNode func;
  FuncNode::Param param;
  if (canon.result) {
    TENON_TRY(ValRef result, valType(*canon.result, offset));
    if (result.node->type->hasBorrow) {
      return invalid(offset, "`task.return` result cannot contain a `borrow` type");
    }
    param = {"v", result};
    func.params = {&param, 1};
  }
  TENON_TRY(CheckedOptions checked, options(canon.opts, offset));
  const char* refused = checked.hasRealloc   ? "realloc"
                        : checked.postReturn ? "post-return"
                        : checked.callback   ? "callback"
                        : checked.async      ? "async"
                                             : nullptr;
  if (refused != nullptr) {
    return invalid(offset, say("cannot specify `", refused, "` option on `task.return`"));
  }
  TENON_TRY(CoreSignature signature, lowered(func, checked, Lifting::LOWER, offset));
  pushCoreFunc(signature.params, signature.results);
  return {};
}

}  // namespace tenon::component::typed
