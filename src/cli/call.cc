#include "cli/commands.h"
#include "cli/guest.h"
#include "cli/options.h"
#include "cli/parse.h"
#include "cli/report.h"

#include <tenon/component.h>
#include <tenon/instance.h>
#include <tenon/value.h>

#include <memory>
#include <utility>

namespace tenon::cli {
namespace {

struct Request {
  std::string function;
  Words arguments;
};

// `FUNC VALUE... -- FUNC VALUE...` as requests.
std::vector<Request> splitRequests(const Words& words) {
  std::vector<Request> requests;
  bool begin = true;
  for (const std::string& word : words) {
    if (word == "--") {
      begin = true;
    } else if (std::exchange(begin, false)) {
      requests.push_back({word, {}});
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

// Everything about the requests that can be known before anything runs.
Result<void> check(const Component& component, const std::vector<Request>& requests) {
  bool first = true;
  for (const Request& request : requests) {
    TENON_TRY(FunctionInfo function, component.findExport(request.function));
    DynamicFunction::FindHandle findHandle;
    if (!std::exchange(first, false)) {
      findHandle = [](std::string_view) { return std::make_shared<FutureHandle>(); };
    }
    TENON_CHECK(parseArguments(function, request.arguments, findHandle));
  }
  return {};
}

Result<void> perform(Instance& instance, const std::vector<Request>& requests) {
  std::vector<std::shared_ptr<ResourceHandle>> handles;
  auto findHandle = [&](std::string_view text) -> std::shared_ptr<ResourceHandle> {
    for (const auto& handle : handles) {
      if (handleText(*handle) == text) return handle;
    }
    return nullptr;
  };
  for (const Request& request : requests) {
    TENON_TRY(DynamicFunction function, instance.function(request.function));
    TENON_TRY(std::vector<Value> arguments, function.parseArguments(request.arguments, findHandle));
    TENON_TRY(std::vector<Value> results, function.call(std::move(arguments)));
    for (const Value& result : results) {
      collectHandles(result, handles);
      TENON_CHECK(print(toWave(result) + "\n"));
    }
  }
  return {};
}

Result<void> call(const std::string& file, const std::vector<Request>& requests,
                  const GuestOptions& guest) {
  TENON_TRY(InstanceOptions options, guest.instanceOptions({file}));
  TENON_TRY(Component component, load(file, guest));
  if (auto fine = check(component, requests); !fine) {
    return explain(std::move(fine).error(), file, guest, nullptr);
  }
  Loop loop;
  auto instance = instantiate(component, loop, options);
  if (!instance) return explain(std::move(instance).error(), file, guest, nullptr);
  auto done = perform(*instance, requests);
  if (!done) return explain(std::move(done).error(), file, guest, &*instance);
  return {};
}

}  // namespace

int callCommand(const Words& words) {
  CLI::App command("Calls exports of a component, on one instance.", "tenon call");
  std::string file;
  GuestOptions guest;
  command.add_option("FILE", file, "The component")->required();
  guest.addTo(command);
  command.footer(
      "Behind FILE: FUNC VALUE... [-- FUNC VALUE...]. Values are WAVE text, one word each; results "
      "are\nprinted as WAVE, a line each. FUNC is ns:pkg/interface@1.0.0.func, or shorter where "
      "that is unique:\ninterface.func, func, resource.method. Handles print as #name-1 and can be "
      "passed to later calls.\n"
      "Example: tenon call shop.wasm price '{name: \"tea\", count: 2}'");
  SplitWords split = splitBehindFile(words, guestOptionsWithValue());
  if (!split.rest.empty() && (split.rest[0] == "--help" || split.rest[0] == "-h")) {
    split.own = {"--help"};
  }
  if (auto exit = parse(command, split.own)) return *exit;
  std::vector<Request> requests = splitRequests(split.rest);
  if (requests.empty()) {
    return report(Error(ErrorCode::INVALID_ARGUMENT,
                        "which function? tenon call FILE FUNC [VALUE...]; 'tenon inspect " + file +
                            "' shows what there is"));
  }
  if (requests[0].function.starts_with('-')) {
    return report(Error(ErrorCode::INVALID_ARGUMENT, "options go before the file: tenon call " +
                                                         requests[0].function + " ... " + file));
  }
  auto outcome = call(file, requests, guest);
  if (outcome) return 0;
  const Error& error = outcome.error();
  if (error.code == ErrorCode::EXITED) return error.exitCode.value_or(0);
  return report(error);
}

}  // namespace tenon::cli
