#pragma once

// What the host functions of this part find in HostCall::part: everything that one component
// was given. Bound to its loop's thread.

#include "call/host_call.h"
#include "call/refusals.h"
#include "net/lingering.h"
#include "net/streams.h"
#include "wasi/filesystem/filesystem.h"
#include "wasi/io/handles.h"
#include "wasi/sockets/access.h"
#include "wasi/wasi.h"

#include <kj/time.h>
#include <kj/timer.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::http {
class Client;
}  // namespace tenon::http

namespace tenon::wasi {

// Time as one component sees it. References: to the loop's timer and to clocks that outlive the
// context.
struct Clocks {
  kj::Timer& timer;                     // waits; its `now` is as old as the loop's turn
  const kj::MonotonicClock& monotonic;  // reads; the same origin as `timer`
  const kj::Clock& wall;
};

class ContextImpl final : public Context {
 public:
  // May use no network and waits for nothing of the system until it is said.
  explicit ContextImpl(Clocks clocks);

  Clocks clocks;
  kj::UnixEventPort* eventPort = nullptr;  // null: nothing of the system can be waited for
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::pair<std::string, std::string>> configuration;
  // Shared, because every `get-stdin` gives another handle to the same stream. Never null.
  std::shared_ptr<net::InputSource> input;
  std::shared_ptr<net::OutputSink> output;
  std::shared_ptr<net::OutputSink> error;
  bool inputIsTerminal = false;
  bool outputIsTerminal = false;
  bool errorIsTerminal = false;
  std::vector<Preopen> preopens;
  std::shared_ptr<tenon::http::Client> http;  // null: no server may be reached
  // Shared with copies of this context. Never null. `network` uses `lingering`; `pipe` is empty
  // while a guest runs.
  std::shared_ptr<net::Lingering> lingering;
  std::shared_ptr<sockets::NetworkAccess> network;
  std::shared_ptr<net::KernelPipe> pipe;
  std::shared_ptr<call::Refusals> refusals;

  // Tells people that the component asked for what it was not granted.
  void refused(Refusal::Kind kind, std::string_view target = {}) {
    refusals->tell(component(), kind, target);
  }

  void failed() override { refusals->tellRemembered(component()); }
  kj::Promise<void> drained() override;
  // Whether `drained` resolves at once.
  bool isDrained();
  std::unique_ptr<call::PluginState> copy() const override {
    return std::make_unique<ContextImpl>(*this);
  }

  // Room for the bytes of one operation; what is in it lives until the guest runs again. MAX_READ
  // bytes.
  std::span<std::byte> scratch();

 private:
  // Not copied with the context.
  struct Scratch {
    Scratch() = default;
    Scratch(const Scratch&) noexcept {}
    std::unique_ptr<std::byte[]> bytes;
  };
  Scratch scratch_;
};

inline ContextImpl& contextOf(call::HostCall& call) {
  return static_cast<ContextImpl&>(*call.part->find<Context>());
}

}  // namespace tenon::wasi
