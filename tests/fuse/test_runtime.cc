#include "test_runtime.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

extern "C" int32_t tenon_oracle_validate(const void* bytes, size_t length, int32_t allFeatures,
                                         uint64_t* offset, char* message, size_t messageLength);

namespace tenon::component::testing {
namespace {

// One for all tests of the process: making one is slow.
wasm_engine_t* sharedEngine() {
  static wasm_engine_t* engine = [] {
    wasm_config_t* config = wasm_config_new();
    wasmtime_config_memory_may_move_set(config, false);
    wasmtime_config_wasm_exceptions_set(config, true);
    return wasm_engine_new_with_config(config);
  }();
  return engine;
}

std::string takeText(wasm_byte_vec_t& bytes) {
  std::string text(bytes.data, bytes.size);
  wasm_byte_vec_delete(&bytes);
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

std::string takeMessage(wasmtime_error_t* error, wasm_trap_t* trap) {
  wasm_byte_vec_t message;
  std::string text;
  if (error) {
    wasmtime_error_message(error, &message);
    text = takeText(message);
    wasmtime_error_delete(error);
  }
  if (trap) {
    wasm_trap_message(trap, &message);
    text = takeText(message);
    wasm_trap_delete(trap);
  }
  return text;
}

wasm_functype_t* functionType(const CoreSignature& signature) {
  auto types = [](const std::vector<CoreType>& list) {
    std::vector<wasm_valtype_t*> made;
    for (CoreType type : list) {
      constexpr wasm_valkind_t KINDS[] = {WASM_I32, WASM_I64, WASM_F32, WASM_F64};
      made.push_back(wasm_valtype_new(KINDS[static_cast<size_t>(type)]));
    }
    wasm_valtype_vec_t vec;
    wasm_valtype_vec_new(&vec, made.size(), made.data());
    return vec;
  };
  wasm_valtype_vec_t params = types(signature.params), results = types(signature.results);
  return wasm_functype_new(&params, &results);
}

}  // namespace

struct TestRuntime::TrampolineState {
  TestRuntime* runtime;
  uint32_t index;
};

TestRuntime::TestRuntime(Program program, std::map<std::string, HostFunction> imports)
    : program_(std::move(program)), imports_(std::move(imports)), engine_(sharedEngine()) {
  store_ = wasmtime_store_new(engine_, nullptr, nullptr);
  context_ = wasmtime_store_context(store_);
  tables.resize(program_.instances.size());
  for (auto& table : tables) table.resize(1);
  for (uint32_t i = 0; i < program_.trampolines.size(); ++i) {
    states_.push_back(std::make_unique<TrampolineState>(TrampolineState{this, i}));
    wasm_functype_t* type = functionType(program_.trampolines[i].signature);
    wasmtime_func_t func;
    wasmtime_func_new_unchecked(context_, type, onTrampoline, states_.back().get(), nullptr, &func);
    wasm_functype_delete(type);
    trampolines_.push_back(func);
  }
  instantiate();
}

TestRuntime::~TestRuntime() { wasmtime_store_delete(store_); }

void TestRuntime::instantiate() {
  for (const InstantiateStep& step : program_.steps) {
    const ModuleBytes& bytes = program_.modules[step.module];
    wasmtime_module_t* module = nullptr;
    wasmtime_error_t* error = wasmtime_module_new(
        engine_, reinterpret_cast<const uint8_t*>(bytes.bytes.data()), bytes.bytes.size(), &module);
    if (error) {
      instantiation_.trapped = true;
      instantiation_.message = bytes.name + ": " + takeMessage(error, nullptr);
      return;
    }
    std::vector<wasmtime_extern_t> arguments;
    for (const CoreArg& arg : step.args) arguments.push_back(resolve(arg.item));
    wasmtime_instance_t instance;
    wasm_trap_t* trap = nullptr;
    pending_ = {};
    error = wasmtime_instance_new(context_, module, arguments.data(), arguments.size(), &instance,
                                  &trap);
    wasmtime_module_delete(module);
    if (error || trap) {
      instantiation_ = pending_;
      instantiation_.trapped = true;
      std::string text = takeMessage(error, trap);
      if (instantiation_.message.empty()) instantiation_.message = bytes.name + ": " + text;
      return;
    }
    instances_.push_back(instance);
  }
}

wasmtime_extern_t TestRuntime::resolve(const CoreItem& item) {
  wasmtime_extern_t found;
  if (item.kind == CoreItem::Kind::TRAMPOLINE) {
    found.kind = WASMTIME_EXTERN_FUNC;
    found.of.func = trampolines_[item.index];
    return found;
  }
  if (item.kind != CoreItem::Kind::INSTANCE_EXPORT || item.index >= instances_.size() ||
      !wasmtime_instance_export_get(context_, &instances_[item.index], item.name.data(),
                                    item.name.size(), &found)) {
    std::fprintf(stderr, "test runtime: no %s of step %u\n", item.name.c_str(), item.index);
    std::abort();
  }
  return found;
}

GuestMemory TestRuntime::memory(const CoreItem& item) {
  wasmtime_extern_t found = resolve(item);
  return {reinterpret_cast<std::byte*>(wasmtime_memory_data(context_, &found.of.memory)),
          wasmtime_memory_data_size(context_, &found.of.memory)};
}

Outcome TestRuntime::callItem(const CoreItem& item, std::vector<RawValue> arguments,
                              size_t results) {
  wasmtime_extern_t found = resolve(item);
  arguments.resize(std::max<size_t>({arguments.size(), results, 1}));
  wasm_trap_t* trap = nullptr;
  pending_ = {};
  wasmtime_error_t* error = wasmtime_func_call_unchecked(
      context_, &found.of.func, reinterpret_cast<wasmtime_val_raw_t*>(arguments.data()),
      arguments.size(), &trap);
  Outcome outcome = pending_;
  if (error || trap) {
    outcome.trapped = true;
    std::string text = takeMessage(error, trap);
    if (outcome.message.empty()) outcome.message = text;
    return outcome;
  }
  arguments.resize(results);
  outcome.values = std::move(arguments);
  return outcome;
}

Outcome TestRuntime::call(const std::string& name, std::vector<RawValue> arguments) {
  const std::vector<ProgramExport>* exports = &program_.exports;
  std::string rest = name;
  for (;;) {
    size_t hash = rest.find('#');
    std::string head = rest.substr(0, hash);
    const ProgramExport* found = nullptr;
    for (const ProgramExport& entry : *exports) {
      if (entry.name == head) found = &entry;
    }
    if (!found) break;
    if (hash != std::string::npos) {
      exports = &std::get<ExportedInstance>(found->item).exports;
      rest = rest.substr(hash + 1);
      continue;
    }
    const auto& lifted = std::get<LiftedFunction>(found->item);
    Outcome outcome = callItem(program_.functions[lifted.calleeSlot], std::move(arguments),
                               flattenLift(lifted.type).results.size());
    if (!outcome.trapped && lifted.options.postReturn != NONE) {
      Outcome after = callItem(program_.functions[lifted.options.postReturn], outcome.values, 0);
      if (after.trapped) return after;
    }
    return outcome;
  }
  std::fprintf(stderr, "test runtime: no export %s\n", name.c_str());
  std::abort();
}

// -- Trampolines ----------------------------------------------------------------------------------

wasm_trap_t* TestRuntime::onTrampoline(void* env, wasmtime_caller_t*, wasmtime_val_raw_t* values,
                                       size_t) {
  const auto& state = *static_cast<TrampolineState*>(env);
  TestRuntime& runtime = *state.runtime;
  const Trampoline& trampoline = runtime.program_.trampolines[state.index];
  if (trampoline.lateBound && runtime.instances_.size() < trampoline.boundAfter) {
    runtime.fail("uninitialized element");
  } else if (runtime.run(trampoline, reinterpret_cast<RawValue*>(values))) {
    return nullptr;
  }
  return wasmtime_trap_new(runtime.pending_.message.data(), runtime.pending_.message.size());
}

bool TestRuntime::fail(std::string message) {
  pending_.trapped = true;
  pending_.message = std::move(message);
  return false;
}

TestRuntime::Handle* TestRuntime::find(uint32_t instance, uint32_t resource, uint32_t index) {
  auto& table = tables[instance];
  if (index >= table.size() || !table[index]) {
    fail("unknown handle index");
    return nullptr;
  }
  if (table[index]->resource != resource) {
    fail("handle of another type");
    return nullptr;
  }
  return &*table[index];
}

uint32_t TestRuntime::add(uint32_t instance, Handle handle) {
  auto& table = tables[instance];
  for (uint32_t i = 1; i < table.size(); ++i) {
    if (table[i]) continue;
    table[i] = handle;
    return i;
  }
  table.push_back(handle);
  return static_cast<uint32_t>(table.size() - 1);
}

bool TestRuntime::isDefinedBy(uint32_t resource, uint32_t instance) const {
  const ResourceInfo& info = program_.resources[resource];
  return !info.imported && info.instance == instance;
}

bool TestRuntime::run(const Trampoline& trampoline, RawValue* values) {
  using Kind = Trampoline::Kind;
  bool barred = false;
  if (program_.control && trampoline.instance != NONE) {
    uint32_t flag = 0;
    barred =
        memory(*program_.control).load(control::barredOffset(trampoline.instance), flag) && flag;
  }
  bool guestCalls = trampoline.kind == Kind::LOWER_IMPORT ||
                    trampoline.kind == Kind::RESOURCE_NEW || trampoline.kind == Kind::RESOURCE_DROP;
  if (guestCalls && barred) return fail("cannot leave component instance");
  switch (trampoline.kind) {
    case Kind::TRAP:
      pending_.code = static_cast<control::TrapCode>(values[0].i32);
      pending_.guilty = values[1].i32;
      return fail(control::toString(*pending_.code));
    case Kind::LOWER_IMPORT: {
      const ImportedFunction& import = program_.imports[trampoline.import];
      std::string name =
          import.interface.empty() ? import.name : import.interface + "#" + import.name;
      auto found = imports_.find(name);
      if (found == imports_.end()) return fail("nothing provides " + name);
      return found->second(*this, values);
    }
    case Kind::RESOURCE_NEW:
      values[0].i32 = add(trampoline.instance, {trampoline.resource, values[0].i32});
      return true;
    case Kind::RESOURCE_REP: {
      Handle* handle = find(trampoline.instance, trampoline.resource, values[0].i32);
      if (!handle) return false;
      values[0].i32 = handle->rep;
      return true;
    }
    case Kind::RESOURCE_DROP: {
      Handle* handle = find(trampoline.instance, trampoline.resource, values[0].i32);
      if (!handle) return false;
      if (handle->lends) return fail("handle is lent");
      Handle dropped = *handle;
      tables[trampoline.instance][values[0].i32].reset();
      if (!dropped.own) {
        --scopes_[dropped.scope].borrows;
        return true;
      }
      uint32_t dtor = program_.resources[trampoline.resource].dtor;
      log.push_back("drop " + std::to_string(dropped.rep));
      if (dtor == NONE) return true;
      Outcome outcome = callItem(program_.functions[dtor], {rawI32(dropped.rep)}, 0);
      return !outcome.trapped || fail(outcome.message);
    }
    case Kind::TRANSFER_OWN: {
      Handle* handle = find(trampoline.instance, trampoline.resource, values[0].i32);
      if (!handle) return false;
      if (!handle->own || handle->lends) return fail("cannot move a borrowed or lent handle");
      uint32_t rep = handle->rep;
      tables[trampoline.instance][values[0].i32].reset();
      values[0].i32 = add(trampoline.target, {trampoline.resource, rep});
      return true;
    }
    case Kind::LEND:
    case Kind::TRANSFER_BORROW: {
      Handle* handle = find(trampoline.instance, trampoline.resource, values[0].i32);
      if (!handle) return false;
      ++handle->lends;
      uint32_t rep = handle->rep;
      log.push_back(trampoline.kind == Kind::LEND ? "lend" : "borrow");
      if (trampoline.kind == Kind::TRANSFER_BORROW) {
        scopes_.back().lenders.emplace_back(trampoline.instance, values[0].i32);
        if (!isDefinedBy(trampoline.resource, trampoline.target)) {
          ++scopes_.back().borrows;
          Handle borrow{trampoline.resource, rep, 0, false};
          borrow.scope = static_cast<uint32_t>(scopes_.size() - 1);
          values[0].i32 = add(trampoline.target, borrow);
          return true;
        }
      }
      values[0].i32 = rep;
      return true;
    }
    case Kind::UNLEND:
      --tables[trampoline.instance][values[0].i32]->lends;
      return true;
    case Kind::ENTER_CALL:
      scopes_.emplace_back();
      return true;
    case Kind::EXIT_CALL:
      if (scopes_.back().borrows) return fail("borrow handles still remain at the end of the call");
      for (auto [instance, index] : scopes_.back().lenders) --tables[instance][index]->lends;
      scopes_.pop_back();
      return true;
    case Kind::BUILTIN:
      if (trampoline.canon == CanonKind::CONTEXT_GET ||
          trampoline.canon == CanonKind::CONTEXT_SET) {
        uint32_t at = control::contextOffset(trampoline.instance, trampoline.contextSlot);
        GuestMemory control = memory(*program_.control);
        if (trampoline.canon == CanonKind::CONTEXT_GET) return control.load(at, values[0].i32);
        return control.store(at, values[0].i32);
      }
      return fail(std::string("called ") + toString(trampoline.canon));
    default:
      return fail("a trampoline that tests do not have");
  }
}

// -- Bytes ----------------------------------------------------------------------------------------

std::vector<std::byte> assemble(const std::string& text) {
  wasm_byte_vec_t bytes;
  wasmtime_error_t* error = wasmtime_wat2wasm(text.data(), text.size(), &bytes);
  if (error) {
    std::fprintf(stderr, "%s\n%s\n", takeMessage(error, nullptr).c_str(), text.c_str());
    std::abort();
  }
  auto* data = reinterpret_cast<const std::byte*>(bytes.data);
  std::vector<std::byte> made(data, data + bytes.size);
  wasm_byte_vec_delete(&bytes);
  return made;
}

std::string validateBytes(std::span<const std::byte> bytes) {
  uint64_t offset = 0;
  char message[512];
  if (tenon_oracle_validate(bytes.data(), bytes.size(), 0, &offset, message, sizeof(message)) ==
      0) {
    return {};
  }
  return std::string(message) + " at byte " + std::to_string(offset);
}

}  // namespace tenon::component::testing
