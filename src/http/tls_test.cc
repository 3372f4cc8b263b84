#include "http/tls.h"

#include "net/failure.h"

#include <kj/async-io.h>
#include <kj/debug.h>

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <utility>

namespace tenon::http {
namespace {

template <auto FREE>
struct Freeing {
  void operator()(auto* object) const { FREE(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freeing<X509_free>>;

template <typename Write>
std::string pemOf(Write&& write) {
  std::unique_ptr<BIO, Freeing<BIO_free_all>> to(BIO_new(BIO_s_mem()));
  write(to.get());
  char* text = nullptr;
  auto size = static_cast<size_t>(BIO_get_mem_data(to.get(), &text));
  return {text, size};
}

// A certificate that is its own authority. `names`: as "DNS:a,IP:1.2.3.4"; empty: none.
struct Identity {
  Identity(const std::string& commonName, const std::string& names) {
    Key pair(EVP_EC_gen("P-256"));
    Certificate made(X509_new());
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
    X509_set_pubkey(made.get(), pair.get());
    X509_NAME* name = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(commonName.c_str()), -1, -1,
                               0);
    X509_set_issuer_name(made.get(), name);
    if (!names.empty()) {
      X509_EXTENSION* extension =
          X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
      X509_add_ext(made.get(), extension, -1);
      X509_EXTENSION_free(extension);
    }
    X509_sign(made.get(), pair.get(), EVP_sha256());
    certificate = pemOf([&](BIO* to) { PEM_write_bio_X509(to, made.get()); });
    key = pemOf([&](BIO* to) {
      PEM_write_bio_PrivateKey(to, pair.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  std::string certificate;
  std::string key;
};

kj::StringPtr view(const std::string& text) { return {text.c_str(), text.size()}; }

// Which names clients asked for.
struct Names final : kj::TlsSniCallback {
  kj::Maybe<kj::TlsKeypair> getKey(kj::StringPtr name) override {
    asked += std::string(name.cStr()) + ";";
    return nullptr;
  }
  std::string asked;
};

class HttpTls : public testing::Test {
 public:
  ~HttpTls() noexcept override {}

 protected:
  std::unique_ptr<Tls> server(const Identity& identity) {
    kj::TlsKeypair pair{kj::TlsPrivateKey(view(identity.key)),
                        kj::TlsCertificate(view(identity.certificate))};
    kj::TlsContext::Options options;
    options.useSystemTrustStore = false;
    options.defaultKeypair = pair;
    options.sniCallback = names;
    return std::make_unique<Tls>(kj::mv(options));
  }
  // "" when the client takes the server for `host`; else why not.
  std::string connect(const Identity& identity, const std::string& host) {
    return connect(identity, identity, host);
  }
  std::string connect(const Identity& identity, const Identity& trusted, const std::string& host) {
    auto serving = server(identity);
    kj::TlsCertificate root(view(trusted.certificate));
    kj::TlsContext::Options options;
    options.useSystemTrustStore = false;
    options.trustedCertificates = kj::arrayPtr(&root, 1);
    Tls client(kj::mv(options));
    auto pipe = kj::newTwoWayPipe();
    auto accepting = serving->accept(kj::mv(pipe.ends[0])).eagerlyEvaluate(nullptr);
    std::string failure;
    client.connect(kj::mv(pipe.ends[1]), view(host))
        .then([](kj::Own<kj::AsyncIoStream>) {},
              [&](kj::Exception&& exception) {
                failure = exception.getDescription().cStr();
                if (failure.empty()) failure = "failed";
                why = net::failureOf(exception);
              })
        .wait(io.waitScope);
    return failure;
  }

  kj::AsyncIoContext io = kj::setupAsyncIo();
  Names names;
  net::Failure why = net::Failure::OTHER;  // of the last `connect`
};

TEST_F(HttpTls, AServerIsKnownByItsAlternativeNames) {
  Identity identity("x", "DNS:a.example,DNS:*.b.example,IP:127.0.0.1,IP:::1");
  for (const char* host : {"a.example", "A.example", "c.b.example", "127.0.0.1", "::1"}) {
    EXPECT_EQ(connect(identity, host), "") << host;
  }
  for (const char* host : {"b.example", "x.c.b.example", "x", "127.0.0.2", "::2"}) {
    EXPECT_NE(connect(identity, host), "") << host;
  }
}

TEST_F(HttpTls, AServerIsNotKnownByItsCommonName) {
  EXPECT_NE(connect(Identity("a.example", ""), "a.example"), "");
  EXPECT_NE(connect(Identity("a.example", "IP:127.0.0.1"), "a.example"), "");
  EXPECT_NE(connect(Identity("127.0.0.1", ""), "127.0.0.1"), "");
}

TEST_F(HttpTls, AWildcardIsAWholeLabel) {
  for (const char* pattern : {"DNS:f*.a.example", "DNS:*o.a.example", "DNS:f*o.a.example"}) {
    EXPECT_NE(connect(Identity("x", pattern), "foo.a.example"), "") << pattern;
  }
  EXPECT_EQ(connect(Identity("x", "DNS:*.a.example"), "foo.a.example"), "");
}

// Texts of the library that net::failureOf reads.
TEST_F(HttpTls, AServerThatIsNotTrustedIsToldFromOneThatFails) {
  Identity identity("x", "DNS:a.example");
  EXPECT_NE(connect(identity, Identity("y", "DNS:a.example"), "a.example"), "");
  EXPECT_EQ(why, net::Failure::NOT_TRUSTED);
  EXPECT_NE(connect(identity, "b.example"), "");
  EXPECT_EQ(why, net::Failure::NOT_TRUSTED);
  unsigned long code = ERR_PACK(ERR_LIB_SSL, 0, SSL_R_CERTIFICATE_VERIFY_FAILED);
  EXPECT_EQ(net::failureOf(KJ_EXCEPTION(FAILED, "OpenSSL error", ERR_reason_error_string(code))),
            net::Failure::CERTIFICATE);
}

TEST_F(HttpTls, AnAddressIsNoServerName) {
  Identity identity("x", "DNS:a.example,IP:127.0.0.1,IP:::1");
  for (const char* host : {"127.0.0.1", "::1", "a.example"}) EXPECT_EQ(connect(identity, host), "");
  EXPECT_EQ(names.asked, "a.example;");
}

// A client of OpenSSL's own, which does what it should not.
class Raw {
 public:
  Raw(kj::AsyncIoStream& stream, kj::WaitScope& waitScope)
      : stream_(stream),
        waitScope_(waitScope),
        context_(SSL_CTX_new(TLS_client_method())),
        ssl_(SSL_new(context_.get())) {
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl_.get());
  }
  void shakeHands() {
    while (SSL_do_handshake(ssl_.get()) != 1) move();
    move();
  }
  void updateKey() {
    SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
    SSL_do_handshake(ssl_.get());
    move();
  }
  void write(std::string_view text) {
    SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
    move();
  }

 private:
  // What it has to say to the server, and back what there is.
  void move() {
    char bytes[16 * 1024];
    int count = 0;
    while ((count = BIO_read(SSL_get_wbio(ssl_.get()), bytes, sizeof(bytes))) > 0) {
      auto writing = stream_.write(bytes, static_cast<size_t>(count));
      if (!writing.poll(waitScope_)) return;  // nobody reads it
      writing.then([]() {}, [](kj::Exception&&) {}).wait(waitScope_);
    }
    while (true) {
      auto reading = stream_.tryRead(bytes, 1, sizeof(bytes));
      if (!reading.poll(waitScope_)) return;
      size_t got = 0;
      reading.then([&](size_t size) { got = size; }, [](kj::Exception&&) {}).wait(waitScope_);
      if (got == 0) return;
      BIO_write(SSL_get_rbio(ssl_.get()), bytes, static_cast<int>(got));
    }
  }

  kj::AsyncIoStream& stream_;
  kj::WaitScope& waitScope_;
  std::unique_ptr<SSL_CTX, Freeing<SSL_CTX_free>> context_;
  std::unique_ptr<SSL, Freeing<SSL_free>> ssl_;
};

TEST_F(HttpTls, KeyUpdatesWithoutEndEndTheConnection) {
  Identity identity("x", "DNS:a.example");
  auto serving = server(identity);
  auto pipe = kj::newTwoWayPipe();
  auto accepting = serving->accept(kj::mv(pipe.ends[0]));
  Raw client(*pipe.ends[1], io.waitScope);
  (void)accepting.poll(io.waitScope);
  client.shakeHands();
  ASSERT_TRUE(accepting.poll(io.waitScope));
  auto stream = accepting.wait(io.waitScope);

  char bytes[100];
  auto reading = stream->tryRead(bytes, 1, sizeof(bytes));
  for (int i = 0; i < 20; ++i) client.updateKey();
  EXPECT_FALSE(reading.poll(io.waitScope));
  client.write("hello");
  ASSERT_TRUE(reading.poll(io.waitScope));
  EXPECT_EQ(reading.wait(io.waitScope), 5u);

  bool ended = false;
  auto next =
      stream->tryRead(bytes, 1, sizeof(bytes))
          .then([&](size_t count) { ended = count == 0; }, [&](kj::Exception&&) { ended = true; })
          .eagerlyEvaluate(nullptr);
  for (int i = 0; i < 20; ++i) client.updateKey();
  client.write("more");
  EXPECT_TRUE(next.poll(io.waitScope));
  EXPECT_TRUE(ended);
}

TEST_F(HttpTls, BytesThatWereReadBeforeComeFirst) {
  auto pipe = kj::newTwoWayPipe();
  auto writing = pipe.ends[1]->write("world", 5).eagerlyEvaluate(nullptr);
  auto stream =
      withBytesInFront(kj::heapArray(kj::StringPtr("hello ").asBytes()), kj::mv(pipe.ends[0]));
  char bytes[16];
  EXPECT_EQ(stream->tryRead(bytes, 1, 3).wait(io.waitScope), 3u);
  EXPECT_EQ(stream->tryRead(bytes + 3, 8, sizeof(bytes) - 3).wait(io.waitScope), 8u);
  EXPECT_EQ(std::string_view(bytes, 11), "hello world");
}

}  // namespace
}  // namespace tenon::http
