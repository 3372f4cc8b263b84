#include "host/instance.h"

#include "component/abi/dynamic.h"
#include "component/wit/wave.h"
#include "host/component.h"
#include "host/exported.h"
#include "host/prepared.h"
#include "host/running_call.h"
#include "run/dynamic_call.h"

#include <tenon/instance.h>

#include <algorithm>
#include <utility>

namespace tenon {
namespace {

using component::LiftedFunction;

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

Result<std::shared_ptr<FunctionState>> findByPath(InstanceState& instance,
                                                  const PreparedState::Exporter& exporter,
                                                  const std::string& path) {
  TENON_TRY(FunctionInfo info, findFunction(functionsOf(*exporter.exports), path));
  info.component = exporter.name;
  const LiftedFunction* lifted = findLifted(*exporter.exports, info.interface, info.name);
  if (!lifted) return Error(ErrorCode::INTERNAL, "export '" + path + "' is not a function");
  return resolve(instance, *lifted, std::move(info));
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

// `component` empty: the only program.
Result<PendingCall> startRun(InstanceState& instance, std::string_view component, Turns turns,
                             const CallOptions& options) {
  std::string name(component);
  if (name.empty() && !instance.prepared->isAlone()) {
    TENON_TRY(const PlannedComponent* program, instance.prepared->plan->findProgram({}));
    name = program->name;
  }
  TENON_TRY(auto exporter, instance.prepared->findExporter(name));
  const LiftedFunction* lifted = findLifted(*exporter.exports, RUN, "run");
  if (!lifted) {
    Error error(ErrorCode::MISSING_EXPORT,
                "the component does not export wasi:cli/run: it is no program");
    auto listed = findFunction(functionsOf(*exporter.exports), "wasi:cli/run.run");
    if (!listed) error.details = listed.error().details;
    return error;
  }
  TENON_TRY(auto function,
            resolve(instance, *lifted, {"wasi:cli/run", "run", lifted->type, std::move(name)}));
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

}  // namespace host

namespace detail {

Result<void> call(host::FunctionState& function, const abi::CallCodec& codec,
                  const CallOptions& options) {
  if (function.exported.runsNow()) return function.exported.runNow(codec, options);
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

Result<std::shared_ptr<host::FunctionState>> Instance::find(std::string_view component,
                                                            std::string_view interface,
                                                            std::string_view name) {
  TENON_TRY(auto exporter, state_->prepared->findExporter(component));
  if (const LiftedFunction* lifted = host::findLifted(*exporter.exports, interface, name)) {
    return host::resolve(
        *state_, *lifted,
        {std::string(interface), std::string(name), lifted->type, std::string(exporter.name)});
  }
  std::string path =
      interface.empty() ? std::string(name) : std::string(interface) + "." + std::string(name);
  return host::findByPath(*state_, exporter, path);
}

Result<DynamicFunction> Instance::function(const std::string& path) { return function({}, path); }

Result<DynamicFunction> Instance::function(std::string_view component, const std::string& path) {
  TENON_TRY(auto exporter, state_->prepared->findExporter(component));
  TENON_TRY(auto function, host::findByPath(*state_, exporter, path));
  return DynamicFunction(std::move(function));
}

Result<PendingCall> Instance::startRun(std::string_view component, const CallOptions& options) {
  return host::startRun(*state_, component, host::Turns::ALWAYS, options);
}

Result<int> Instance::run(std::string_view component, const CallOptions& options) {
  TENON_TRY(PendingCall pending, host::startRun(*state_, component, host::Turns::SHARED, options));
  auto code = pending.wait();
  host::drain(*state_, options);
  if (!code) return std::move(code).error();
  int exit = *(*code)[0].find<int32_t>();
  if (exit != 0) {
    for (const auto& context : state_->contexts) context->failed();
  }
  return exit;
}

uint64_t Instance::memorySize() const { return state_->instance->memorySize(); }

const WorkloadPlan& Instance::plan() const { return *state_->prepared->plan; }

}  // namespace tenon
