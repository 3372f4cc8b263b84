#pragma once

// TLS for client and server: the library's, with what it has no options for. Bound to the loop's
// thread.

#include <kj/async-io.h>
#include <kj/compat/tls.h>

#include <cstdint>
#include <string_view>

namespace tenon::http {

// Differs from a plain kj::TlsContext in this:
// * a server's name is looked for in the certificate's alternative names only, never in its common
//   name, and a wildcard is a whole label (RFC 9525 sections 6.3 and 7.1);
// * an address is compared with the certificate, but not sent as the server's name (RFC 6066
//   section 3);
// * a peer that renegotiates, or sends key updates or tickets without end, is cut off;
// * an idle connection keeps no buffers of OpenSSL's.
class Tls {
 public:
  explicit Tls(kj::TlsContext::Options options);

  // The end of the other side without a closing alert is an exception of both streams.
  kj::Promise<kj::Own<kj::AsyncIoStream>> connect(kj::Own<kj::AsyncIoStream> stream,
                                                  kj::StringPtr host);
  kj::Promise<kj::Own<kj::AsyncIoStream>> accept(kj::Own<kj::AsyncIoStream> stream);

 private:
  kj::TlsContext context_;
};

// A stream that begins with `bytes`, which were read from it before, and goes on with `rest`.
kj::Own<kj::AsyncIoStream> withBytesInFront(kj::Array<kj::byte> bytes,
                                            kj::Own<kj::AsyncIoStream> rest);

}  // namespace tenon::http
