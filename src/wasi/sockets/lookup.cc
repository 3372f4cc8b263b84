// wasi:sockets/ip-name-lookup. The system's resolver blocks, so it runs on a thread.

#include "net/workers.h"
#include "wasi/binder.h"
#include "wasi/context.h"
#include "wasi/io/io.h"
#include "wasi/sockets/sockets.h"

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::wasi::sockets {
namespace {

// Of one name. More are dropped.
constexpr size_t MAX_ADDRESSES = 256;
constexpr uint64_t LOOKUP_COST = MAX_ADDRESSES * sizeof(net::AddressBytes) + 1024;

struct Resolved {
  std::vector<net::AddressBytes> addresses;
  std::optional<ErrorCode> failure;
};

Resolved resolve(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;  // else each address comes once a type
  addrinfo* list = nullptr;
  int problem = ::getaddrinfo(name.c_str(), nullptr, &hints, &list);
  if (problem != 0) return {{}, fromResolver(problem, errno)};
  Resolved resolved;
  for (const net::AddressBytes& found : net::addressesOf(list)) {
    net::AddressBytes address = net::unmapped(found);
    auto& all = resolved.addresses;
    if (all.size() == MAX_ADDRESSES) break;
    if (std::find(all.begin(), all.end(), address) == all.end()) all.push_back(address);
  }
  ::freeaddrinfo(list);
  if (resolved.addresses.empty()) resolved.failure = ErrorCode::NAME_UNRESOLVABLE;
  return resolved;
}

class Lookup final : public call::Waitable {
 public:
  explicit Lookup(net::AddressBytes address) : done_(true) { resolved_.addresses = {address}; }

  // `name` as `normalName` makes it.
  Lookup(std::shared_ptr<NetworkAccess> access, std::shared_ptr<void> place, std::string name,
         std::shared_ptr<call::MemoryBudget> budget)
      : charge_(std::move(budget)), access_(std::move(access)), name_(std::move(name)) {
    charge_.force(LOOKUP_COST);
    // The place is taken until a thread is done with it, also when nobody waits any more; then it
    // only passes by.
    kj::Function<Resolved()> work = [name = name_, place = std::move(place),
                                     wanted = std::weak_ptr(wanted_)]() {
      return wanted.expired() ? Resolved() : resolve(name);
    };
    auto finish = [this](Resolved resolved) {
      if (access_) access_->learn(name_, resolved.addresses);
      resolved_ = std::move(resolved);
      done_ = true;
    };
    auto fail = [this](kj::Exception&&) {
      resolved_.failure = ErrorCode::TEMPORARY_RESOLVER_FAILURE;
      done_ = true;
    };
    running_ = net::Workers::forNames().run(kj::mv(work)).then(kj::mv(finish), kj::mv(fail)).fork();
  }

  SocketResult<std::optional<IpAddress>> next() {
    if (!done_) return Unexpected{ErrorCode::WOULD_BLOCK};
    if (resolved_.failure) return Unexpected{*resolved_.failure};
    if (next_ == resolved_.addresses.size()) return std::optional<IpAddress>();
    return std::optional(toIpAddress(resolved_.addresses[next_++]));
  }

  bool ready() override { return done_; }
  kj::Promise<void> whenReady() override {
    if (done_) return kj::READY_NOW;
    return running_.addBranch();
  }

 private:
  call::MemoryCharge charge_;
  std::shared_ptr<NetworkAccess> access_;
  std::string name_;
  std::shared_ptr<bool> wanted_ = std::make_shared<bool>(true);  // as long as this lives
  Resolved resolved_;
  size_t next_ = 0;
  bool done_ = false;
  kj::ForkedPromise<void> running_ = nullptr;  // last: uses everything above
};

struct ResolveAddressStream final : call::HostObject {
  explicit ResolveAddressStream(std::shared_ptr<Lookup> lookup) : lookup(std::move(lookup)) {}
  std::shared_ptr<Lookup> lookup;
};

SocketResult<Own<ResolveAddressStream>> resolveAddresses(call::HostCall& call, Network&,
                                                         std::string_view name) {
  auto answer = [&call](std::shared_ptr<Lookup> lookup) {
    return give(call, std::make_unique<ResolveAddressStream>(std::move(lookup)));
  };
  net::AddressBytes address;
  bool brackets = name.starts_with('[') && name.ends_with(']');
  if (net::parseAddress(brackets ? name.substr(1, name.size() - 2) : name, address) &&
      (!brackets || address.family == IpAddressFamily::IPV6)) {
    return answer(std::make_shared<Lookup>(net::unmapped(address)));
  }

  std::string normal = net::normalName(name);
  if (normal.empty()) return Unexpected{ErrorCode::INVALID_ARGUMENT};
  auto access = contextOf(call).network;
  if (!access->grants.mayLookUp(normal)) {
    contextOf(call).refused(Refusal::Kind::LOOK_UP, normal);
    return Unexpected{ErrorCode::ACCESS_DENIED};
  }
  auto place = access->beginLookup();
  if (!place) return Unexpected{ErrorCode::TEMPORARY_RESOLVER_FAILURE};
  return answer(std::make_shared<Lookup>(std::move(access), std::move(place), std::move(normal),
                                         call.objects.budget()));
}

SocketResult<std::optional<IpAddress>> resolveNextAddress(call::HostCall&,
                                                          ResolveAddressStream& self) {
  return self.lookup->next();
}

Own<Pollable> subscribe(call::HostCall& call, ResolveAddressStream& self) {
  return givePollable(call, self.lookup);
}

}  // namespace

void provideLookup(call::Registry& registry) {
  Binder(registry, "wasi:sockets/ip-name-lookup@0.2.12")
      .resource("resolve-address-stream")
      .function<resolveAddresses>("resolve-addresses")
      .function<resolveNextAddress>("[method]resolve-address-stream.resolve-next-address")
      .function<subscribe>("[method]resolve-address-stream.subscribe");
}

}  // namespace tenon::wasi::sockets
