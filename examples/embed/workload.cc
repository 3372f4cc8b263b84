// Two components as one workload: what the cart imports, the shelf exports.
#include "shop.h"

#include <tenon/tenon.h>

#include <iostream>

int main(int, char** argv) {
  auto engine = tenon::Engine::create().value();
  auto cart = tenon::Component::load(engine, argv[1]).value();
  auto shelf = tenon::Component::load(engine, argv[2]).value();
  tenon::Loop loop;
  // [workload]
  auto shop = tenon::Workload::fromComponents(
                  engine, "shop",
                  {{.name = "cart", .component = cart}, {.name = "shelf", .component = shelf}})
                  .value();
  tenon::Linker linker;
  linker.wasi();
  for (const tenon::PlannedComponent& component : shop.plan(linker).components) {
    for (const tenon::PlannedLink& link : component.links) {
      if (link.cost != tenon::LinkCost::FUSED) continue;
      std::cout << component.name << " gets " << link.import << " from " << link.component << "\n";
    }
  }
  auto instance = shop.instantiate(linker, loop).value();
  auto total = instance.function<Total>("cart", "", "total").value();
  std::cout << *total({"tea", "bread"}).value() << "\n";
  // [/workload]
}
