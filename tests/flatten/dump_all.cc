// Development tool: flattens and fuses components and prints their programs.
//   dump_all [--literal] [--unfused] [--check] FILE...
// --literal rewrites nothing, --unfused shows what flattening leaves, --check prints one line per
// file, lets the engine's validator look at every generated module, and writes and reads the
// program.

#include "component/binary/decoder.h"
#include "component/flatten/flatten.h"
#include "component/fuse/fuse.h"
#include "component/program/dump.h"
#include "component/program/program_bytes.h"

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

extern "C" int32_t tenon_oracle_validate(const void* bytes, size_t length, int32_t allFeatures,
                                         uint64_t* offset, char* message, size_t messageLength);

namespace {

using namespace tenon;
using namespace tenon::component;

bool checkModules(const Program& program) {
  bool good = true;
  for (const ModuleBytes& module : program.modules) {
    if (!module.generated) continue;
    uint64_t offset = 0;
    char message[512];
    if (tenon_oracle_validate(module.bytes.data(), module.bytes.size(), 0, &offset, message,
                              sizeof(message)) != 0) {
      std::printf("  %s is invalid at byte %llu: %s\n", module.name.c_str(),
                  static_cast<unsigned long long>(offset), message);
      std::ofstream("/tmp/invalid.wasm", std::ios::binary)
          .write(reinterpret_cast<const char*>(module.bytes.data()),
                 static_cast<std::streamsize>(module.bytes.size()));
      good = false;
    }
  }
  return good;
}

// Whether a program is the same after it was written and read.
bool checkBytes(const Program& program, std::span<const std::byte> component) {
  auto written = writeProgram(program, {&component, 1});
  auto read = written ? readProgram(*written, {&component, 1}) : written.error();
  if (!read) {
    std::printf("  its bytes: %s\n", read.error().text().c_str());
    return false;
  }
  if (dump(*read) == dump(program) && writeProgram(*read, {&component, 1}).value() == *written) {
    return true;
  }
  std::printf("  it is another after it was written and read\n");
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  Rewriting rewriting = Rewriting::ON;
  bool fused = true, check = false, failed = false;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--literal")) {
      rewriting = Rewriting::OFF;
      continue;
    }
    if (!std::strcmp(argv[i], "--unfused")) {
      fused = false;
      continue;
    }
    if (!std::strcmp(argv[i], "--check")) {
      check = true;
      continue;
    }
    std::ifstream file(argv[i], std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    auto bytes = std::as_bytes(std::span<const char>(text.data(), text.size()));
    auto decoded = decode(bytes);
    if (!decoded) {
      std::printf("%s: %s\n", argv[i], decoded.error().text().c_str());
      continue;
    }
    auto program = flatten(**decoded, argv[i]);
    size_t adapters = program ? program->adapters.size() : 0;
    Result<void> done;
    if (program && fused) done = fuse(*program, rewriting);
    if (!program || !done) {
      const Error& error = program ? done.error() : program.error();
      std::printf("%s: %s\n", argv[i], error.text().c_str());
      failed = failed || error.code == ErrorCode::INTERNAL;
      continue;
    }
    if (check) {
      bool good = checkModules(*program) && (!fused || checkBytes(*program, bytes));
      failed = failed || !good;
      std::printf("%s: %s, %zu steps, %zu trampolines, %zu adapters\n", argv[i],
                  good ? "good" : "BAD", program->steps.size(), program->trampolines.size(),
                  adapters);
    } else {
      std::printf("== %s\n%s", argv[i], dump(*program).c_str());
    }
  }
  return failed ? 1 : 0;
}
