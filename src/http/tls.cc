#include "http/tls.h"

#include "net/address.h"

#include <kj/debug.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace tenon::http {
namespace {

// How many messages behind the handshake a peer may send: so many, and one more for so many bytes.
constexpr uint64_t MOST_MESSAGES = 32;
constexpr uint64_t BYTES_FOR_A_MESSAGE = 64 * 1024;

// What a peer has sent since the first of them.
struct Received {
  uint64_t bytes = 0;
  uint64_t messages = 0;
};

void freeReceived(void*, void* received, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Received*>(received);
}

int indexOfReceived() {
  static const int INDEX = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, freeReceived);
  return INDEX;
}

bool isBehindHandshake(int type) {
  return type == SSL3_MT_HELLO_REQUEST || type == SSL3_MT_NEWSESSION_TICKET ||
         type == SSL3_MT_KEY_UPDATE;
}

void onMessage(int sent, int, int type, const void* data, size_t size, SSL* ssl, void*) {
  if (sent) return;
  auto* bytes = static_cast<const unsigned char*>(data);
  auto* received = static_cast<Received*>(SSL_get_ex_data(ssl, indexOfReceived()));
  if (type == SSL3_RT_HEADER) {
    if (received && size >= 5) received->bytes += size_t{bytes[3]} << 8 | bytes[4];
    return;
  }
  if (type != SSL3_RT_HANDSHAKE || size == 0 || !isBehindHandshake(bytes[0])) return;
  if (!received) {
    auto counted = std::make_unique<Received>();
    if (SSL_set_ex_data(ssl, indexOfReceived(), counted.get()) == 0) return;
    received = counted.release();
  }
  if (++received->messages <= MOST_MESSAGES + received->bytes / BYTES_FOR_A_MESSAGE) return;
  // Nothing is read or written any more.
  SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

void onInfo(const SSL* constant, int where, int) {
  if (where != SSL_CB_HANDSHAKE_START || SSL_is_server(constant)) return;
  auto* ssl = const_cast<SSL*>(constant);
  X509_VERIFY_PARAM_set_hostflags(SSL_get0_param(ssl), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                           X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  net::AddressBytes address;
  if (name && net::parseAddress(name, address)) (void)SSL_set_tlsext_host_name(ssl, nullptr);
}

// The library keeps OpenSSL's context to itself. An explicit instantiation may name what is
// private; another version of the library that has it no more does not compile.
template <auto MEMBER>
struct Reveal {
  friend void* opensslOf(kj::TlsContext& context) { return context.*MEMBER; }
};
void* opensslOf(kj::TlsContext& context);
template struct Reveal<&kj::TlsContext::ctx>;

class BytesInFront final : public kj::AsyncIoStream {
 public:
  BytesInFront(kj::Array<kj::byte> bytes, kj::Own<kj::AsyncIoStream> rest)
      : bytes_(kj::mv(bytes)), rest_(kj::mv(rest)) {}

  kj::Promise<size_t> tryRead(void* buffer, size_t least, size_t most) override {
    size_t count = std::min(most, bytes_.size() - used_);
    if (count == 0) return rest_->tryRead(buffer, least, most);
    std::memcpy(buffer, bytes_.begin() + used_, count);
    used_ += count;
    if (count >= least) return count;
    auto* behind = static_cast<kj::byte*>(buffer) + count;
    return rest_->tryRead(behind, least - count, most - count).then([count](size_t more) {
      return count + more;
    });
  }
  kj::Promise<void> write(const void* buffer, size_t size) override {
    return rest_->write(buffer, size);
  }
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override {
    return rest_->write(pieces);
  }
  kj::Promise<void> whenWriteDisconnected() override { return rest_->whenWriteDisconnected(); }
  void shutdownWrite() override { rest_->shutdownWrite(); }
  void abortRead() override { rest_->abortRead(); }
  void getsockopt(int level, int option, void* value, kj::uint* length) override {
    rest_->getsockopt(level, option, value, length);
  }
  void setsockopt(int level, int option, const void* value, kj::uint length) override {
    rest_->setsockopt(level, option, value, length);
  }
  void getsockname(sockaddr* address, kj::uint* length) override {
    rest_->getsockname(address, length);
  }
  void getpeername(sockaddr* address, kj::uint* length) override {
    rest_->getpeername(address, length);
  }
  kj::Maybe<int> getFd() const override { return rest_->getFd(); }

 private:
  kj::Array<kj::byte> bytes_;
  size_t used_ = 0;
  kj::Own<kj::AsyncIoStream> rest_;
};

}  // namespace

Tls::Tls(kj::TlsContext::Options options) : context_(kj::mv(options)) {
  auto* openssl = static_cast<SSL_CTX*>(opensslOf(context_));
  (void)indexOfReceived();
  SSL_CTX_set_info_callback(openssl, onInfo);
  SSL_CTX_set_msg_callback(openssl, onMessage);
  SSL_CTX_set_options(openssl, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(openssl, SSL_MODE_RELEASE_BUFFERS);
}

kj::Promise<kj::Own<kj::AsyncIoStream>> Tls::connect(kj::Own<kj::AsyncIoStream> stream,
                                                     kj::StringPtr host) {
  return context_.wrapClient(kj::mv(stream), host);
}

kj::Promise<kj::Own<kj::AsyncIoStream>> Tls::accept(kj::Own<kj::AsyncIoStream> stream) {
  return context_.wrapServer(kj::mv(stream));
}

kj::Own<kj::AsyncIoStream> withBytesInFront(kj::Array<kj::byte> bytes,
                                            kj::Own<kj::AsyncIoStream> rest) {
  return kj::heap<BytesInFront>(kj::mv(bytes), kj::mv(rest));
}

}  // namespace tenon::http
