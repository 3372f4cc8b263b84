// Ending calls: by time, from another thread, by an error of a host function.
#include "shop.h"

#include <tenon/tenon.h>

#include <chrono>
#include <iostream>
#include <string_view>
#include <thread>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  // [compiling]
  // To compile, this program is started once more, with words that tell it so.
  if (auto code = tenon::compileWorker(argc, argv)) return *code;
  tenon::EngineOptions settings;
  settings.compiler = "/proc/self/exe";
  settings.compileTimeout = 30s;
  settings.compileMemory = uint64_t{1} << 30;  // bytes
  auto engine = tenon::Engine::create(settings).value();
  // [/compiling]
  auto cart = tenon::Component::load(engine, argv[1]).value();
  tenon::Loop loop;
  tenon::Linker linker;
  linker.wasi();
  // [errors]
  // A host function that fails: the Error ends the guest's call.
  linker.function("demo:shop/prices", "find",
                  [](std::string_view item) -> tenon::Result<std::optional<Offer>> {
                    if (item == "ghost") {
                      return tenon::Error(tenon::ErrorCode::IO, "the prices are gone");
                    }
                    return std::optional(Offer{50, "us"});
                  });
  auto instance = linker.instantiate(cart, loop).value();
  auto total = instance.function<Total>("", "total").value();
  auto failed = total({"ghost"});
  if (!failed) std::cout << failed.error().message << "\n";
  auto again = total({"apple"});
  if (!again) std::cout << again.error().message << "\n";
  // [/errors]

  // [timeout]
  tenon::InstanceOptions options;
  options.timeout = 1s;  // each call may take so long
  auto patient = linker.instantiate(cart, loop, options).value();
  auto watch = patient.function<void(std::string_view)>("", "watch").value();
  auto late = watch.call({.timeout = 50ms}, "apple");  // this one only so long
  if (!late) std::cout << toString(late.error().code) << "\n";
  // [/timeout]

  // [cancel]
  auto watched = linker.instantiate(cart, loop).value();
  auto forever = watched.function<void(std::string_view)>("", "watch").value();
  tenon::Canceller canceller;
  std::thread user([canceller] {
    std::this_thread::sleep_for(50ms);
    canceller.cancel();
  });
  auto ended = forever.call({.canceller = canceller}, "apple");
  if (!ended) std::cout << toString(ended.error().code) << "\n";
  user.join();
  // [/cancel]
}
