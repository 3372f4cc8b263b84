// One component on two threads, and behind a server.
#include "shop.h"

#include <tenon/tenon.h>

#include <atomic>
#include <iostream>
#include <thread>

int main(int, char** argv) {
  auto engine = tenon::Engine::create().value();
  auto cart = tenon::Component::load(engine, argv[1]).value();
  // [prepared]
  std::atomic<uint32_t> lookUps = 0;
  tenon::Linker linker;
  linker.wasi();
  linker.function("demo:shop/prices", "find", [&lookUps](std::string_view) -> std::optional<Offer> {
    ++lookUps;  // on both threads
    return Offer{50, "us"};
  });
  tenon::Prepared prepared = linker.prepare(cart).value();
  auto buyTwo = [&prepared]() {
    tenon::Loop loop;
    auto instance = prepared.instantiate(loop).value();
    (void)instance.function<Total>("", "total").value()({"tea", "bread"});
  };
  std::thread first(buyTwo), second(buyTwo);
  first.join();
  second.join();
  std::cout << lookUps << " look-ups\n";
  // [/prepared]
}
