#pragma once

// What the tests of this part share: one engine per kind of allocation, modules from text, and a
// store with host functions. For tests only.

#include "engine/engine.h"
#include "engine/fiber.h"
#include "engine/linker.h"
#include "engine/module.h"
#include "engine/store.h"

#include <tenon/abi/context.h>
#include <tenon/result.h>

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// In the variant of Wasmtime that tests link.
extern "C" wasmtime_error_t* wasmtime_wat2wasm(const char* wat, size_t size, wasm_byte_vec_t* out);

// ThreadSanitizer takes most of the address space: there is room for one pool of the usual size.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SKIP_UNDER_TSAN() GTEST_SKIP() << "ThreadSanitizer needs the address space itself"
#endif
#endif
#if !defined(SKIP_UNDER_TSAN)
#define SKIP_UNDER_TSAN() static_cast<void>(0)
#endif

namespace tenon::engine::testing {

inline const std::shared_ptr<Engine>& engineFor(Allocation allocation) {
  static const auto make = [](Allocation kind) {
    EngineOptions options;
    options.allocation = kind;
    return Engine::create(options).value();
  };
  static const std::shared_ptr<Engine> onDemand = make(Allocation::ON_DEMAND);
  if (allocation == Allocation::ON_DEMAND) return onDemand;
  static const std::shared_ptr<Engine> pooled = make(Allocation::POOLING);
  return pooled;
}

inline const std::shared_ptr<Engine>& testEngine() { return engineFor(Allocation::ON_DEMAND); }

inline std::vector<std::byte> wasm(std::string_view wat) {
  wasm_byte_vec_t bytes;
  if (auto* error = wasmtime_wat2wasm(wat.data(), wat.size(), &bytes)) {
    ADD_FAILURE() << takeMessage(error);
    return {};
  }
  const auto* begin = reinterpret_cast<const std::byte*>(bytes.data);
  std::vector<std::byte> result(begin, begin + bytes.size);
  wasm_byte_vec_delete(&bytes);
  return result;
}

inline Module compile(std::string_view wat, const std::shared_ptr<Engine>& engine = testEngine()) {
  return Module::compile(engine, wasm(wat)).value();
}

inline CoreSignature signature(size_t params, size_t results) {
  return {std::vector<CoreType>(params, CoreType::I32),
          std::vector<CoreType>(results, CoreType::I32)};
}

// A host function for this store only. `environment` must outlive the store.
inline wasmtime_func_t newHostFunction(Store& store, const FuncType& type, HostCallback callback,
                                       void* environment) {
  wasmtime_func_t function;
  wasmtime_func_new_unchecked(store.context(), type.raw(), callback, environment, nullptr,
                              &function);
  return function;
}

// An exported function. Errors: NOT_FOUND; TYPE_MISMATCH when it is no function, or not exactly of
// this type.
inline Result<wasmtime_func_t> exportedFunction(Store& store, const wasmtime_instance_t& instance,
                                                std::string_view name,
                                                const CoreSignature& signature) {
  auto item = findExport(store, instance, name);
  if (!item) {
    return Error(ErrorCode::NOT_FOUND, "there is no core export \"" + std::string(name) + "\"");
  }
  std::optional<CoreSignature> actual;
  if (item->kind == WASMTIME_EXTERN_FUNC) {
    wasm_functype_t* type = wasmtime_func_type(store.context(), &item->of.func);
    actual = signatureOf(type);
    wasm_functype_delete(type);
  }
  if (actual != signature) {
    return Error(ErrorCode::TYPE_MISMATCH, "the core export \"" + std::string(name) +
                                               "\" is no function of type " + toString(signature));
  }
  return item->of.func;
}

struct HostFunction {
  std::string_view name;
  CoreSignature type;
  HostCallback callback;
};

// A store with one instance of `module`, whose imports "host" "<name>" are `functions`; `context`
// is their environment and the store's owner.
struct Guest {
  Guest(const Module& module, std::initializer_list<HostFunction> functions = {},
        void* context = nullptr, const StoreLimits& limits = {})
      : linker(module.engine()), store(module.engine(), context, limits) {
    for (const HostFunction& function : functions) {
      linker.define("host", function.name, function.type, function.callback, context).value();
    }
    instance = linker.prepare(module).value().instantiate(store).value();
  }

  wasmtime_func_t function(std::string_view name) {
    auto item = findExport(store, instance, name);
    EXPECT_TRUE(item.has_value()) << name;
    return item->of.func;
  }

  // Calls `name` with at most one argument and gives its first result; an error is the Trap's.
  Result<uint32_t> call(std::string_view name, uint32_t argument = 0) {
    RawValue value{};
    value.i32 = argument;
    if (!callCore(store, function(name), {&value, 1})) return store.takeTrap().toError();
    return value.i32;
  }
  Trap trapOf(std::string_view name, uint32_t argument = 0) {
    RawValue value{};
    value.i32 = argument;
    EXPECT_FALSE(callCore(store, function(name), {&value, 1}));
    return store.takeTrap();
  }

  HostLinker linker;
  Store store;
  wasmtime_instance_t instance{};
};

}  // namespace tenon::engine::testing
