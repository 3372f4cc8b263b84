// validate/...: whole processes, from fork to exit. decode/...: bytes to definitions.

#include "base/byte_writer.h"
#include "base/temp_folder_testing.h"
#include "bench.h"
#include "component/binary/decoder.h"
#include "component/validate/validator.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

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

// Both of them with the code of the core modules, if there are any.
void addValidation(std::vector<Row>& rows, const char* name, const std::string& file,
                   const char* goal) {
  auto times = bestOf({[&](uint64_t count) {
                         for (uint64_t i = 0; i < count; ++i) run({TENON_VALIDATE_FILE, file});
                       },
                       [&](uint64_t count) {
                         for (uint64_t i = 0; i < count; ++i) {
                           run({TENON_WASM_TOOLS, "validate", file});
                         }
                       }});
  rows.push_back({.name = name,
                  .tenon = times[0],
                  .wasmtime = times[1],
                  .more = {{"bytes", static_cast<double>(std::filesystem::file_size(file))}},
                  .goal = goal});
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

// A component of one section, which `body` writes to `out`.
template <typename Body>
std::vector<std::byte> componentOf(uint8_t section, ByteWriter& out, Body&& body) {
  for (uint8_t byte : {0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00}) out.u8(byte);
  out.section(section, body);
  return std::move(out).take();
}

constexpr uint8_t TYPE_SECTION = 7;
constexpr uint8_t U32 = 0x79;
constexpr uint8_t STRING = 0x73;

// The worst that a file can hold: nothing but small definitions, here 500,000 records of one field.
std::vector<std::byte> manyRecords() {
  constexpr uint32_t COUNT = 500'000;
  ByteWriter out;
  return componentOf(TYPE_SECTION, out, [&] {
    out.u32(COUNT);
    for (uint32_t i = 0; i < COUNT; ++i) {
      out.u8(0x72);
      out.u32(1);
      out.name("field");
      out.u8(U32);
    }
  });
}

void benchDefinitions(std::vector<Row>& rows) {
  auto bytes = manyRecords();
  double time = bestOf([&](uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      if (!component::decode(bytes)) fail("the definitions do not decode");
    }
  });
  addSpeed(rows, "decode/definitions", bytes.size(), time, "");
}

// 500,000 different types that are made of one another, of every kind: nothing that a validator
// could skip over.
std::vector<std::byte> manyTypes() {
  constexpr uint32_t COUNT = 500'000;
  ByteWriter out;
  return componentOf(TYPE_SECTION, out, [&] {
    out.u32(COUNT);
    for (uint32_t i = 0; i < COUNT; ++i) {
      uint32_t group = i - i % 8;
      std::string number = std::to_string(i);
      switch (i % 8) {
        case 0:
          out.u8(0x72);
          out.u32(2);
          out.name("field-number-" + number);
          out.u8(U32);
          out.name("name");
          out.u8(STRING);
          break;
        case 1:
          out.u8(0x70);  // list
          out.s33(group);
          break;
        case 2:
          out.u8(0x6b);  // option
          out.s33(group + 1);
          break;
        case 3:
          out.u8(0x71);  // variant
          out.u32(2);
          out.name("first-case-" + number);
          out.u8(1);
          out.s33(group);
          out.u8(0);
          out.name("none");
          out.u8(0);
          out.u8(0);
          break;
        case 4:
          out.u8(0x6d);  // enum
          out.u32(3);
          for (const char* label : {"red-", "green-", "blue-"}) out.name(label + number);
          break;
        case 5:
          out.u8(0x6f);  // tuple
          out.u32(2);
          out.s33(group + 2);
          out.s33(group + 4);
          break;
        case 6:
          out.u8(0x6a);  // result
          out.u8(1);
          out.s33(group + 3);
          out.u8(1);
          out.u8(STRING);
          break;
        default:
          out.u8(0x40);  // func
          out.u32(2);
          out.name("first");
          out.s33(group + 5);
          out.name("second");
          out.u8(U32);
          out.u8(0);
          out.s33(group + 6);
          break;
      }
    }
  });
}

void benchGenerated(std::vector<Row>& rows, const char* name, const std::vector<std::byte>& bytes,
                    const char* goal) {
  TempFolder folder;
  std::string path = folder / "generated.wasm";
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  addValidation(rows, name, path, goal);
}

}  // namespace

void benchValidation(const Wanted& wanted, std::vector<Row>& rows) {
  constexpr const char* GOAL = "<= 1.0 of wasm-tools validate";
  if (wanted("validate/10m")) addValidation(rows, "validate/10m", guestPath("js_types"), GOAL);
  if (wanted("validate/records")) benchGenerated(rows, "validate/records", manyRecords(), GOAL);
  if (wanted("validate/types")) benchGenerated(rows, "validate/types", manyTypes(), "");
  if (wanted("decode/20m")) benchDecode(rows);
  if (wanted("decode/definitions")) benchDefinitions(rows);
}

}  // namespace tenon::bench
