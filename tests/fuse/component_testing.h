#pragma once

// What tests of whole components share: they go through decoder, flattener and fuser, with and
// without shims, and run.

#include "component/binary/decoder.h"
#include "component/flatten/flatten.h"
#include "component/fuse/fuse.h"
#include "test_runtime.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tenon::component::testing {

class ComponentTest : public ::testing::TestWithParam<Rewriting> {
 protected:
  Result<Program> compile(const std::string& text, const Features& features = {}) {
    bytes.push_back(assemble(text));
    auto decoded = decode(bytes.back(), features);
    if (!decoded) return decoded.error();
    auto program = flatten(**decoded, "test");
    components.push_back(*std::move(decoded));
    if (!program) return program;
    std::vector<const std::byte*> shipped = modulesOf(*program);
    Result<void> fused = fuse(*program, GetParam());
    if (!fused) return fused.error();
    if (GetParam() == Rewriting::OFF) EXPECT_EQ(modulesOf(*program), shipped);
    for (const ModuleBytes& module : program->modules) {
      if (module.generated) EXPECT_EQ(validateBytes(module.bytes), "");
    }
    return program;
  }
  // The code of every step but those with adapters, in their order.
  static std::vector<const std::byte*> modulesOf(const Program& program) {
    std::vector<const std::byte*> modules;
    for (const InstantiateStep& step : program.steps) {
      if (step.instance != NONE) modules.push_back(program.modules[step.module].bytes.data());
    }
    return modules;
  }
  void load(const std::string& text,
            std::map<std::string, TestRuntime::HostFunction> imports = {}) {
    auto program = compile(text);
    ASSERT_TRUE(program.ok()) << program.error().text();
    runtime = std::make_unique<TestRuntime>(*std::move(program), std::move(imports));
  }
  void loadWell(const std::string& text,
                std::map<std::string, TestRuntime::HostFunction> imports = {}) {
    load(text, std::move(imports));
    ASSERT_TRUE(runtime);
    ASSERT_FALSE(runtime->instantiation().trapped) << runtime->instantiation().message;
  }
  uint32_t value(const std::string& name, std::vector<uint32_t> arguments = {}) {
    std::vector<RawValue> raw;
    for (uint32_t argument : arguments) raw.push_back(rawI32(argument));
    Outcome outcome = runtime->call(name, raw);
    EXPECT_FALSE(outcome.trapped) << name << ": " << outcome.message;
    return outcome.trapped || outcome.values.empty() ? 0 : outcome.i32();
  }

  std::vector<std::vector<std::byte>> bytes;
  std::vector<std::unique_ptr<Component>> components;
  std::unique_ptr<TestRuntime> runtime;
};

}  // namespace tenon::component::testing
