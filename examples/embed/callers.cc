// Host functions that know who calls them.
#include "shop.h"

#include <tenon/tenon.h>

#include <iostream>

// [session]
// What this program keeps for each instance.
struct Session {
  std::string user;
  uint32_t lookUps = 0;
};

void providePrices(tenon::Linker& linker) {
  linker.function("demo:shop/prices", "find",
                  [](const tenon::Caller& caller, std::string_view item) -> std::optional<Offer> {
                    Session& session = **caller.userData<Session*>();
                    session.lookUps++;
                    std::cout << session.user << "'s " << caller.component() << " asks for " << item
                              << "\n";
                    return Offer{50, "us"};
                  });
}
// [/session]

int main(int, char** argv) {
  auto engine = tenon::Engine::create().value();
  auto cart = tenon::Component::load(engine, argv[1]).value();
  tenon::Linker linker;
  linker.wasi();
  providePrices(linker);
  tenon::Loop loop;
  // [instances]
  // Two components of one workload, instantiated for two users.
  auto workload = tenon::Workload::fromComponents(engine, "carts",
                                                  {{.name = "basket", .component = cart},
                                                   {.name = "wishlist", .component = cart}})
                      .value();
  Session ada{"Ada"}, bob{"Bob"};
  tenon::WorkloadOptions options;
  options.userData = &ada;
  auto adas = workload.instantiate(linker, loop, options).value();
  options.userData = &bob;
  auto bobs = workload.instantiate(linker, loop, options).value();
  (void)adas.function<Total>("basket", "", "total").value()({"apple"});
  (void)bobs.function<Total>("wishlist", "", "total").value()({"tea", "bread"});
  std::cout << ada.lookUps << " and " << bob.lookUps << " look-ups\n";
  // [/instances]
}
