#pragma once

// What a component may do with the network.

#include <string>
#include <vector>

namespace tenon {

// Whom a component may talk to, by TCP and UDP: nobody, unless it is said here.
//
// A grant is "HOST:PORT". HOST is an IP address (IPv6 in brackets), a range of them ("10.0.0.0/8",
// "[fd00::/8]") or "*" for every address; in `connect` it may also be a name, or "*.NAME" for every
// name below NAME. PORT is a number, a range ("8000-8999") or "*".
//
// A name grants the addresses that the component was told when it looked the name up: what is
// checked is the address that it connects to. It grants no private, link-local or loopback address,
// so that nobody who answers for a name can open the inner network; such addresses are granted as
// addresses. "localhost" grants loopback addresses.
struct NetworkOptions {
  // To connect to and to exchange datagrams with. Names that are not granted cannot be looked up.
  std::vector<std::string> connect;
  // Addresses of this machine to wait for connections and datagrams at, and to answer from. Port 0
  // is any free port.
  std::vector<std::string> listen;
};

}  // namespace tenon
