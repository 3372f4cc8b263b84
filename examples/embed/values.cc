// Calls and host functions whose types are known at run time only.
#include <tenon/tenon.h>

#include <iostream>
#include <string>
#include <vector>

int main(int, char** argv) {
  auto engine = tenon::Engine::create().value();
  auto cart = tenon::Component::load(engine, argv[1]).value();
  tenon::Loop loop;
  tenon::Linker linker;
  linker.wasi();
  // [values]
  for (const tenon::FunctionInfo& import : cart.imports()) {
    if (!import.interface.starts_with("demo:shop/")) continue;
    linker.dynamicFunction(
        import.interface, import.name,
        [](const tenon::FunctionInfo& function,
           std::vector<tenon::Value> arguments) -> tenon::Result<std::vector<tenon::Value>> {
          std::cout << function.path() << "(" << toWave(arguments[0]) << ")\n";
          tenon::Record offer{{{"cents", uint32_t{50}}, {"seller", "us"}}};
          return std::vector<tenon::Value>{tenon::Option{tenon::Value(offer)}};
        });
  }
  auto instance = linker.instantiate(cart, loop).value();
  auto total = instance.function("total").value();
  std::cout << total.info().path() << ": " << toString(total.info().type) << "\n";
  auto arguments = total.parseArguments(std::vector<std::string>{R"(["tea", "bread"])"}).value();
  auto results = total.call(arguments).value();
  std::cout << toWave(results.at(0)) << "\n";
  // [/values]
}
