#pragma once

// Components, running: one store, one thread. And calls into them.

#include <tenon/call_options.h>
#include <tenon/component.h>
#include <tenon/engine.h>
#include <tenon/function.h>
#include <tenon/http.h>
#include <tenon/network.h>
#include <tenon/refusal.h>
#include <tenon/result.h>
#include <tenon/value.h>

#include <any>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon {

namespace host {
struct InstanceState;
struct PendingState;
}  // namespace host

struct WorkloadPlan;

// A directory that a component may use, with everything below it and nothing outside of it. Opened
// when the instance is made. Slashes at the end of `guest` do not matter: the guest sees none.
struct DirectoryGrant {
  std::string host;
  std::string guest;
  bool readOnly = false;
};

// Where a component's standard stream goes.
struct OutputStream {
  enum class Kind : uint8_t { INHERIT, DISCARD, CAPTURE };
  Kind kind = Kind::DISCARD;
  // CAPTURE: called with what the guest wrote, on the instance's thread; must not call into the
  // instance.
  std::function<void(std::span<const std::byte>)> capture;
  // Put in front of each line. The lines then reach their end whole, and the guest sees no
  // terminal.
  std::string linePrefix = {};
};
struct InputStream {
  enum class Kind : uint8_t { INHERIT, EMPTY, BYTES };
  Kind kind = Kind::EMPTY;
  std::string bytes;  // BYTES: what the guest reads before end of stream
};

// What WASI gives one component: nothing, unless it is said here.
struct WasiOptions {
  std::vector<std::string> arguments;  // the program's name first
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::pair<std::string, std::string>> configuration;  // wasi:config/store
  std::vector<DirectoryGrant> directories;
  HttpOptions http;
  NetworkOptions network;
  InputStream input;
  OutputStream output;
  OutputStream error;
  // Called when the component asks for what it was not granted, on its thread, once for each thing
  // that an instance or the ones after it ask for; must not block. May be empty.
  std::function<void(const Refusal&)> onRefusal;
};

struct InstanceOptions {
  WasiOptions wasi;
  // Wall-clock time that one call into the instance may take, its waiting and its host functions
  // included. Absent: no limit. CallOptions may say otherwise.
  std::optional<std::chrono::nanoseconds> timeout;
  // Bytes that all linear memories and tables of the instance may have together. How many memories
  // there may be: 100; in a workload 10 for each component, when that is more.
  uint64_t maxMemory = uint64_t{4} << 30;
  // For host functions that ask who calls: see Caller.
  std::any userData;
};

// A call that was started and goes on while its thread's loop runs. A guest that computes lets
// whatever else is on the loop have its turn every 10 ms. Dropping it cancels the call, after which
// the instance is UNUSABLE; when its instance goes first, the call ends with CANCELLED. At most one
// call per instance at a time. Bound to the loop's thread, which it must not outlive.
class PendingCall {
 public:
  PendingCall(PendingCall&&) noexcept;
  PendingCall& operator=(PendingCall&&) noexcept;
  ~PendingCall();

  bool done() const;
  // Runs the loop until this call is done. Its results, none or one; to be taken once. Errors: as
  // DynamicFunction::call; UNSUPPORTED inside a host function if the call is not done, which then
  // ends it.
  Result<std::vector<Value>> wait();

 private:
  friend struct host::PendingState;
  friend class DynamicFunction;
  explicit PendingCall(std::unique_ptr<host::PendingState> state);
  std::unique_ptr<host::PendingState> state_;
};

// An export called with values whose types are known at run time only. Lifetime and thread as
// Function.
class DynamicFunction {
 public:
  const FunctionInfo& info() const;

  // Calls and waits. None or one result. Errors: INVALID_ARGUMENT (number or type of `arguments`,
  // or options that the engine cannot keep to; nothing has run), TRAPPED (details: the guest's
  // backtrace), DEADLINE, CANCELLED, EXITED (exitCode), LIMIT_EXCEEDED, UNUSABLE (an earlier call
  // of this instance did not return).
  Result<std::vector<Value>> call(std::vector<Value> arguments,
                                  const CallOptions& options = {}) const;

  // Starts the call and returns at its first wait, when it is done, or when its turn is over.
  // Errors: INVALID_ARGUMENT, CANCELLED, UNUSABLE.
  Result<PendingCall> start(std::vector<Value> arguments, const CallOptions& options = {}) const;

  // WAVE text to arguments, one text per parameter. Handles print as `#counter-1`; `findHandle`
  // finds them again by that text, or gives null. Errors: INVALID_ARGUMENT with the parameter, what
  // was expected and what was found.
  using FindHandle = std::function<std::shared_ptr<ResourceHandle>(std::string_view text)>;
  Result<std::vector<Value>> parseArguments(std::span<const std::string> texts,
                                            const FindHandle& findHandle = {}) const;

 private:
  friend class Instance;
  friend struct host::FunctionState;
  explicit DynamicFunction(std::shared_ptr<host::FunctionState> state) : state_(std::move(state)) {}
  std::shared_ptr<host::FunctionState> state_;
};

// The same for a function of a component that need not run yet.
Result<std::vector<Value>> parseArguments(const FunctionInfo& function,
                                          std::span<const std::string> texts,
                                          const DynamicFunction::FindHandle& findHandle = {});
// One of them: of parameter `index`.
Result<Value> parseArgument(const FunctionInfo& function, size_t index, const std::string& text,
                            const DynamicFunction::FindHandle& findHandle = {});

// A value as WAVE text.
std::string toWave(const Value& value);

// A component, or all components of a workload, running. Without `component` a function is about
// the only one there is; in a workload of several, `component` names one of
// WorkloadPlan::components. What traps or exits in one of them ends them all.
class Instance {
 public:
  Instance(Instance&&) noexcept;
  Instance& operator=(Instance&&) noexcept;
  ~Instance();

  // Looks an export up by interface ("" at the root; the version may be left out) and name, and
  // checks its type. Errors: MISSING_EXPORT (details: what there is), TYPE_MISMATCH (what the
  // component says, what was asked); NOT_FOUND for a component that is not there, AMBIGUOUS when
  // there are several and none is named.
  template <typename Signature>
  Result<Function<Signature>> function(std::string_view interface, std::string_view name);
  template <typename Signature>
  Result<Function<Signature>> function(std::string_view component, std::string_view interface,
                                       std::string_view name);

  // By path, as Component::findExport. Errors: also NOT_FOUND and AMBIGUOUS as above.
  Result<DynamicFunction> function(const std::string& path);
  Result<DynamicFunction> function(std::string_view component, const std::string& path);

  // Runs `wasi:cli/run`; in a workload of several without `component`, of the only one that is a
  // program. The program's exit code: 0, 1 for `err`, or what it gave to `exit`. Errors:
  // MISSING_EXPORT if the component does not export it; NOT_FOUND and AMBIGUOUS (details: which are
  // programs); else as DynamicFunction::call, without EXITED.
  Result<int> run(const CallOptions& options = {}) { return run({}, options); }
  Result<int> run(std::string_view component, const CallOptions& options = {});
  // The same, started: the value it gives is an `int32_t` exit code.
  Result<PendingCall> startRun(const CallOptions& options = {}) { return startRun({}, options); }
  Result<PendingCall> startRun(std::string_view component, const CallOptions& options = {});

  // Bytes of all linear memories, of all components.
  uint64_t memorySize() const;
  // As Prepared::plan, of what it was made from.
  const WorkloadPlan& plan() const;

 private:
  friend struct host::InstanceState;
  explicit Instance(std::unique_ptr<host::InstanceState> state);
  Result<std::shared_ptr<host::FunctionState>> find(std::string_view component,
                                                    std::string_view interface,
                                                    std::string_view name);
  std::unique_ptr<host::InstanceState> state_;
};

template <typename Signature>
Result<Function<Signature>> Instance::function(std::string_view interface, std::string_view name) {
  return function<Signature>({}, interface, name);
}

template <typename Signature>
Result<Function<Signature>> Instance::function(std::string_view component,
                                               std::string_view interface, std::string_view name) {
  TENON_TRY(auto found, find(component, interface, name));
  TypeMatch match;
  if (!TypedCall<Signature>::matches(detail::typeOf(*found), match)) {
    std::string who = component.empty() ? std::string() : std::string(component) + ": ";
    return Error(ErrorCode::TYPE_MISMATCH, who + std::string(name) + ": " + match.difference);
  }
  return Function<Signature>(std::move(found));
}

}  // namespace tenon
