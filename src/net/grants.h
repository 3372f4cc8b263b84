#pragma once

// What a component may do with the network, decided without touching it: parsed grants, and whom
// they match. Immutable, shared freely. The texts are those of <tenon/network.h>.

#include "net/address.h"

#include <tenon/network.h>
#include <tenon/result.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::net {

struct PortRange {
  uint16_t first = 0;
  uint16_t last = 65535;

  bool contains(uint16_t port) const { return first <= port && port <= last; }
};

// One grant.
struct Grant {
  enum class Kind : uint8_t { ANY, RANGE, NAME, BELOW_NAME };
  Kind kind = Kind::ANY;
  AddressRange range;  // RANGE
  std::string name;    // NAME, BELOW_NAME: as `normalName` makes it
  PortRange ports;
};

class Grants {
 public:
  // Errors: INVALID_ARGUMENT, naming the grant.
  static Result<Grants> parse(const NetworkOptions& options);

  bool none() const { return connect_.empty() && listen_.empty(); }
  bool mayConnectAnywhere() const { return !connect_.empty(); }

  // By its address alone.
  bool mayConnect(const AddressBytes& address, uint16_t port) const;
  bool mayListen(const AddressBytes& address, uint16_t port) const;

  // Whether a name may be looked up. `name` as `normalName` makes it.
  bool mayLookUp(std::string_view name) const;
  // The ports of what a name was resolved to. Empty: `address` is none that a name opens.
  std::vector<PortRange> portsOf(std::string_view name, const AddressBytes& address) const;

 private:
  std::vector<Grant> connect_;
  std::vector<Grant> listen_;
};

// A host name as it is looked up: in lower case, without a dot at the end, and what is not ASCII by
// IDNA ("xn--bcher-kva"). Empty: it is not one. A name is at most 253 bytes of labels with at most
// 63 bytes, of letters, digits, '-' and '_'; the last label is no number, so that nothing is taken
// for a name that systems read as an address. Source: wasi:sockets/ip-name-lookup, RFC 5891, UTS
// #46.
std::string normalName(std::string_view name);

}  // namespace tenon::net
