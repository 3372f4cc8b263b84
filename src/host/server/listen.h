#pragma once

// Where a server listens: addresses of the network, sockets in the file system, and sockets that
// somebody opened for it.

#include <tenon/result.h>

#include <kj/io.h>

#include <sys/types.h>

#include <cstdint>
#include <string>

struct sockaddr;

namespace tenon::host {

struct Listening {
  kj::AutoCloseFd fd;
  uint16_t port = 0;        // 0: it has none
  std::string authority;    // how it is asked from this machine: "localhost:80", "unix:/PATH"
  std::string place;        // the same for people: "[::]:80"
  bool everywhere = false;  // on all addresses of the machine
  bool isFile() const { return port == 0; }
};

// A socket in the file system, which goes with this unless another took its place.
class SocketFile {
 public:
  // `path`: of a socket that was just bound; empty: nothing is to go.
  explicit SocketFile(std::string path);
  ~SocketFile();
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t number_ = 0;
};

// `address`: as ServerOptions::address. Errors: INVALID_ARGUMENT; PERMISSION, IO: it cannot be had.
Result<Listening> listenOn(const std::string& address);
// `fd`: stays the caller's when it cannot be used. Errors: INVALID_ARGUMENT: it does not listen.
Result<Listening> takeListening(int fd);

// "127.0.0.1:53124", "[::1]:53124"; an IPv4 address in the form that IPv6 has for it is one of
// IPv4. Sockets in the file system: "unix". Empty: something else.
std::string addressText(const sockaddr& address);

}  // namespace tenon::host
