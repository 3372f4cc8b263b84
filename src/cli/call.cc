#include "cli/commands.h"
#include "cli/guest.h"
#include "cli/options.h"
#include "cli/parse.h"
#include "cli/report.h"

#include <tenon/component.h>
#include <tenon/instance.h>
#include <tenon/linker.h>
#include <tenon/value.h>
#include <tenon/workload.h>

#include <memory>
#include <utility>

namespace tenon::cli {
namespace {

struct Request {
  std::string component;  // of a workload
  std::string function;
  Words arguments;
};

enum class Target : uint8_t { FILE, WORKLOAD };

// `FUNC VALUE... -- FUNC VALUE...` as requests; of a workload, `COMPONENT FUNC VALUE... -- ...`.
std::vector<Request> splitRequests(const Words& words, Target target) {
  std::vector<Request> requests;
  size_t position = 0;  // in one request
  for (const std::string& word : words) {
    if (word == "--") {
      position = 0;
      continue;
    }
    if (position == 0) requests.emplace_back();
    size_t role = position++ + (target == Target::FILE ? 1 : 0);
    if (role == 0) {
      requests.back().component = word;
    } else if (role == 1) {
      requests.back().function = word;
    } else {
      requests.back().arguments.push_back(word);
    }
  }
  return requests;
}

// Finds the handles in a value, so that later calls can name them.
void collectHandles(const Value& value, std::vector<std::shared_ptr<ResourceHandle>>& handles) {
  auto all = [&](const auto& items) {
    for (const Value& item : items) collectHandles(item, handles);
  };
  auto box = [&](const Box& payload) {
    if (payload) collectHandles(*payload, handles);
  };
  if (auto* resource = value.find<Resource>()) handles.push_back(resource->handle);
  if (auto* list = value.find<List>()) all(list->items);
  if (auto* tuple = value.find<Tuple>()) all(tuple->items);
  if (auto* record = value.find<Record>()) {
    for (const Field& field : record->fields) collectHandles(field.value, handles);
  }
  if (auto* variant = value.find<Variant>()) box(variant->payload);
  if (auto* option = value.find<Option>()) box(option->value);
  if (auto* result = value.find<ResultValue>()) box(result->payload);
}

std::string handleText(const ResourceHandle& handle) {
  return "#" + std::string(handle.typeName()) + "-" + std::to_string(handle.id());
}

// Stands for a handle that an earlier call will have returned once that has run.
class FutureHandle final : public ResourceHandle {
 public:
  std::string_view typeName() const override { return "handle"; }
  uint64_t id() const override { return 0; }
  bool moved() const override { return false; }
};

// What a shell took away, or nobody wrote: `message` is about an argument without quotes. Empty
// when it is about something else.
std::string quotesHint(const std::string& message, const FunctionInfo& function,
                       const Words& arguments) {
  constexpr size_t MOST_SHOWN = 40;
  const std::vector<Parameter>& params = function.type.params;
  for (size_t i = 0; i < params.size() && i < arguments.size(); ++i) {
    const std::string& text = arguments[i];
    if (message.find("' does not fit argument '" + params[i].name + ": ") == std::string::npos) {
      continue;
    }
    TypeKind kind = params[i].type->kind;
    if (kind == TypeKind::CHAR && !text.starts_with('\'')) return "; chars are in quotes: \"'x'\"";
    if (kind != TypeKind::STRING || text.starts_with('"')) return "";
    bool plain = text.size() <= MOST_SHOWN && text.find_first_of("\"'\\\n") == std::string::npos;
    return "; strings are in quotes: '\"" + (plain ? text : "...") + "\"'";
  }
  return "";
}

// Everything about the requests that can be known before anything runs. `find` gives a request's
// function.
template <typename Find>
Result<void> check(const std::vector<Request>& requests, const Find& find) {
  bool first = true;
  for (const Request& request : requests) {
    TENON_TRY(FunctionInfo function, find(request));
    DynamicFunction::FindHandle findHandle;
    if (!std::exchange(first, false)) {
      findHandle = [](std::string_view) { return std::make_shared<FutureHandle>(); };
    }
    auto parsed = parseArguments(function, request.arguments, findHandle);
    if (!parsed) {
      Error error = std::move(parsed).error();
      error.message += quotesHint(error.message, function, request.arguments);
      return error;
    }
  }
  return {};
}

// `find` gives a request's function.
template <typename Find>
Result<void> perform(const std::vector<Request>& requests, const Find& find) {
  std::vector<std::shared_ptr<ResourceHandle>> handles;
  auto findHandle = [&](std::string_view text) -> std::shared_ptr<ResourceHandle> {
    for (const auto& handle : handles) {
      if (handleText(*handle) == text) return handle;
    }
    return nullptr;
  };
  for (const Request& request : requests) {
    TENON_TRY(DynamicFunction function, find(request));
    TENON_TRY(std::vector<Value> arguments, function.parseArguments(request.arguments, findHandle));
    TENON_TRY(std::vector<Value> results, function.call(std::move(arguments)));
    for (const Value& result : results) {
      collectHandles(result, handles);
      TENON_CHECK(print(toWave(result) + "\n"));
    }
  }
  return {};
}

Result<void> callFile(const std::string& file, const std::vector<Request>& requests,
                      const GuestOptions& guest) {
  TENON_TRY(InstanceOptions options, guest.instanceOptions({file}));
  TENON_TRY(Component component, load(file, guest));
  auto fine = check(requests,
                    [&](const Request& request) { return component.findExport(request.function); });
  if (!fine) return explain(std::move(fine).error(), file, guest, nullptr);
  Loop loop;
  auto instance = instantiate(component, loop, options);
  if (!instance) return explain(std::move(instance).error(), file, guest, nullptr);
  auto done = perform(requests,
                      [&](const Request& request) { return instance->function(request.function); });
  if (!done) return explain(std::move(done).error(), file, guest, &*instance);
  return {};
}

Result<void> callWorkload(const std::string& path, const std::vector<Request>& requests,
                          GuestOptions guest) {
  TENON_TRY(Workload workload, loadWorkload(path, guest));
  guest.fillFrom(workload.settings());
  Linker linker;
  linker.wasi();
  WorkloadPlan plan = workload.plan(linker);
  if (!plan.ok()) return explainWorkload(plan.error(), path, guest, nullptr);
  Words chosen;
  auto fine = check(requests, [&](const Request& request) -> Result<FunctionInfo> {
    TENON_TRY(const PlannedComponent* component, findComponent(plan, request.component));
    chosen.push_back(component->name);
    if (request.function.empty()) {
      return Error(ErrorCode::INVALID_ARGUMENT, "which function of component '" + component->name +
                                                    "'? tenon call DIR COMPONENT FUNC [VALUE...]");
    }
    auto function = componentOf(workload, *component).findExport(request.function);
    if (!function) function.error().message = component->name + ": " + function.error().message;
    return function;
  });
  if (!fine) return explainWorkload(std::move(fine).error(), path, guest, nullptr);
  Loop loop;
  auto instance = instantiate(workload, linker, loop, guest, chosen, {});
  if (!instance) return explainWorkload(std::move(instance).error(), path, guest, nullptr);
  auto done = perform(requests, [&](const Request& request) {
    return instance->function(request.component, request.function);
  });
  if (!done) return explainWorkload(std::move(done).error(), path, guest, &*instance);
  return {};
}

}  // namespace

int callCommand(const Words& words) {
  CLI::App command("Calls exports of a component or a workload, on one instance.", "tenon call");
  std::string file;
  GuestOptions guest;
  command.add_option("FILE", file, "The component, a workload's folder or its tenon.toml")
      ->required();
  guest.addTo(command);
  command.footer(
      "Behind FILE: FUNC VALUE... [-- FUNC VALUE...]; of a workload, COMPONENT FUNC VALUE... [-- "
      "...].\nValues are WAVE text, one word each; results "
      "are\nprinted as WAVE, a line each. FUNC is ns:pkg/interface@1.0.0.func, or shorter where "
      "that is unique:\ninterface.func, func, resource.method. Handles print as #name-1 and can be "
      "passed to later calls.\n"
      "Example: tenon call shop.wasm price '{name: \"tea\", count: 2}'");
  SplitWords split = splitBehindFile(words, guestOptionsWithValue());
  if (!split.rest.empty() && (split.rest[0] == "--help" || split.rest[0] == "-h")) {
    split.own = {"--help"};
  }
  if (auto exit = parse(command, split.own, "FUNC [VALUE...]")) return *exit;
  if (!split.rest.empty() && split.rest[0] == "--") split.rest.erase(split.rest.begin());
  bool workload = Workload::isManifest(file);
  std::vector<Request> requests =
      splitRequests(split.rest, workload ? Target::WORKLOAD : Target::FILE);
  if (requests.empty() && workload) {
    return report(Error(ErrorCode::INVALID_ARGUMENT,
                        "which function of which component? tenon call DIR COMPONENT FUNC "
                        "[VALUE...]; 'tenon inspect " +
                            file + "' shows what there is"));
  }
  if (requests.empty()) {
    return report(Error(ErrorCode::INVALID_ARGUMENT,
                        "which function? tenon call FILE FUNC [VALUE...]; 'tenon inspect " + file +
                            "' shows what there is"));
  }
  if (split.rest[0].starts_with('-')) {
    return report(Error(ErrorCode::INVALID_ARGUMENT, "options go before the file: tenon call " +
                                                         split.rest[0] + " ... " + file));
  }
  auto outcome = workload ? callWorkload(file, requests, guest) : callFile(file, requests, guest);
  if (outcome) return 0;
  const Error& error = outcome.error();
  if (error.code == ErrorCode::EXITED) return error.exitCode.value_or(0);
  int exit = report(error);
  return workload ? exitCodeOfWorkload(error) : exit;
}

}  // namespace tenon::cli
