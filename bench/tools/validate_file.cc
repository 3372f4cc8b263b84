// tenon_validate_file FILE: what `wasm-tools validate` does, by Tenon: decodes and validates the
// component, then has the engine validate the code of every core module, and ends. Its whole run is
// the figure validate/10m.

#include "component/binary/decoder.h"
#include "component/validate/validator.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasmtime.h>

#include <cstdio>
#include <memory>
#include <span>
#include <variant>

namespace {

using namespace tenon;

bool validateModules(wasm_engine_t* engine, const component::Component& component) {
  for (const auto& definition : component.definitions) {
    if (const auto* nested = std::get_if<std::unique_ptr<component::Component>>(&definition.def)) {
      if (!validateModules(engine, **nested)) return false;
    }
    const auto* module = std::get_if<component::CoreModule>(&definition.def);
    if (module == nullptr) continue;
    wasmtime_error_t* error = wasmtime_module_validate(
        engine, reinterpret_cast<const uint8_t*>(module->bytes.data()), module->bytes.size());
    if (error == nullptr) continue;
    wasmtime_error_delete(error);
    return false;
  }
  return true;
}

int refuse(const char* why) {
  std::fprintf(stderr, "error: %s\n", why);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return refuse("expected one file");
  int file = open(argv[1], O_RDONLY | O_CLOEXEC);
  struct stat status{};
  if (file < 0 || fstat(file, &status) != 0 || status.st_size == 0) return refuse("cannot read it");
  auto size = static_cast<size_t>(status.st_size);
  void* bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  if (bytes == MAP_FAILED) return refuse("cannot map it");
  auto decoded = component::decode({static_cast<const std::byte*>(bytes), size});
  if (!decoded) return refuse(decoded.error().text().c_str());
  if (auto valid = component::validate(**decoded); !valid) {
    return refuse(valid.error().text().c_str());
  }
  if (!validateModules(wasm_engine_new(), **decoded)) return refuse("a core module is invalid");
  return 0;
}
