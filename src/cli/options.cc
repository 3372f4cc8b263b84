#include "cli/options.h"

#include "cli/files.h"
#include "cli/progress.h"
#include "cli/refusals.h"
#include "cli/report.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace tenon::cli {
namespace {

constexpr uint64_t MIN_STACK = 64 * 1024;
constexpr uint64_t MAX_STACK = 4 * 1024 * 1024;  // half of what a main thread has

// Headings in the help.
constexpr const char* GRANTS = "What the guest gets";
constexpr const char* LIMITS = "Limits of the guest";
constexpr const char* OUTPUT = "Output";
constexpr const char* COMPILING = "Compiling";
constexpr const char* HIDDEN = "";

// HOST::GUEST[:ro], or DIR[:ro] for HOST and GUEST in one. Errors: INVALID_ARGUMENT.
Result<DirectoryGrant> parseDirectory(const std::string& entry) {
  auto refuse = [&](const std::string& why) {
    return Error(ErrorCode::INVALID_ARGUMENT, "--dir " + entry + ": " + why);
  };
  size_t separator = entry.find("::");
  std::string_view guest = entry;
  if (separator != std::string::npos) guest.remove_prefix(separator + 2);
  DirectoryGrant grant;
  grant.readOnly = guest.ends_with(":ro");
  if (grant.readOnly) guest.remove_suffix(3);
  // A slip of ':ro' must not grant more than was meant.
  if (size_t colon = guest.find(':'); colon != std::string_view::npos) {
    return refuse("there is no suffix '" + std::string(guest.substr(colon)) +
                  "', the only one is ':ro'" +
                  (separator == std::string::npos ? "; between HOST and GUEST is '::'" : ""));
  }
  grant.guest = guest;
  grant.host = separator == std::string::npos ? grant.guest : entry.substr(0, separator);
  if (grant.host.empty()) return refuse("write HOST::GUEST, for example ./data::/data:ro");
  if (grant.guest.empty()) return refuse("there is no guest path");
  return grant;
}

}  // namespace

void GuestOptions::addTo(CLI::App& command) {
  command
      .add_option("--env", environment,
                  "Set an environment variable: NAME=VALUE, or NAME to pass it on. Of several with "
                  "one name the guest gets all in this order; getenv finds the first")
      ->type_name("NAME[=VALUE]")
      ->allow_extra_args(false)
      ->group(GRANTS);
  command
      .add_option("--config", configuration,
                  "Set what the guest reads by wasi:config/store; the last of a NAME counts")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false)
      ->group(GRANTS);
  command
      .add_option("--dir", directories,
                  "Grant a directory: HOST::GUEST, or one path that is both ('.' is where the "
                  "guest's relative paths begin); with :ro read-only. A slash behind GUEST does "
                  "not matter")
      ->type_name("HOST[::GUEST][:ro]")
      ->allow_extra_args(false)
      ->group(GRANTS);
  command
      .add_option("--allow-net", allowNet,
                  "Let the guest connect: example.com:443, 10.0.0.0/8:5432, [::1]:80, *:8000-8999")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false)
      ->group(GRANTS);
  command
      .add_option("--allow-listen", allowListen,
                  "Let the guest listen: 127.0.0.1:8080, [::]:80, *:*; port 0 is any free one")
      ->type_name("ADDRESS:PORT")
      ->allow_extra_args(false)
      ->group(GRANTS);
  command
      .add_option("--allow-http", allowHttp,
                  "Let the guest send HTTP requests: example.com, *.example.com, https://a.b:8443")
      ->type_name("[SCHEME://]HOST[:PORT]")
      ->allow_extra_args(false)
      ->group(GRANTS);
  command
      .add_flag("--allow-http-private", allowHttpPrivate,
                "Let names that are allowed lead to private and local addresses")
      ->group(GRANTS);
  command
      .add_option("--http-roots", httpRoots,
                  "PEM file of the authorities to trust for https, in place of the system's")
      ->type_name("FILE")
      ->group(GRANTS);
  command.add_option("--timeout", timeout, "Stop the guest after this long: 500ms, 10s, 5m")
      ->type_name("TIME")
      ->group(LIMITS);
  command
      .add_option("--max-memory", maxMemory,
                  "Most bytes of memory for the guest, all its components together: 64M, 1G")
      ->type_name("SIZE")
      ->group(LIMITS);
  command
      .add_option("--max-stack", maxStack, "Most stack that the guest's calls may take: 512K, 2M")
      ->type_name("SIZE")
      ->group(LIMITS);
  addCompileOptionsTo(command);
}

void GuestOptions::addPrefixOptionsTo(CLI::App& command) {
  auto* always =
      command.add_flag("--prefix", prefix,
                       "Workloads: put the component's name in front of each line that it "
                       "writes, not only on a terminal");
  command.add_flag("--no-prefix", noPrefix, "Workloads: on a terminal neither")
      ->excludes(always)
      ->group(OUTPUT);
  always->group(OUTPUT);
}

void GuestOptions::addCompileOptionsTo(CLI::App& command) {
  command.add_flag("--no-cache", noCache, "Compile, even when compiled code is in the cache")
      ->group(COMPILING);
  // Runs every core module as it was shipped: for tests.
  command.add_flag("--no-rewriting", noRewriting)->group(HIDDEN);
  command.add_option("--compile-timeout", compileTimeout, "Give up compiling after this long")
      ->type_name("TIME")
      ->default_str("10m")
      ->group(COMPILING);
  command.add_option("--compile-memory", compileMemory, "Most memory that compiling may take")
      ->type_name("SIZE")
      ->default_str("2G")
      ->group(COMPILING);
}

void GuestOptions::fillFrom(const WorkloadSettings& settings) {
  if (timeout.empty() && settings.timeout) {
    const int64_t count = settings.timeout->count();
    timeout = count % 1'000'000'000 == 0 ? std::to_string(count / 1'000'000'000) + "s"
              : count % 1'000'000 == 0   ? std::to_string(count / 1'000'000) + "ms"
                                         : std::to_string(count) + "ns";
  }
  if (maxMemory.empty() && settings.maxMemory) maxMemory = std::to_string(*settings.maxMemory);
}

const std::vector<std::string_view>& guestOptionsWithValue() {
  static const std::vector<std::string_view> OPTIONS = {
      "--env",        "--config",          "--dir",           "--allow-net",  "--allow-listen",
      "--allow-http", "--http-roots",      "--timeout",       "--max-memory", "--max-stack",
      "--component",  "--compile-timeout", "--compile-memory"};
  return OPTIONS;
}

Result<EngineOptions> GuestOptions::engineOptions() const {
  EngineOptions options;
  options.pooling = false;  // one instance: reserving a pool would cost more than it saves
  options.cache = !noCache;
  options.rewriting = !noRewriting;
  options.compiler = "/proc/self/exe";  // main() makes a worker of it when it is asked to
  options.onCompiling = showCompiled;
  if (!compileTimeout.empty()) {
    TENON_TRY(options.compileTimeout, parseDuration(compileTimeout));
  }
  if (!compileMemory.empty()) {
    TENON_TRY(options.compileMemory, parseSize(compileMemory));
  }
  if (!maxStack.empty()) {
    TENON_TRY(options.maxWasmStack, parseSize(maxStack));
    if (options.maxWasmStack < MIN_STACK || options.maxWasmStack > MAX_STACK) {
      return Error(ErrorCode::INVALID_ARGUMENT,
                   "--max-stack " + maxStack + ": write a size between 64K and 4M");
    }
  }
  return options;
}

Result<InstanceOptions> GuestOptions::instanceOptions(std::vector<std::string> arguments) const {
  InstanceOptions options;
  options.wasi.arguments = std::move(arguments);
  options.wasi.onRefusal = newRefusalReport([](const std::string& text) { warn(text); });
  options.wasi.input.kind = InputStream::Kind::INHERIT;
  options.wasi.output.kind = OutputStream::Kind::INHERIT;
  options.wasi.error.kind = OutputStream::Kind::INHERIT;
  for (const std::string& entry : environment) {
    size_t equals = entry.find('=');
    if (equals == 0) {
      return Error(ErrorCode::INVALID_ARGUMENT, "--env " + entry + ": there is no name before '='");
    }
    if (equals != std::string::npos) {
      options.wasi.environment.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
    } else if (const char* value = std::getenv(entry.c_str())) {
      options.wasi.environment.emplace_back(entry, value);
    } else {
      return Error(ErrorCode::INVALID_ARGUMENT,
                   "--env " + entry + ": not set here; write " + entry + "=VALUE");
    }
  }
  for (const std::string& entry : configuration) {
    size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error(ErrorCode::INVALID_ARGUMENT, "--config " + entry + ": write NAME=VALUE");
    }
    auto& all = options.wasi.configuration;
    std::string name = entry.substr(0, equals);
    std::erase_if(all, [&](const auto& other) { return other.first == name; });
    all.emplace_back(std::move(name), entry.substr(equals + 1));
  }
  for (const std::string& entry : directories) {
    TENON_TRY(DirectoryGrant grant, parseDirectory(entry));
    options.wasi.directories.push_back(std::move(grant));
  }
  options.wasi.network.connect = allowNet;
  options.wasi.network.listen = allowListen;
  options.wasi.http.allow = allowHttp;
  options.wasi.http.allowPrivate = allowHttpPrivate;
  if (!httpRoots.empty()) {
    auto roots = readSmallFile(httpRoots);
    if (!roots) {
      return Error(ErrorCode::INVALID_ARGUMENT, "--http-roots " + roots.error().message);
    }
    options.wasi.http.roots = *std::move(roots);
  }
  TENON_CHECK(addLimits(options));
  return options;
}

Result<void> GuestOptions::addLimits(InstanceOptions& options) const {
  if (!timeout.empty()) {
    TENON_TRY(auto duration, parseDuration(timeout));
    options.timeout = duration;
  }
  if (!maxMemory.empty()) {
    TENON_TRY(options.maxMemory, parseSize(maxMemory));
  }
  return {};
}

SplitWords splitBehindFile(const std::vector<std::string>& words,
                           const std::vector<std::string_view>& withValue) {
  SplitWords split;
  size_t i = 0;
  for (; i < words.size(); ++i) {
    const std::string& word = words[i];
    split.own.push_back(word);
    if (!word.starts_with('-') || word == "-") {
      ++i;
      break;
    }
    bool takesValue = std::find(withValue.begin(), withValue.end(), word) != withValue.end();
    if (takesValue && i + 1 < words.size()) split.own.push_back(words[++i]);
  }
  split.rest.assign(words.begin() + static_cast<ptrdiff_t>(i), words.end());
  return split;
}

}  // namespace tenon::cli
