// The smallest embedder: gives a component a function, and calls it. docs/embedding.md and the
// README quote it.
#include <iostream>

// [program]
#include <tenon/tenon.h>

struct Offer {  // a record of the component's world: the same fields in the same order
  uint32_t cents = 0;
  std::string seller;
};
TENON_RECORD(Offer, cents, seller)

int main(int, char** argv) {
  auto engine = tenon::Engine::create().value();
  auto component = tenon::Component::load(engine, argv[1]).value();
  tenon::Linker linker;
  linker.wasi();
  linker.function("demo:shop/prices", "find", [](std::string_view item) -> std::optional<Offer> {
    if (item == "apple") return Offer{50, "us"};
    return std::nullopt;
  });
  tenon::Loop loop;
  auto instance = linker.instantiate(component, loop).value();
  using Total = tenon::Expected<uint32_t, std::string>(std::vector<std::string>);
  auto total = instance.function<Total>("", "total").value();
  std::cout << "two apples: " << *total({"apple", "apple"}).value() << " cents\n";
  std::cout << "not for sale: " << total({"apple", "pear"}).value().error() << "\n";
}
// [/program]
