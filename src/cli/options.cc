#include "cli/options.h"

#include "cli/refusals.h"
#include "cli/report.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

namespace tenon::cli {
namespace {

constexpr uint64_t MIN_STACK = 64 * 1024;
constexpr uint64_t MAX_STACK = 4 * 1024 * 1024;  // half of what a main thread has

struct Unit {
  std::string_view name;
  double factor;
};

// A non-negative decimal number and a unit out of `units`; nullopt if it is anything else.
std::optional<double> parseWithUnit(std::string_view text, std::span<const Unit> units) {
  double number = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  for (const Unit& candidate : units) {
    if (candidate.name == unit) return number * candidate.factor;
  }
  return std::nullopt;
}

}  // namespace

void setVariables(Variables& to, const Variables& from) {
  constexpr auto NAME = &Variables::value_type::first;
  std::erase_if(to, [&](const auto& variable) {
    return std::ranges::find(from, variable.first, NAME) != from.end();
  });
  to.insert(to.end(), from.begin(), from.end());
}

Result<std::chrono::nanoseconds> parseDuration(std::string_view text) {
  constexpr Unit UNITS[] = {{"", 1e9},  {"ns", 1},   {"us", 1e3},  {"ms", 1e6},
                            {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
  auto nanoseconds = parseWithUnit(text, UNITS);
  if (!nanoseconds || *nanoseconds > 9e18) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 "'" + std::string(text) +
                     "' is not a duration: write 500ms, 10s, 5m, 1h, or a number of seconds");
  }
  return std::chrono::nanoseconds(static_cast<int64_t>(*nanoseconds));
}

Result<uint64_t> parseSize(std::string_view text) {
  constexpr double K = 1024;
  constexpr double M = K * K;
  constexpr double G = K * K * K;
  constexpr Unit UNITS[] = {{"", 1},  {"B", 1},   {"K", K}, {"k", K}, {"KiB", K}, {"M", M},
                            {"m", M}, {"MiB", M}, {"G", G}, {"g", G}, {"GiB", G}};
  auto bytes = parseWithUnit(text, UNITS);
  if (!bytes || *bytes > 1e18) {
    return Error(ErrorCode::INVALID_ARGUMENT,
                 "'" + std::string(text) + "' is not a size: write 4096, 64K, 16M or 1G");
  }
  return static_cast<uint64_t>(*bytes);
}

void GuestOptions::addTo(CLI::App& command) {
  command
      .add_option("--env", environment,
                  "Set an environment variable: NAME=VALUE, or NAME to pass it on")
      ->type_name("NAME[=VALUE]")
      ->allow_extra_args(false);
  command.add_option("--dir", directories, "Grant a directory: HOST::GUEST, with :ro read-only")
      ->type_name("HOST::GUEST[:ro]")
      ->allow_extra_args(false);
  command
      .add_option("--allow-net", allowNet,
                  "Let the guest connect: example.com:443, 10.0.0.0/8:5432, [::1]:80, *:8000-8999")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false);
  command
      .add_option("--allow-listen", allowListen,
                  "Let the guest listen: 127.0.0.1:8080, [::]:80, *:*; port 0 is any free one")
      ->type_name("ADDRESS:PORT")
      ->allow_extra_args(false);
  command
      .add_option("--allow-http", allowHttp,
                  "Let the guest send HTTP requests: example.com, *.example.com, https://a.b:8443")
      ->type_name("[SCHEME://]HOST[:PORT]")
      ->allow_extra_args(false);
  command.add_flag("--allow-http-private", allowHttpPrivate,
                   "Let names that are allowed lead to private and local addresses");
  command
      .add_option("--http-roots", httpRoots,
                  "PEM file of the authorities to trust for https, in place of the system's")
      ->type_name("FILE");
  command.add_option("--timeout", timeout, "Stop the guest after this long: 500ms, 10s, 5m")
      ->type_name("TIME");
  command
      .add_option("--max-memory", maxMemory,
                  "Most bytes of memory for the guest, all its components together: 64M, 1G")
      ->type_name("SIZE");
  command
      .add_option("--max-stack", maxStack, "Most stack that the guest's calls may take: 512K, 2M")
      ->type_name("SIZE");
  command.add_flag("--no-prefix", noPrefix,
                   "Workloads: do not put a component's name in front of what it writes");
  addCompileOptionsTo(command);
}

void GuestOptions::addCompileOptionsTo(CLI::App& command) {
  command.add_flag("--no-cache", noCache, "Compile, even when compiled code is in the cache");
  command.add_flag("--no-shim-elision", noShimElision,
                   "Keep the indirection modules that toolchains add (for tests)");
}

const std::vector<std::string_view>& guestOptionsWithValue() {
  static const std::vector<std::string_view> OPTIONS = {
      "--env",        "--dir",     "--allow-net",  "--allow-listen", "--allow-http",
      "--http-roots", "--timeout", "--max-memory", "--max-stack",    "--component"};
  return OPTIONS;
}

Result<EngineOptions> GuestOptions::engineOptions() const {
  EngineOptions options;
  options.pooling = false;  // one instance: reserving a pool would cost more than it saves
  options.cache = !noCache;
  options.shimElision = !noShimElision;
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
  for (const std::string& entry : directories) {
    size_t separator = entry.find("::");
    if (separator == std::string::npos || separator == 0) {
      return Error(ErrorCode::INVALID_ARGUMENT,
                   "--dir " + entry + ": write HOST::GUEST, for example ./data::/data:ro");
    }
    DirectoryGrant grant{entry.substr(0, separator), entry.substr(separator + 2), false};
    if (grant.guest.ends_with(":ro")) {
      grant.guest.resize(grant.guest.size() - 3);
      grant.readOnly = true;
    }
    // A slip of ':ro' must not grant more than was meant.
    if (size_t colon = grant.guest.find(':'); colon != std::string::npos) {
      return Error(ErrorCode::INVALID_ARGUMENT, "--dir " + entry + ": there is no suffix '" +
                                                    entry.substr(separator + 2 + colon) +
                                                    "', the only one is ':ro'");
    }
    if (grant.guest.empty()) {
      return Error(ErrorCode::INVALID_ARGUMENT, "--dir " + entry + ": there is no guest path");
    }
    options.wasi.directories.push_back(std::move(grant));
  }
  options.wasi.network.connect = allowNet;
  options.wasi.network.listen = allowListen;
  options.wasi.http.allow = allowHttp;
  options.wasi.http.allowPrivate = allowHttpPrivate;
  if (!httpRoots.empty()) {
    std::ifstream file(httpRoots, std::ios::binary);
    options.wasi.http.roots.assign((std::istreambuf_iterator<char>(file)), {});
    if (!file) {
      return Error(ErrorCode::INVALID_ARGUMENT, "--http-roots " + httpRoots + ": cannot be read");
    }
  }
  if (!timeout.empty()) {
    TENON_TRY(auto duration, parseDuration(timeout));
    options.timeout = duration;
  }
  if (!maxMemory.empty()) {
    TENON_TRY(options.maxMemory, parseSize(maxMemory));
  }
  return options;
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
