#include "base/suggest.h"
#include "host/state.h"
#include "link/manifest.h"
#include "link/toml.h"

#include <tenon/workload.h>

#include <algorithm>
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
  Loader(const Engine& engine, std::string path)
      : state_(std::make_shared<host::WorkloadState>(engine)), path_(std::move(path)) {}

  Result<std::shared_ptr<host::WorkloadState>> load(const link::Manifest& manifest) {
    state_->name = manifest.name;
    for (const link::Route& route : manifest.routes) {
      state_->routes.push_back({route.text, route.to});
      state_->routePlaces.push_back(route.place);
    }
    for (const link::ManifestComponent& component : manifest.components) add(component);
    if (problems_.empty()) return std::move(state_);
    Error first = std::move(problems_.front());
    for (size_t i = 1; i < problems_.size(); ++i) {
      first.details += (first.details.empty() ? "  " : "\n  ") + problems_[i].message;
    }
    return first;
  }

 private:
  void problem(const std::string& place, const std::string& what) {
    problems_.push_back(Error(ErrorCode::INVALID, place + ": " + what));
  }

  void add(const link::ManifestComponent& described) {
    WasiOptions wasi;
    wasi.arguments = described.arguments;
    wasi.environment = described.environment;
    wasi.configuration = described.configuration;
    wasi.network.connect = described.connect;
    wasi.network.listen = described.listen;
    wasi.http.allow = described.httpServers;
    for (const link::ManifestDirectory& directory : described.directories) {
      std::string host = relativeTo(path_, directory.host);
      std::error_code failed;
      fs::file_status status = fs::status(host, failed);
      if (!fs::exists(status)) {
        problem(directory.place, host + ": there is no such directory" + suggestFile(host));
      } else if (!fs::is_directory(status)) {
        problem(directory.place, host + " is not a directory");
      }
      wasi.directories.push_back({std::move(host), directory.guest, directory.readOnly});
    }
    std::map<std::string, WorkloadLink> links;
    for (const auto& [import, link] : described.links) {
      links[import] = {link.to,
                       link.own ? WorkloadLink::Instance::OWN : WorkloadLink::Instance::SHARED,
                       link.item};
      state_->places[{described.name, import}] = link.place;
    }
    std::string source = relativeTo(path_, described.source);
    auto component = load(source);
    if (!component) {
      const Error& error = component.error();
      problem(described.sourcePlace,
              error.text() + (error.code == ErrorCode::NOT_FOUND ? suggestFile(source) : ""));
      return;
    }
    state_->components.push_back(
        {described.name, *std::move(component), std::move(links), std::move(wasi)});
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
  std::map<std::string, std::optional<Component>> loaded_;
  std::vector<Error> problems_;
};

}  // namespace

bool Workload::isManifest(const std::string& path) {
  std::error_code failed;
  return path.ends_with(".toml") || fs::is_directory(path, failed);
}

Result<Workload> Workload::load(const Engine& engine, const std::string& path) {
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
  TENON_TRY(link::Manifest manifest, link::parseManifest(text, file));
  if (manifest.name.empty()) manifest.name = file;
  TENON_TRY(auto state, Loader(engine, file).load(manifest));
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
