#include "host/instance.h"

#include "component/abi/dynamic.h"
#include "component/wit/wave.h"
#include "host/component.h"
#include "host/exported.h"
#include "host/running_call.h"
#include "run/dynamic_call.h"

#include <tenon/instance.h>

#include <algorithm>
#include <utility>

namespace tenon {
namespace {

using component::LiftedFunction;
using component::ProgramExport;

// Finds a lifted function; `interface` may lack its version.
const LiftedFunction* findLifted(const std::vector<ProgramExport>& exports,
                                 std::string_view interface, std::string_view name) {
  for (const ProgramExport& item : exports) {
    if (interface.empty()) {
      auto* lifted = std::get_if<LiftedFunction>(&item.item);
      if (lifted && item.name == name) return lifted;
      continue;
    }
    auto* instance = std::get_if<component::ExportedInstance>(&item.item);
    if (!instance) continue;
    bool sameTrack = call::canonicalInterface(item.name) == call::canonicalInterface(interface);
    bool unversioned = std::string_view(item.name).substr(0, item.name.find('@')) == interface;
    if (!sameTrack && !unversioned) continue;
    if (auto* lifted = findLifted(instance->exports, "", name)) return lifted;
  }
  return nullptr;
}

// Bytes of a value or a type in a message.
constexpr size_t MAX_SHOWN = 120;

// At most `size` bytes of text on one line, and whole characters.
std::string shorten(std::string text, size_t size) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  if (text.size() <= size) return text;
  size -= 3;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  text.resize(size);
  return text + "...";
}

}  // namespace

namespace host {
namespace {

Result<std::shared_ptr<FunctionState>> resolve(InstanceState& instance,
                                               const LiftedFunction& lifted, FunctionInfo info) {
  TENON_TRY(auto function, instance.instance->resolve(lifted));
  return std::make_shared<FunctionState>(ExportedFunction(instance, function), std::move(info));
}

}  // namespace

struct PendingState {
  static PendingCall wrap(std::unique_ptr<PendingState> state) {
    return PendingCall(std::move(state));
  }

  std::shared_ptr<FunctionState> function;
  std::vector<Value> arguments;
  run::DynamicCall dynamic;
  RunningCall call;
  bool isRun = false;  // `wasi:cli/run`: the result becomes an exit code
  bool taken = false;

  PendingState(std::shared_ptr<FunctionState> state, std::vector<Value> values)
      : function(std::move(state)),
        arguments(std::move(values)),
        dynamic{.type = function->info.type, .arguments = arguments, .results = {}},
        call(function->exported, dynamic.codec()) {}
};

Result<std::shared_ptr<FunctionState>> findExported(InstanceState& instance,
                                                    const std::vector<ProgramExport>& exports,
                                                    std::string_view component,
                                                    std::string_view interface,
                                                    std::string_view name) {
  if (const LiftedFunction* lifted = findLifted(exports, interface, name)) {
    return resolve(
        instance, *lifted,
        {std::string(interface), std::string(name), lifted->type, std::string(component)});
  }
  std::string path =
      interface.empty() ? std::string(name) : std::string(interface) + "." + std::string(name);
  return findByPath(instance, exports, component, path);
}

Result<std::shared_ptr<FunctionState>> findByPath(InstanceState& instance,
                                                  const std::vector<ProgramExport>& exports,
                                                  std::string_view component,
                                                  const std::string& path) {
  TENON_TRY(FunctionInfo info, findFunction(functionsOf(exports), path));
  info.component = component;
  const LiftedFunction* lifted = findLifted(exports, info.interface, info.name);
  if (!lifted) return Error(ErrorCode::INTERNAL, "export '" + path + "' is not a function");
  return resolve(instance, *lifted, std::move(info));
}

Result<PendingCall> startRun(InstanceState& instance, const std::vector<ProgramExport>& exports,
                             std::string_view component, Turns turns, const CallOptions& options) {
  const LiftedFunction* lifted = findLifted(exports, "wasi:cli/run@0.2.0", "run");
  if (!lifted) {
    Error error(ErrorCode::MISSING_EXPORT,
                "the component does not export wasi:cli/run: it is no program");
    auto listed = findFunction(functionsOf(exports), "wasi:cli/run.run");
    if (!listed) error.details = listed.error().details;
    return error;
  }
  TENON_TRY(auto function, resolve(instance, *lifted,
                                   {"wasi:cli/run", "run", lifted->type, std::string(component)}));
  auto pending = std::make_unique<PendingState>(std::move(function), std::vector<Value>{});
  pending->isRun = true;
  TENON_CHECK(pending->call.start(turns, options));
  return PendingState::wrap(std::move(pending));
}

Result<PendingCall> start(const std::shared_ptr<FunctionState>& function,
                          std::vector<Value> arguments, Turns turns, const CallOptions& options) {
  run::Instance& instance = *function->exported.instance.instance;
  TENON_CHECK(abi::checkArguments(function->info.type, arguments, &instance.handles()));
  auto pending = std::make_unique<PendingState>(function, std::move(arguments));
  TENON_CHECK(pending->call.start(turns, options));
  return PendingState::wrap(std::move(pending));
}

Result<int> finishRun(InstanceState& instance, PendingCall pending, const CallOptions& options) {
  auto code = pending.wait();
  drain(instance, options);
  if (!code) return std::move(code).error();
  int exit = *(*code)[0].find<int32_t>();
  if (exit != 0) {
    for (const auto& context : instance.contexts) context->failed();
  }
  return exit;
}

}  // namespace host

namespace detail {

Result<void> call(host::FunctionState& function, const abi::CallCodec& codec,
                  const CallOptions& options) {
  if (auto outcome = function.exported.callNow(codec, options)) return *std::move(outcome);
  host::RunningCall call(function.exported, codec);
  TENON_CHECK(call.start(host::Turns::SHARED, options));
  call.wait();
  return call.takeOutcome();
}

const FuncType& typeOf(const host::FunctionState& function) { return function.info.type; }

}  // namespace detail

// -- PendingCall ----------------------------------------------------------------------------------

PendingCall::PendingCall(std::unique_ptr<host::PendingState> state) : state_(std::move(state)) {}
PendingCall::PendingCall(PendingCall&&) noexcept = default;
PendingCall& PendingCall::operator=(PendingCall&&) noexcept = default;
PendingCall::~PendingCall() = default;

bool PendingCall::done() const { return state_->call.done(); }

Result<std::vector<Value>> PendingCall::wait() {
  if (state_->taken) {
    return Error(ErrorCode::INVALID_ARGUMENT, "the results of this call were taken already");
  }
  state_->taken = true;
  state_->call.wait();
  auto outcome = state_->call.takeOutcome();
  if (!state_->isRun) {
    if (!outcome) return std::move(outcome).error();
    return std::move(state_->dynamic.results);
  }
  if (outcome) {
    bool failed = false;
    if (!state_->dynamic.results.empty()) {
      auto* result = state_->dynamic.results[0].find<ResultValue>();
      failed = result && result->isError;
    }
    return std::vector<Value>{Value(int32_t{failed ? 1 : 0})};
  }
  if (outcome.error().code != ErrorCode::EXITED) return std::move(outcome).error();
  return std::vector<Value>{Value(int32_t{outcome.error().exitCode.value_or(0)})};
}

// -- DynamicFunction ------------------------------------------------------------------------------

const FunctionInfo& DynamicFunction::info() const { return state_->info; }

Result<PendingCall> DynamicFunction::start(std::vector<Value> arguments,
                                           const CallOptions& options) const {
  return host::start(state_, std::move(arguments), host::Turns::ALWAYS, options);
}

Result<std::vector<Value>> DynamicFunction::call(std::vector<Value> arguments,
                                                 const CallOptions& options) const {
  TENON_TRY(PendingCall pending,
            host::start(state_, std::move(arguments), host::Turns::SHARED, options));
  auto results = pending.wait();
  host::InstanceState& instance = state_->exported.instance;
  if (instance.instance->mayBlock()) host::drain(instance, options);
  return results;
}

Result<std::vector<Value>> DynamicFunction::parseArguments(std::span<const std::string> texts,
                                                           const FindHandle& findHandle) const {
  return tenon::parseArguments(state_->info, texts, findHandle);
}

Result<std::vector<Value>> parseArguments(const FunctionInfo& function,
                                          std::span<const std::string> texts,
                                          const DynamicFunction::FindHandle& findHandle) {
  const std::vector<Parameter>& params = function.type.params;
  if (texts.size() != params.size()) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 function.path() + " takes " + std::to_string(params.size()) +
                     (params.size() == 1 ? " value" : " values") + ", not " +
                     std::to_string(texts.size()) + ": " + toString(function.type));
  }
  std::vector<Value> values;
  for (size_t i = 0; i < texts.size(); ++i) {
    TENON_TRY(Value value, parseArgument(function, i, texts[i], findHandle));
    values.push_back(std::move(value));
  }
  return values;
}

Result<Value> parseArgument(const FunctionInfo& function, size_t index, const std::string& text,
                            const DynamicFunction::FindHandle& findHandle) {
  const Parameter& parameter = function.type.params.at(index);
  auto value = component::parseWave(text, *parameter.type, findHandle);
  if (value) return value;
  return Error(ErrorCode::INVALID_ARGUMENT,
               "'" + shorten(text, MAX_SHOWN) + "' does not fit argument '" + parameter.name +
                   ": " + shorten(toString(*parameter.type), MAX_SHOWN) + "' of " +
                   function.path() + ": " + value.error().text());
}

std::string toWave(const Value& value) { return component::printWave(value); }

// -- Instance -------------------------------------------------------------------------------------

Instance::Instance(std::unique_ptr<host::InstanceState> state) : state_(std::move(state)) {}
Instance::Instance(Instance&&) noexcept = default;
Instance& Instance::operator=(Instance&&) noexcept = default;
Instance::~Instance() = default;

Result<std::shared_ptr<host::FunctionState>> Instance::find(std::string_view interface,
                                                            std::string_view name) {
  return host::findExported(*state_, state_->exports(), "", interface, name);
}

Result<DynamicFunction> Instance::function(const std::string& path) {
  TENON_TRY(auto function, host::findByPath(*state_, state_->exports(), "", path));
  return DynamicFunction(std::move(function));
}

Result<PendingCall> Instance::startRun(const CallOptions& options) {
  return host::startRun(*state_, state_->exports(), "", host::Turns::ALWAYS, options);
}

Result<int> Instance::run(const CallOptions& options) {
  TENON_TRY(PendingCall pending,
            host::startRun(*state_, state_->exports(), "", host::Turns::SHARED, options));
  return host::finishRun(*state_, std::move(pending), options);
}

uint64_t Instance::memorySize() const { return state_->instance->memorySize(); }

}  // namespace tenon
