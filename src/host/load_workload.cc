#include "base/suggest.h"
#include "host/component.h"
#include "host/engine.h"
#include "host/workload.h"
#include "link/manifest.h"
#include "link/route.h"
#include "link/toml.h"
#include "wasi/check.h"

#include <tenon/workload.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace tenon {
namespace {

namespace fs = std::filesystem;

// The entry of the path's folder that it is most likely a slip of, in the form of a question; empty
// when there is none, or the folder is not there.
std::string suggestFile(const std::string& path) {
  std::error_code failed;
  std::string wanted = fs::path(path).filename();
  fs::path folder = fs::path(path).parent_path();
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder.empty() ? fs::path(".") : folder, failed), end;
       !failed && entry != end && names.size() < base::Nearest::MOST_NAMES;
       entry.increment(failed)) {
    names.push_back(entry->path().filename());
  }
  return base::didYouMean(wanted, names);
}

std::string relativeTo(const std::string& manifest, const std::string& path) {
  return (fs::path(manifest).parent_path() / path).lexically_normal();
}

class Loader {
 public:
  // `problems`: of the manifest's text. `check` may be empty.
  Loader(const Engine& engine, std::string path, std::vector<Error> problems,
         const Workload::CheckSettings& check)
      : state_(std::make_shared<host::WorkloadState>(engine)),
        path_(std::move(path)),
        problems_(std::move(problems)),
        check_(check) {}

  Result<std::shared_ptr<host::WorkloadState>> load(const link::Manifest& manifest) {
    state_->name = manifest.name.empty() ? path_ : manifest.name;
    addSettings(manifest);
    state_->routes = manifest.routes;
    for (const link::ManifestComponent& component : manifest.components) add(component);
    if (problems_.empty()) return std::move(state_);
    if (check_) {
      for (Error& problem : check_(state_->settings)) problems_.push_back(std::move(problem));
    }
    // What is wrong with links is told with the rest, where it does not follow from it.
    if (!manifest.components.empty() && state_->components.size() == manifest.components.size()) {
      for (Error& problem : state_->linkProblems()) problems_.push_back(std::move(problem));
    }
    return link::asOne(std::move(problems_));
  }

 private:
  void problem(const std::string& place, const std::string& what) {
    problems_.push_back(Error(ErrorCode::INVALID, place + ": " + what));
  }

  void addSettings(const link::Manifest& manifest) {
    WorkloadSettings& settings = state_->settings;
    settings.timeout = manifest.timeout;
    settings.maxMemory = manifest.maxMemory;
    settings.variables.assign(manifest.variables.begin(), manifest.variables.end());
    for (const link::ManifestServeOption& option : manifest.serve) {
      settings.serve.push_back({option.name, option.values, option.place});
      if (option.name != "tls-cert" && option.name != "tls-key") continue;
      for (std::string& path : settings.serve.back().values) path = relativeTo(path_, path);
    }
  }

  // One grant, alone, so that what is wrong with it has its place.
  void check(const std::string& place, const std::string& component, const WasiOptions& alone) {
    auto possible = wasi::check(alone);
    if (!possible) problem(place, "component " + component + ": " + possible.error().text());
  }
  std::vector<std::string> checked(const std::string& component,
                                   const std::vector<link::Written>& grants,
                                   std::vector<std::string>& (*of)(WasiOptions& options)) {
    std::vector<std::string> texts;
    for (const link::Written& grant : grants) {
      WasiOptions alone;
      of(alone) = {grant.text};
      check(grant.place, component, alone);
      texts.push_back(grant.text);
    }
    return texts;
  }

  void add(const link::ManifestComponent& described) {
    WasiOptions wasi;
    wasi.arguments = described.arguments;
    wasi.environment = described.environment;
    wasi.configuration = described.configuration;
    wasi.network.connect =
        checked(described.name, described.connect,
                [](WasiOptions& options) -> auto& { return options.network.connect; });
    wasi.network.listen =
        checked(described.name, described.listen,
                [](WasiOptions& options) -> auto& { return options.network.listen; });
    wasi.http.allow = checked(described.name, described.httpServers,
                              [](WasiOptions& options) -> auto& { return options.http.allow; });
    for (const link::ManifestDirectory& directory : described.directories) {
      if (directory.place.empty()) continue;  // a problem already
      std::string host = relativeTo(path_, directory.host);
      std::error_code failed;
      fs::file_status status = fs::status(host, failed);
      DirectoryGrant grant{std::move(host), directory.guest, directory.readOnly};
      if (!fs::exists(status)) {
        problem(directory.place,
                grant.host + ": there is no such directory" + suggestFile(grant.host));
      } else if (!fs::is_directory(status)) {
        problem(directory.place, grant.host + " is not a directory");
      } else {
        WasiOptions alone;
        alone.directories = {grant};
        check(directory.place, described.name, alone);
      }
      wasi.directories.push_back(std::move(grant));
    }
    if (described.source.empty()) return;  // a problem already
    std::string source = relativeTo(path_, described.source);
    auto component = load(source);
    if (!component) {
      const Error& error = component.error();
      problem(described.sourcePlace,
              error.text() + (error.code == ErrorCode::NOT_FOUND ? suggestFile(source) : ""));
      return;
    }
    state_->components.push_back(
        {described.name, *std::move(component), described.links, std::move(wasi)});
  }

  // Once for all components that a file is the source of.
  Result<Component> load(const std::string& source) {
    auto [known, fresh] = loaded_.try_emplace(source);
    if (fresh) {
      auto component = host::loadComponent(state_->engine, source, host::Pipes::NEVER);
      if (!component) {
        loaded_.erase(known);
        return component;
      }
      known->second = *std::move(component);
    }
    return *known->second;
  }

  std::shared_ptr<host::WorkloadState> state_;
  const std::string path_;
  std::vector<Error> problems_;
  const Workload::CheckSettings& check_;
  std::map<std::string, std::optional<Component>> loaded_;
};

}  // namespace

bool Workload::isManifest(const std::string& path) {
  std::error_code failed;
  return path.ends_with(".toml") || fs::is_directory(path, failed);
}

Result<Workload> Workload::load(const Engine& engine, const std::string& path,
                                const CheckSettings& check) {
  std::error_code failed;
  std::string file = path;
  if (fs::is_directory(path, failed)) file = fs::path(path) / "tenon.toml";
  auto bytes = host::readFile(file, host::Pipes::NEVER, link::toml::MAX_BYTES);
  if (!bytes) {
    Error error = std::move(bytes).error();
    if (error.code == ErrorCode::NOT_FOUND && file != path) {
      error.code = ErrorCode::IO;
      error.message = path + ": this is a directory without a tenon.toml";
    }
    return error;
  }
  std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  auto findVariable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
  link::ManifestReading reading = link::readManifest(text, file, findVariable);
  Loader loader(engine, file, std::move(reading.problems), check);
  TENON_TRY(auto state, loader.load(reading.manifest));
  return host::WorkloadState::wrap(std::move(state));
}

Result<Workload> Workload::fromComponents(const Engine& engine, std::string name,
                                          std::vector<WorkloadComponent> components,
                                          std::vector<HttpRoute> routes) {
  std::set<std::string> names;
  for (const WorkloadComponent& component : components) {
    if (!link::isComponentName(component.name)) {
      return Error(ErrorCode::INVALID_ARGUMENT,
                   "'" + component.name +
                       "' is no component's name: it has letters, digits, '.', '_' and '-'");
    }
    if (!names.insert(component.name).second) {
      return Error(ErrorCode::INVALID_ARGUMENT,
                   "two components are called '" + component.name + "'");
    }
    auto& componentEngine =
        host::EngineState::of(host::ComponentState::of(component.component).engine);
    if (&componentEngine != &host::EngineState::of(engine)) {
      return Error(ErrorCode::INVALID_ARGUMENT,
                   "component '" + component.name + "' was loaded with another engine");
    }
  }
  if (components.empty()) {
    return Error(ErrorCode::INVALID_ARGUMENT, "a workload needs at least one component");
  }
  auto state = std::make_shared<host::WorkloadState>(engine);
  state->name = std::move(name);
  state->components = std::move(components);
  link::RouteIndex known;
  for (const HttpRoute& route : routes) {
    auto pattern = link::parseRoute(route.match);
    if (!pattern) return Error(ErrorCode::INVALID_ARGUMENT, pattern.error().message);
    if (known.add(*pattern, 0)) {
      return Error(ErrorCode::INVALID_ARGUMENT, "there are two routes '" + route.match + "'");
    }
    if (!names.contains(route.component)) {
      return Error(ErrorCode::INVALID_ARGUMENT,
                   "route '" + route.match + "': there is no component '" + route.component + "'");
    }
  }
  state->routes = std::move(routes);
  return host::WorkloadState::wrap(std::move(state));
}

}  // namespace tenon
