#pragma once

// What a component asked for and was not granted: for people, who may have forgotten a grant. The
// component gets the error that WASI has for it, and learns nothing else.

#include <cstdint>
#include <string>

namespace tenon {

struct Refusal {
  enum class Kind : uint8_t {
    HTTP,          // a request to `target`: "https://example.com:8443"
    HTTP_PRIVATE,  // the same, by a name that leads to private addresses only
    SOCKET,        // a socket, where neither connecting nor listening is granted; no target
    CONNECT,       // to connect or send datagrams to "10.0.0.7:5432"
    LISTEN,        // to wait for connections or datagrams at "127.0.0.1:8080"
    LOOK_UP,       // the addresses of "example.com"
    DIRECTORIES,   // its directories, of which it has none; told when it failed; no target
    OUTSIDE,       // a path that leads out of a directory: "../secret"
    WRITE,         // to change something below "/data", which may only be read
  };
  Kind kind = Kind::HTTP;
  std::string component;  // its name in a workload; else empty
  std::string target;     // not escaped: a guest made it; at most 256 bytes
  // Whether those that follow are not told.
  bool last = false;
};

}  // namespace tenon
