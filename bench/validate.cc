// validate/...: whole processes, from fork to exit. decode/...: bytes to definitions.

#include "bench.h"
#include "component/binary/decoder.h"
#include "component/validate/validator.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>

extern char** environ;

namespace tenon::bench {
namespace {

void run(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawn(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) {
    fail("cannot run " + words[0]);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail(words[0] + " failed");
}

// Both of them with the code of the core modules; the file has 12 MB, most of it code.
void benchValidate(std::vector<Row>& rows) {
  std::string file = guestPath("js_types");
  auto times = bestOf({[&](uint64_t count) {
                         for (uint64_t i = 0; i < count; ++i) run({TENON_VALIDATE_FILE, file});
                       },
                       [&](uint64_t count) {
                         for (uint64_t i = 0; i < count; ++i) {
                           run({TENON_WASM_TOOLS, "validate", file});
                         }
                       }});
  rows.push_back({.name = "validate/10m",
                  .tenon = times[0],
                  .wasmtime = times[1],
                  .more = {{"bytes", static_cast<double>(guestBytes("js_types").size())}},
                  .goal = "<= 1.0 of wasm-tools validate"});
}

// A time, and the speed as a further figure.
void addSpeed(std::vector<Row>& rows, const char* name, size_t bytes, double time,
              const char* goal) {
  rows.push_back({.name = name,
                  .tenon = time,
                  .wasmtime = std::nullopt,
                  .more = {{"mb-per-s", static_cast<double>(bytes) * 1000 / time},
                           {"bytes", static_cast<double>(bytes)}},
                  .goal = goal});
}

void benchDecode(std::vector<Row>& rows) {
  auto bytes = guestBytes("py_types");
  double time = bestOf([&](uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      if (!component::decode(bytes)) fail("py_types does not decode");
    }
  });
  addSpeed(rows, "decode/20m", bytes.size(), time, ">= 500 MB/s");
}

void appendLeb(std::vector<std::byte>& out, size_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::byte>(value | 0x80));
  out.push_back(static_cast<std::byte>(value));
}

// The worst that a file can hold: nothing but small definitions, here 500,000 records of one field.
void benchDefinitions(std::vector<Row>& rows) {
  constexpr size_t COUNT = 500'000;
  std::vector<std::byte> content;
  appendLeb(content, COUNT);
  for (size_t i = 0; i < COUNT; ++i) {
    for (char byte : std::string_view("\x72\1\5field\x79", 9)) {
      content.push_back(static_cast<std::byte>(byte));
    }
  }
  std::vector<std::byte> bytes;
  for (char byte : std::string_view("\0asm\x0d\0\1\0\7", 9)) {
    bytes.push_back(static_cast<std::byte>(byte));
  }
  appendLeb(bytes, content.size());
  bytes.insert(bytes.end(), content.begin(), content.end());
  double time = bestOf([&](uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      if (!component::decode(bytes)) fail("the definitions do not decode");
    }
  });
  addSpeed(rows, "decode/definitions", bytes.size(), time, "");
}

}  // namespace

void benchValidation(const Wanted& wanted, std::vector<Row>& rows) {
  if (wanted("validate/10m")) benchValidate(rows);
  if (wanted("decode/20m")) benchDecode(rows);
  if (wanted("decode/definitions")) benchDefinitions(rows);
}

}  // namespace tenon::bench
