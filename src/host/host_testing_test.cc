#include "host/host_testing.h"

#include <map>
#include <span>

namespace tenon::host {

const Engine& testEngine(bool pooling) {
  static std::map<bool, Engine> engines;
  auto found = engines.find(pooling);
  if (found == engines.end()) {
    EngineOptions options;
    options.pooling = pooling;
    options.cacheDirectory = TENON_BUILD_DIR "/host-test-cache";  // each test is a process
    found = engines.emplace(pooling, Engine::create(options).value()).first;
  }
  return found->second;
}

const Component& guest(const std::string& name) {
  static std::map<std::string, Component> components;
  auto found = components.find(name);
  if (found == components.end()) {
    std::string path = std::string(TENON_GUESTS_DIR) + "/" + name + ".wasm";
    found = components.emplace(name, Component::load(testEngine(), path).value()).first;
  }
  return found->second;
}

Component guestWith(EngineOptions options, const std::string& name) {
  options.pooling = false;
  options.cache = false;
  Engine engine = Engine::create(options).value();
  return Component::load(engine, std::string(TENON_GUESTS_DIR) + "/" + name + ".wasm").value();
}

Workload workloadOf(const std::string& name,
                    const std::vector<std::pair<std::string, std::string>>& guests) {
  std::vector<WorkloadComponent> components;
  for (const auto& [component, guestName] : guests) {
    components.push_back({.name = component, .component = guest(guestName)});
  }
  return Workload::fromComponents(testEngine(), name, std::move(components)).value();
}

std::string textOf(const Error& error) { return error.text() + "\n" + error.details; }

Program::Program(Loop& loop, std::vector<std::string> arguments, InstanceOptions options,
                 const std::string& guestName) {
  arguments.insert(arguments.begin(), guestName);
  options.wasi.arguments = std::move(arguments);
  options.wasi.output.kind = OutputStream::Kind::CAPTURE;
  options.wasi.output.capture = [output = output](std::span<const std::byte> bytes) {
    output->append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  Linker linker;
  linker.wasi();
  instance =
      std::make_unique<Instance>(linker.instantiate(guest(guestName), loop, options).value());
}

}  // namespace tenon::host
