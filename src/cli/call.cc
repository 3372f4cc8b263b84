#include "cli/commands.h"
#include "cli/guest.h"
#include "cli/json_values.h"
#include "cli/options.h"
#include "cli/parse.h"
#include "cli/report.h"

#include <tenon/component.h>
#include <tenon/instance.h>
#include <tenon/value.h>
#include <tenon/workload.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
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

// What a shell took away, or nobody wrote: an argument without quotes. Empty when something else is
// wrong with it.
std::string quotesHint(const Type& type, const std::string& text) {
  constexpr size_t MOST_SHOWN = 40;
  if (type.kind == TypeKind::CHAR && !text.starts_with('\'')) {
    return "; chars are in quotes: \"'x'\"";
  }
  if (type.kind != TypeKind::STRING || text.starts_with('"')) return "";
  bool plain = text.size() <= MOST_SHOWN && text.find_first_of("\"'\\\n") == std::string::npos;
  return "; strings are in quotes: '\"" + (plain ? text : "...") + "\"'";
}

enum class Notation : uint8_t { WAVE, JSON };

Result<std::vector<Value>> readArguments(const FunctionInfo& function, const Words& texts,
                                         Notation notation,
                                         const DynamicFunction::FindHandle& findHandle) {
  if (notation == Notation::JSON) return parseJsonArguments(function, texts, findHandle);
  const std::vector<Parameter>& params = function.type.params;
  // Says what the number should be.
  if (texts.size() != params.size()) return parseArguments(function, texts, findHandle);
  std::vector<Value> values;
  for (size_t i = 0; i < texts.size(); ++i) {
    auto value = parseArgument(function, i, texts[i], findHandle);
    if (!value) {
      Error error = std::move(value).error();
      error.message += quotesHint(*params[i].type, texts[i]);
      return error;
    }
    values.push_back(*std::move(value));
  }
  return values;
}

// All exports that are not there, a line each. `where`: which file, for the last word of help.
Result<void> missing(std::vector<Error> misses, const std::string& where) {
  if (misses.empty()) return {};
  for (Error& miss : misses) {
    if (miss.message.find("did you mean") == std::string::npos) {
      miss.message += "; 'tenon inspect " + where + "' shows what there is";
    }
  }
  Error error(ErrorCode::MISSING_EXPORT, std::move(misses.front().message));
  for (size_t i = 1; i < misses.size(); ++i) error.details += "  " + misses[i].message + "\n";
  return error;
}

// Everything about the requests that can be known before anything runs. `find` gives a request's
// function.
template <typename Find>
Result<void> check(const std::vector<Request>& requests, Notation notation,
                   const std::string& where, const Find& find) {
  std::vector<FunctionInfo> functions;
  std::vector<Error> misses;
  for (const Request& request : requests) {
    auto function = find(request);
    if (function) {
      functions.push_back(*std::move(function));
    } else if (function.error().code == ErrorCode::MISSING_EXPORT) {
      misses.push_back(std::move(function).error());
    } else {
      return std::move(function).error();
    }
  }
  TENON_CHECK(missing(std::move(misses), where));
  for (size_t i = 0; i < requests.size(); ++i) {
    if (functions[i].type.async) {
      return Error(ErrorCode::UNSUPPORTED,
                   functions[i].path() +
                       " is an asynchronous function, as WASI 0.3 has them: Tenon does not run "
                       "those");
    }
    DynamicFunction::FindHandle findHandle;
    if (i > 0) findHandle = [](std::string_view) { return std::make_shared<FutureHandle>(); };
    auto values = readArguments(functions[i], requests[i].arguments, notation, findHandle);
    if (!values) return std::move(values).error();
  }
  return {};
}

// `find` gives a request's function.
template <typename Find>
Result<void> perform(const std::vector<Request>& requests, Notation notation, const Find& find) {
  std::vector<std::shared_ptr<ResourceHandle>> handles;
  auto findHandle = [&](std::string_view text) -> std::shared_ptr<ResourceHandle> {
    for (const auto& handle : handles) {
      if (handleText(*handle) == text) return handle;
    }
    return nullptr;
  };
  for (const Request& request : requests) {
    TENON_TRY(DynamicFunction function, find(request));
    TENON_TRY(std::vector<Value> arguments,
              readArguments(function.info(), request.arguments, notation, findHandle));
    TENON_TRY(std::vector<Value> results, function.call(std::move(arguments)));
    for (const Value& result : results) {
      collectHandles(result, handles);
      bool json = notation == Notation::JSON;
      std::string line = (json ? toJson(result) : toWave(result)) + "\n";
      TENON_CHECK(printForeign(line, json ? Foreign::JSON : Foreign::TEXT));
    }
  }
  return {};
}

// -- Values from elsewhere -----------------------------------------------------------------------

constexpr size_t MOST_READ = size_t{256} << 20;

// Reads `path` to its end; "-": standard input.
Result<std::string> readValue(const std::string& path) {
  auto failed = [&](const std::string& why) {
    return Error(
        ErrorCode::INVALID_ARGUMENT,
        (path == "-" ? "the value from standard input" : "the value @" + path) + ": " + why);
  };
  int fd = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed(std::strerror(errno));
  std::string text;
  ssize_t count = 0;
  do {
    size_t have = text.size();
    text.resize(have + 65536);
    do {
      count = ::read(fd, text.data() + have, text.size() - have);
    } while (count < 0 && errno == EINTR);
    text.resize(have + static_cast<size_t>(std::max<ssize_t>(count, 0)));
  } while (count > 0 && text.size() <= MOST_READ);
  int problem = errno;
  if (path != "-") ::close(fd);
  if (count < 0) return failed(std::strerror(problem));
  if (text.size() > MOST_READ) return failed("larger than 256 MiB");
  // The end of the last line is the editor's.
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

// Puts what `@FILE` and `-` stand for in their place. No value begins like that.
Result<void> readValues(std::vector<Request>& requests) {
  bool inputTaken = false;
  for (Request& request : requests) {
    for (std::string& argument : request.arguments) {
      bool isInput = argument == "-";
      if (!isInput && !argument.starts_with('@')) continue;
      if (isInput && std::exchange(inputTaken, true)) {
        return Error(ErrorCode::INVALID_ARGUMENT, "'-', standard input, can be one value only");
      }
      TENON_TRY(argument, readValue(isInput ? argument : argument.substr(1)));
    }
  }
  return {};
}

Result<void> call(const std::string& file, const std::vector<Request>& requests, Notation notation,
                  GuestOptions options) {
  TENON_TRY(Guest guest, Guest::load(file, std::move(options)));
  Words chosen;
  auto fine = check(requests, notation, file, [&](const Request& request) -> Result<FunctionInfo> {
    TENON_TRY(const PlannedComponent* component, guest.plan().find(request.component));
    chosen.push_back(component->name);
    if (request.function.empty()) {
      return Error(ErrorCode::INVALID_ARGUMENT, "which function of component '" + component->name +
                                                    "'? tenon call DIR COMPONENT FUNC [VALUE...]");
    }
    auto function = guest.codeOf(*component).findExport(request.function);
    if (!function && guest.isWorkload()) {
      function.error().message = component->name + ": " + function.error().message;
    }
    return function;
  });
  if (!fine) return guest.explain(std::move(fine).error());
  Loop loop;
  auto instance = guest.instantiate(loop, chosen, {});
  if (!instance) return guest.explain(std::move(instance).error());
  auto done = perform(requests, notation, [&](const Request& request) {
    return instance->function(request.component, request.function);
  });
  if (!done) return guest.explain(std::move(done).error(), &*instance);
  return {};
}

}  // namespace

int callCommand(const Words& words) {
  CLI::App command("Calls exports of a component or a workload, on one instance.", "tenon call");
  std::string file;
  GuestOptions guest;
  command.add_option("FILE", file, "The component, a workload's folder or its tenon.toml")
      ->required();
  bool json = false;
  command.add_flag("--json", json, "Values and results are JSON, not WAVE; docs/call.md has both");
  guest.addTo(command);
  guest.addPrefixOptionsTo(command);
  command.footer(
      "Behind FILE: FUNC VALUE... [-- FUNC VALUE...]; of a workload, COMPONENT FUNC VALUE... [-- "
      "...].\n"
      "Values are WAVE text, one word each; @FILE is the text in a file, - what standard input "
      "has.\n"
      "Results are printed as WAVE, a line each. FUNC is ns:pkg/interface@1.0.0.func, or shorter\n"
      "where that is unique: interface.func, func, resource.method. Handles print as #name-1 and\n"
      "can be passed to later calls.\n"
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
  if (auto read = readValues(requests); !read) return report(read.error());
  Notation notation = json ? Notation::JSON : Notation::WAVE;
  auto outcome = call(file, requests, notation, guest);
  if (outcome) return 0;
  const Error& error = outcome.error();
  if (error.code == ErrorCode::EXITED) return error.exitCode.value_or(0);
  printError(error);
  return exitCodeOf(error, file);
}

}  // namespace tenon::cli
