#include "component/fuse/adapter.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

namespace tenon::component::adapt {
namespace {

bool isDefinedBy(const Program& program, uint32_t resource, uint32_t instance) {
  const ResourceInfo& info = program.resources[resource];
  return !info.imported && info.instance == instance;
}

// The resources that a type owns and borrows. Every node is visited once.
struct Handles {
  std::set<uint32_t> owned, borrowed;
  std::set<const Type*> seen;

  void visit(const Type* type) {
    if (!type || !type->hasResource || !seen.insert(type).second) return;
    if (type->kind == TypeKind::OWN) owned.insert(type->resource);
    if (type->kind == TypeKind::BORROW) borrowed.insert(type->resource);
    visit(type->element);
    visit(type->ok);
    visit(type->error);
    for (const Labelled& member : type->members) visit(member.type);
  }
};

WasmSignature postReturnSignature(const FuncType& type) {
  return {wasmSignature(flattenLift(type)).results, {}};
}

}  // namespace

const WasmSignature& reallocSignature() {
  static const WasmSignature signature{{WasmType::I32, WasmType::I32, WasmType::I32, WasmType::I32},
                                       {WasmType::I32}};
  return signature;
}

Needs needsOf(const Program& program, const Adapter& adapter) {
  Needs needs;
  const FuncType& type = adapter.type;
  bool spill = paramsSpill(type);
  bool pointers = false, borrows = false;
  bool direct = !spill;
  for (const Parameter& param : type.params) {
    pointers = pointers || param.type->hasPointer;
    if (!param.type->hasBorrow) continue;
    borrows = true;
    direct = direct && param.type->kind == TypeKind::BORROW &&
             isDefinedBy(program, param.type->resource, adapter.callee.options.instance);
  }
  needs.callerMemory = needs.calleeMemory = spill || pointers;
  needs.calleeRealloc = spill || pointers;
  needs.lends = borrows && direct;
  needs.scope = borrows && !direct;
  if (type.result) {
    bool crosses = resultSpills(type) || type.result->hasPointer;
    needs.callerMemory = needs.callerMemory || crosses;
    needs.calleeMemory = needs.calleeMemory || crosses;
    needs.callerRealloc = type.result->hasPointer;
  }
  return needs;
}

Result<std::vector<CoreItem>> dependenciesOf(const Program& program, const Adapter& adapter) {
  if (paramsSpill(adapter.type) &&
      paramsLayout(adapter.type).size > std::numeric_limits<uint32_t>::max()) {
    return Error{ErrorCode::LIMIT_EXCEEDED,
                 "the parameters of a function take more than 2^32 - 1 bytes"};
  }
  Needs needs = needsOf(program, adapter);
  std::vector<CoreItem> items{adapter.callee.callee};
  bool complete = true;
  auto add = [&](bool needed, const std::vector<CoreItem>& slots, uint32_t slot) {
    if (!needed) return;
    if (slot < slots.size()) {
      items.push_back(slots[slot]);
    } else {
      complete = false;
    }
  };
  const Options& callee = adapter.callee.options;
  add(needs.callerMemory, program.memories, adapter.caller.memory);
  add(needs.callerRealloc, program.functions, adapter.caller.realloc);
  add(needs.calleeMemory, program.memories, callee.memory);
  add(needs.calleeRealloc, program.functions, callee.realloc);
  add(callee.postReturn != NONE, program.functions, callee.postReturn);
  if (complete) return items;
  return Error{ErrorCode::INTERNAL,
               "validation let through a canonical function without its memory"};
}

std::vector<Common::HostKey> hostFunctionsOf(const Program& program, const Adapter& adapter) {
  std::vector<Common::HostKey> keys;
  Needs needs = needsOf(program, adapter);
  uint32_t caller = adapter.caller.instance, callee = adapter.callee.options.instance;
  Handles params, result;
  for (const Parameter& param : adapter.type.params) params.visit(param.type);
  result.visit(adapter.type.result);
  auto all = [&](const std::set<uint32_t>& resources, Trampoline::Kind kind, uint32_t from,
                 uint32_t to) {
    for (uint32_t resource : resources) keys.emplace_back(kind, resource, from, to);
  };
  all(params.owned, Trampoline::Kind::TRANSFER_OWN, caller, callee);
  all(result.owned, Trampoline::Kind::TRANSFER_OWN, callee, caller);
  if (needs.lends) {
    all(params.borrowed, Trampoline::Kind::LEND, caller, callee);
    all(params.borrowed, Trampoline::Kind::UNLEND, caller, callee);
  }
  if (needs.scope) {
    all(params.borrowed, Trampoline::Kind::TRANSFER_BORROW, caller, callee);
    keys.emplace_back(Trampoline::Kind::ENTER_CALL, NONE, caller, callee);
    keys.emplace_back(Trampoline::Kind::EXIT_CALL, NONE, caller, callee);
  }
  return keys;
}

Crossing& Crossings::between(const Side& from, const Side& to, bool lends) {
  std::unique_ptr<Crossing>& crossing = made_[{from, to, lends}];
  if (!crossing) crossing = std::make_unique<Crossing>(common_, from, to, lends);
  return *crossing;
}

namespace {

// What the adapter calls and touches, by its indices in the module.
struct Resolved {
  Side caller, callee;
  uint32_t function = NONE, postReturn = NONE;

  Resolved(const Program& program, const Adapter& adapter, const Needs& needs,
           const Indices& indices) {
    const Options& options = adapter.callee.options;
    auto memory = [&](bool needed, uint32_t slot) {
      return needed ? indices.memory(program.memories[slot]) : NONE;
    };
    auto realloc = [&](bool needed, uint32_t slot) {
      return needed ? indices.function(program.functions[slot], reallocSignature()) : NONE;
    };
    caller.instance = adapter.caller.instance;
    caller.encoding = adapter.caller.encoding;
    caller.memory = memory(needs.callerMemory, adapter.caller.memory);
    caller.realloc = realloc(needs.callerRealloc, adapter.caller.realloc);
    callee.instance = options.instance;
    callee.encoding = options.encoding;
    callee.memory = memory(needs.calleeMemory, options.memory);
    callee.realloc = realloc(needs.calleeRealloc, options.realloc);
    function = indices.function(adapter.callee.callee, wasmSignature(flattenLift(adapter.type)));
    if (options.postReturn != NONE) {
      postReturn = indices.function(program.functions[options.postReturn],
                                    postReturnSignature(adapter.type));
    }
  }
};

class Writer {
 public:
  Writer(const Program& program, const Adapter& adapter, const Indices& indices,
         const std::vector<bool>& usesContext, Common& common, Crossings& crossings, CodeBuilder& f)
      : type_(adapter.type),
        needs_(needsOf(program, adapter)),
        common_(common),
        f_(f),
        calleeSignature_(wasmSignature(flattenLift(type_))) {
    Resolved resolved(program, adapter, needs_, indices);
    caller_ = resolved.caller;
    callee_ = resolved.callee;
    function_ = resolved.function;
    postReturn_ = resolved.postReturn;
    caller_.usesContext = usesContext[caller_.instance];
    callee_.usesContext = usesContext[callee_.instance];
    // A side that only gives needs no `realloc`; leaving it out lets more adapters share helpers.
    auto giving = [](Side side) {
      side.realloc = NONE;
      side.usesContext = false;
      return side;
    };
    in_ = &crossings.between(giving(caller_), callee_, needs_.lends);
    out_ = &crossings.between(giving(callee_), caller_, false);
  }

  void write() {
    common_.trapIf(f_, Expr::load(op::I32_LOAD, common_.control, barred(caller_)),
                   control::TrapCode::CANNOT_LEAVE, caller_.instance);
    Saved context = saveContext(callee_);
    if (needs_.scope) callHost(Trampoline::Kind::ENTER_CALL, NONE, {});
    std::vector<Expr> arguments = passParams();
    clearContext(callee_);
    std::vector<Local> results;
    for (WasmType type : calleeSignature_.results) results.push_back(f_.local(type));
    common_.trapOnThrow(f_, callee_.instance, [&] {
      f_.call(function_, arguments);
      for (size_t i = results.size(); i-- > 0;) f_.pop(results[i]);
    });
    std::vector<Local> given = passResult(results);
    if (needs_.scope) callHost(Trampoline::Kind::EXIT_CALL, NONE, {});
    if (needs_.lends) giveBack();
    if (postReturn_ != NONE) {
      bar(callee_, true);
      common_.trapOnThrow(f_, callee_.instance, [&] {
        f_.call(postReturn_, std::vector<Expr>(results.begin(), results.end()));
      });
      bar(callee_, false);
    }
    restoreContext(callee_, context);
    for (Local local : given) f_.push(local);
  }

 private:
  struct Saved {
    Local slots[2];
  };

  Expr barred(const Side& side) const { return i32(control::barredOffset(side.instance)); }
  void bar(const Side& side, bool on) {
    f_.store(op::I32_STORE, common_.control, barred(side), i32(on ? 1 : 0));
  }

  Saved saveContext(const Side& side) {
    Saved saved;
    if (!side.usesContext) return saved;
    for (uint32_t slot : {0u, 1u}) {
      saved.slots[slot] = f_.local(WasmType::I64);
      f_.set(saved.slots[slot], Expr::load(op::I64_LOAD, common_.control,
                                           i32(control::contextOffset(side.instance, slot))));
    }
    return saved;
  }
  void restoreContext(const Side& side, const Saved& saved) {
    if (!side.usesContext) return;
    for (uint32_t slot : {0u, 1u}) {
      f_.store(op::I64_STORE, common_.control, i32(control::contextOffset(side.instance, slot)),
               saved.slots[slot]);
    }
  }
  void clearContext(const Side& side) {
    if (!side.usesContext) return;
    for (uint32_t slot : {0u, 1u}) {
      f_.store(op::I64_STORE, common_.control, i32(control::contextOffset(side.instance, slot)),
               Expr::i64(0));
    }
  }

  void callHost(Trampoline::Kind kind, uint32_t resource, std::vector<Expr> arguments) {
    f_.call(common_.host.at({kind, resource, caller_.instance, callee_.instance}),
            std::move(arguments));
  }

  // Moves the parameters; gives the callee's arguments.
  std::vector<Expr> passParams() {
    std::vector<Local> arguments;
    if (needs_.calleeRealloc) bar(callee_, true);
    if (paramsSpill(type_)) {
      TupleLayout layout = paramsLayout(type_);
      auto size = static_cast<uint32_t>(layout.size);  // fits: dependenciesOf
      Local source = f_.param(0), target = f_.local(WasmType::I32);
      in_->checkSource(f_, source, layout.alignment, size);
      in_->allocate(f_, target, layout.alignment, i32(size));
      for (size_t i = 0; i < type_.params.size(); ++i) {
        in_->move(f_, *type_.params[i].type, Place::at(source, layout.offsets[i]),
                  Place::at(target, layout.offsets[i]));
      }
      arguments.push_back(target);
    } else {
      std::vector<Local> params;
      for (uint32_t i = 0; i < calleeSignature_.params.size(); ++i) params.push_back(f_.param(i));
      for (WasmType type : calleeSignature_.params) arguments.push_back(f_.local(type));
      size_t first = 0;
      for (const Parameter& param : type_.params) {
        size_t count = param.type->flatCount;
        in_->move(f_, *param.type, Place::in(std::span(params).subspan(first, count)),
                  Place::in(std::span(arguments).subspan(first, count)));
        first += count;
      }
    }
    if (needs_.calleeRealloc) bar(callee_, false);
    return {arguments.begin(), arguments.end()};
  }

  // Moves the result; gives what the adapter returns.
  std::vector<Local> passResult(const std::vector<Local>& results) {
    std::vector<Local> given;
    if (!type_.result) return given;
    Saved context;
    if (needs_.callerRealloc) {
      context = saveContext(caller_);
      bar(caller_, true);
    }
    if (resultSpills(type_)) {
      const Type& type = *type_.result;
      Local target = f_.param(static_cast<uint32_t>(f_.signature().params.size() - 1));
      out_->checkSource(f_, results[0], type.alignment, type.size);
      out_->checkTarget(f_, target, type.alignment, type.size);
      out_->move(f_, type, Place::at(results[0]), Place::at(target));
    } else {
      for (WasmType type : calleeSignature_.results) given.push_back(f_.local(type));
      out_->move(f_, *type_.result, Place::in(results), Place::in(given));
    }
    if (needs_.callerRealloc) {
      bar(caller_, false);
      restoreContext(caller_, context);
    }
    return given;
  }

  void giveBack() {
    uint32_t index = 0;
    for (const Parameter& param : type_.params) {
      if (param.type->kind == TypeKind::BORROW) {
        callHost(Trampoline::Kind::UNLEND, param.type->resource, {f_.param(index)});
      }
      index += param.type->flatCount;
    }
  }

  const FuncType& type_;
  const Needs needs_;
  Common& common_;
  CodeBuilder& f_;
  Side caller_, callee_;
  WasmSignature calleeSignature_;
  uint32_t function_ = NONE, postReturn_ = NONE;
  Crossing* in_ = nullptr;
  Crossing* out_ = nullptr;
};

}  // namespace

void importNeeds(const Program& program, const Adapter& adapter, const Indices& indices) {
  Resolved(program, adapter, needsOf(program, adapter), indices);
}

void writeAdapter(const Program& program, const Adapter& adapter, const Indices& indices,
                  const std::vector<bool>& usesContext, Common& common, Crossings& crossings,
                  CodeBuilder& f) {
  Writer(program, adapter, indices, usesContext, common, crossings, f).write();
}

}  // namespace tenon::component::adapt
