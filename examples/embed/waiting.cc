// Host functions that make the guest wait, until another thread has the answer.
#include "shop.h"

#include <tenon/tenon.h>

#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

int main(int, char** argv) {
  auto engine = tenon::Engine::create().value();
  auto cart = tenon::Component::load(engine, argv[1]).value();
  tenon::Loop loop;
  tenon::Linker linker;
  linker.wasi();
  // [waiting]
  // Prices come from elsewhere: of a thread here, of a database or a service in earnest.
  std::vector<std::thread> lookUps;
  linker.function("demo:shop/prices", "find", [&lookUps](std::string_view item) {
    tenon::Completer<std::optional<Offer>> completer;
    auto offer = completer.pending();
    lookUps.emplace_back([completer, item = std::string(item)] {
      if (item == "apple") completer.complete(Offer{50, "us"});
      if (item == "pear") completer.fail({tenon::ErrorCode::IO, "the prices are gone"});
    });
    return offer;
  });
  for (const char* item : {"apple", "pear", "plum"}) {
    auto instance = linker.instantiate(cart, loop).value();
    auto cents = instance.function<Total>("", "total").value()({item});
    if (cents) std::cout << item << ": " << **cents << " cents\n";
    if (!cents) std::cout << item << ": " << cents.error().message << "\n";
  }
  // [/waiting]
  for (std::thread& lookUp : lookUps) lookUp.join();
}
