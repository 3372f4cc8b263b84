#include "http/client.h"

#include "http/tls.h"
#include "net/descriptor_place.h"
#include "net/failure.h"
#include "net/workers.h"

#include <kj/vector.h>

#include <algorithm>
#include <list>
#include <map>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tenon::http {
namespace {

constexpr kj::Duration CONNECT_TIMEOUT = 30 * kj::SECONDS;
constexpr kj::Duration DEFAULT_TIMEOUT = 600 * kj::SECONDS;
constexpr kj::Duration IDLE_TIME = 15 * kj::SECONDS;
constexpr size_t MAX_IDLE = 16;  // connections to one server that wait for a request
constexpr size_t MAX_ALL_IDLE = 64;
constexpr size_t MAX_LOOKUPS = 32;  // names that are looked up at the same time
constexpr uint32_t MAX_INFORMATIONAL = 100;
constexpr uint32_t MAX_REQUESTS = 256;
constexpr size_t MAX_HEAD = Wire::ROOM;

using Outcome = PendingResponse::Outcome;

Outcome failed(ErrorCode code) { return Unexpected<ErrorCode>{std::move(code)}; }

kj::Duration timeoutOf(std::optional<uint64_t> nanoseconds, kj::Duration otherwise) {
  constexpr uint64_t MOST = uint64_t{24} * 3600 * 1'000'000'000;
  if (!nanoseconds) return otherwise;
  return static_cast<int64_t>(std::min(*nanoseconds, MOST)) * kj::NANOSECONDS;
}

// Why a connection could not be made.
ErrorCode connectError(const kj::Exception& exception) {
  switch (net::failureOf(exception)) {
    case net::Failure::REFUSED:
      return makeError<ErrorKind::CONNECTION_REFUSED>();
    case net::Failure::TIMED_OUT:
      return makeError<ErrorKind::CONNECTION_TIMEOUT>();
    case net::Failure::UNREACHABLE:
      return makeError<ErrorKind::DESTINATION_IP_UNROUTABLE>();
    default:
      return makeError<ErrorKind::DESTINATION_UNAVAILABLE>();
  }
}

ErrorCode tlsError(const kj::Exception& exception) {
  switch (net::failureOf(exception)) {
    case net::Failure::NOT_TRUSTED:
    case net::Failure::CERTIFICATE:
      return makeError<ErrorKind::TLS_CERTIFICATE_ERROR>();
    default:
      return makeError<ErrorKind::TLS_PROTOCOL_ERROR>();
  }
}

// The fields of a request as they are sent. `empty`: it has no content, so that nobody has to be
// asked for it. `length`: as for appendFields. Source: RFC 9110 sections 10.1.1 and 10.1.4.
void appendRequestFields(std::string& head, const FieldList& fields, bool empty,
                         std::optional<uint64_t> length) {
  FieldList sent;
  bool takesTrailers = false;
  for (const Field& field : fields) {
    if (sameName(field.name, "te")) {
      // Of codings this knows only the one that needs no mention.
      takesTrailers = takesTrailers || listHas(field.value, "trailers");
    } else if (!empty || !sameName(field.name, "expect")) {
      sent.push_back(field);
    }
  }
  appendFields(head, sent, length);
  if (takesTrailers) head += "TE: trailers\r\nConnection: TE\r\n";
}

// A connection to a server.
struct ServerConnection {
  ServerConnection(kj::Own<kj::AsyncIoStream> opened, kj::Timer& timer, bool secure,
                   net::DescriptorPlace place)
      : place(std::move(place)),
        stream(kj::mv(opened)),
        wire(*stream, timer, secure ? -1 : stream->getFd().orDefault(-1)),
        secure(secure) {}

  net::DescriptorPlace place;
  kj::Own<kj::AsyncIoStream> stream;
  Wire wire;
  std::shared_ptr<BodyWriter> body;
  std::unique_ptr<call::MemoryCharge> headCharge;  // for the request's head until it was sent
  WriteProgress progress;
  const bool secure;
  bool sent = false;                   // the whole request
  bool whole = true;                   // all responses that began have come to their end
  std::optional<ErrorCode> brokenOff;  // why the request will never be whole
  Signal broke;
  bool reusable = true;
  kj::TimePoint idleSince = kj::origin<kj::TimePoint>();
  kj::Promise<void> sending = nullptr;  // last: uses everything above
  kj::Promise<void> watching = nullptr;

  ~ServerConnection() noexcept(false) {
    if (body) body->close(makeError<ErrorKind::CONNECTION_TERMINATED>());
    sending = nullptr;
    watching = nullptr;
    // The closing alert. Source: RFC 9112 section 9.8.
    if (secure && sent && whole)
      (void)kj::runCatchingExceptions([this]() { stream->shutdownWrite(); });
  }
};

class ClientImpl final : public Client,
                         public std::enable_shared_from_this<ClientImpl>,
                         private kj::TaskSet::ErrorHandler {
 public:
  ClientImpl(kj::AsyncIoContext& io, Allowed allowed, const HttpOptions& options, Resolver resolver)
      : timer_(io.provider->getTimer()),
        network_(io.provider->getNetwork()),
        resolver_(std::move(resolver)),
        allowed_(std::move(allowed)),
        private_(options.allowPrivate),
        roots_(options.roots),
        tasks_(*this) {}

  const Allowed& allowed() const override { return allowed_; }

  Expected<void, ErrorCode> send(ClientRequest request, PendingResponse& pending) override {
    if (requests_ >= MAX_REQUESTS) {
      return Unexpected<ErrorCode>{makeError<ErrorKind::CONNECTION_LIMIT_REACHED>()};
    }
    pending.work = run(std::move(request), pending).eagerlyEvaluate(nullptr);
    return {};
  }

 private:
  // A connection that waits for a request.
  struct Idle {
    std::string key;
    std::shared_ptr<ServerConnection> connection;
  };

  // One request in flight, as long as it lives.
  struct Counted {
    explicit Counted(std::shared_ptr<ClientImpl> client) : client(std::move(client)) {
      ++this->client->requests_;
    }
    ~Counted() { --client->requests_; }
    std::shared_ptr<ClientImpl> client;
  };

  // `pending` owns the promise.
  kj::Promise<void> run(ClientRequest request, PendingResponse& pending) {
    auto counted = std::make_shared<Counted>(shared_from_this());
    kj::Maybe<kj::Exception> failure;
    try {
      pending.settle(co_await exchange(std::move(request), counted));
    } catch (...) {
      failure = kj::getCaughtExceptionAsKj();
    }
    if (failure != nullptr) pending.settle(failed(makeError<ErrorKind::CONNECTION_TERMINATED>()));
  }

  kj::Promise<Outcome> exchange(ClientRequest request, std::shared_ptr<Counted> counted) {
    std::shared_ptr<ServerConnection> connection = takeIdle(request.target);
    bool reused = connection != nullptr;
    while (true) {
      if (!connection) {
        net::DescriptorPlace place = takePlace();
        Expected<kj::Own<kj::AsyncIoStream>, ErrorCode> opened =
            Unexpected<ErrorCode>{makeError<ErrorKind::CONNECTION_LIMIT_REACHED>()};
        if (place) opened = co_await connect(request);
        if (!opened) {
          if (request.body) request.body->close(opened.error());
          co_return failed(opened.error());
        }
        connection = std::make_shared<ServerConnection>(kj::mv(opened.value()), timer_,
                                                        request.target.secure, std::move(place));
      }
      connection->whole = false;
      begin(*connection, request);
      auto head = co_await readHead(*connection, request);
      if (head) co_return finish(std::move(connection), std::move(head.value()), request, counted);
      // A server may close an idle connection at any time: nothing was lost then.
      bool empty = !request.body || (request.body->finished() && request.body->written() == 0);
      bool idempotent = request.method == "GET" || request.method == "HEAD";
      if (reused && empty && idempotent && connection->wire.bytes().empty() &&
          kindOf(head.error()) == ErrorKind::CONNECTION_TERMINATED) {
        reused = false;
        connection->body = nullptr;
        connection = nullptr;
        continue;
      }
      co_return failed(head.error());
    }
  }

  // Starts to send the request.
  void begin(ServerConnection& connection, const ClientRequest& request) {
    std::string head =
        request.method + " " + request.path + " HTTP/1.1\r\nHost: " + request.authority + "\r\n";
    BodyMode mode = BodyMode::PLAIN;
    auto length = declaredLength(*request.fields);
    auto body = request.body;
    bool takesBody =
        request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    if (!body) {
      body = std::make_shared<BodyWriter>(Side::REQUEST);
      (void)body->finish(nullptr);
    }
    bool empty = length ? *length == 0 : body->finished() && !body->trailers() && !body->written();
    bool traced = request.method == "TRACE";
    appendRequestFields(head, *request.fields, empty, traced ? std::nullopt : length);
    if (traced) {
      body->declare(0);
    } else if (length) {
      // Framed by the guest's own.
    } else if (!body->finished() || body->trailers()) {
      mode = BodyMode::CHUNKED;
      head += "Transfer-Encoding: chunked\r\n";
    } else if (takesBody || body->written() != 0) {
      appendLength(head, body->written());
    }
    head += "\r\n";
    connection.body = body;
    connection.sent = false;
    connection.headCharge = std::make_unique<call::MemoryCharge>(request.budget);
    connection.headCharge->force(head.size());
    connection.sending =
        sendMessage(*connection.stream, std::move(head), mode, body, timer_, connection.progress,
                    connection.wire.socket())
            .then(
                [&connection](bool whole) {
                  connection.headCharge = nullptr;
                  connection.sent = whole;
                  if (whole) return;
                  // The server must not take it for a whole one, and may wait for the rest.
                  connection.reusable = false;
                  const BodyWriter& body = *connection.body;
                  connection.brokenOff = body.declared()
                                             ? makeError<ErrorKind::HTTP_REQUEST_BODY_SIZE>(
                                                   std::optional(body.written()))
                                             : makeError<ErrorKind::HTTP_PROTOCOL_ERROR>();
                  connection.broke.raise();
                  connection.stream->shutdownWrite();
                },
                [&connection](kj::Exception&&) {
                  connection.reusable = false;
                  connection.body->close(makeError<ErrorKind::CONNECTION_TERMINATED>());
                })
            .eagerlyEvaluate(nullptr);
  }

  kj::Promise<Expected<ResponseHead, ErrorCode>> readHead(ServerConnection& connection,
                                                          const ClientRequest& request) {
    using Read = Expected<ResponseHead, ErrorCode>;
    kj::TimePoint deadline = timer_.now() + timeoutOf(request.firstByteTimeout, DEFAULT_TIMEOUT);
    size_t searched = 0;
    uint32_t informational = 0;
    while (true) {
      size_t size = headSize(connection.wire.bytes(), searched);
      if (size != 0) {
        auto head = parseResponse(connection.wire.bytes().substr(0, size), request.method == "HEAD",
                                  {.bytes = MAX_HEAD});
        if (!head) {
          if (head.error().status == 431) {
            co_return Read(
                Unexpected<ErrorCode>{makeError<ErrorKind::HTTP_RESPONSE_HEADER_SECTION_SIZE>(
                    std::optional(static_cast<uint32_t>(size)))});
          }
          co_return Read(Unexpected<ErrorCode>{makeError<ErrorKind::HTTP_PROTOCOL_ERROR>()});
        }
        connection.wire.use(size);
        searched = 0;
        if (head.value().status == 101) {
          co_return Read(Unexpected<ErrorCode>{makeError<ErrorKind::HTTP_UPGRADE_FAILED>()});
        }
        if (head.value().status < 200) {
          if (++informational > MAX_INFORMATIONAL) {
            co_return Read(Unexpected<ErrorCode>{makeError<ErrorKind::HTTP_PROTOCOL_ERROR>()});
          }
          if (timer_.now() >= deadline) {
            co_return Read(Unexpected<ErrorCode>{makeError<ErrorKind::CONNECTION_READ_TIMEOUT>()});
          }
          continue;
        }
        co_return Read(std::move(head.value()));
      }
      if (connection.brokenOff) co_return Read(Unexpected<ErrorCode>{*connection.brokenOff});
      searched = connection.wire.bytes().size();
      if (searched >= MAX_HEAD) {
        co_return Read(
            Unexpected<ErrorCode>{makeError<ErrorKind::HTTP_RESPONSE_HEADER_SECTION_SIZE>(
                std::optional(static_cast<uint32_t>(searched)))});
      }
      bool late = false;
      bool more = false;
      kj::Maybe<kj::Exception> failure;
      try {
        more = co_await connection.wire.fill(MAX_HEAD)
                   .exclusiveJoin(timer_.atTime(deadline).then([&late]() {
                     late = true;
                     return false;
                   }))
                   .exclusiveJoin(connection.broke.wait().then([]() { return true; }));
      } catch (...) {
        failure = kj::getCaughtExceptionAsKj();
      }
      if (late) {
        co_return Read(Unexpected<ErrorCode>{makeError<ErrorKind::CONNECTION_READ_TIMEOUT>()});
      }
      if (failure != nullptr || (!more && searched == 0)) {
        co_return Read(Unexpected<ErrorCode>{makeError<ErrorKind::CONNECTION_TERMINATED>()});
      }
      if (!more) {
        co_return Read(Unexpected<ErrorCode>{makeError<ErrorKind::HTTP_RESPONSE_INCOMPLETE>()});
      }
    }
  }

  Outcome finish(std::shared_ptr<ServerConnection> connection, ResponseHead head,
                 const ClientRequest& request, std::shared_ptr<Counted> counted) {
    if (!head.transferCoding.empty()) {
      return failed(makeError<ErrorKind::HTTP_RESPONSE_TRANSFER_CODING>(
          MaybeText(std::move(head.transferCoding))));
    }
    if (!head.keepAlive) connection->reusable = false;
    ServerConnection& used = *connection;
    if (head.status >= 400 && !head.keepAlive && !used.sent) {
      // The server does not want the rest. Source: RFC 9112 section 9.5.
      used.sending = nullptr;
      used.body->close(makeError<ErrorKind::CONNECTION_TERMINATED>());
    }
    BodyOptions options{.side = Side::RESPONSE, .framing = head.framing, .length = head.length};
    options.patience = timeoutOf(request.betweenBytesTimeout, DEFAULT_TIMEOUT);
    // Holds the connection until the body was read, or nobody can read it any more.
    options.onFinished = [connection = std::move(connection), counted = std::move(counted),
                          target = request.target](bool complete) mutable {
      ClientImpl& client = *counted->client;
      connection->whole = complete;
      if (!complete) connection->reusable = false;
      client.giveBack(target, std::move(connection), std::move(counted));
    };
    auto body = std::make_shared<BodyReader>(used.wire, std::move(options));
    body->settle();
    uint64_t bytes = body->finished() ? READ_BODY_COST : EXCHANGE_COST;
    body = chargeBody(request.budget, std::move(body), bytes);
    return Response{head.status, chargeFields(request.budget, std::move(head.fields)),
                    std::move(body)};
  }

  // Later, because the connection's own promises may be running.
  void giveBack(const Target& target, std::shared_ptr<ServerConnection> connection,
                std::shared_ptr<Counted> counted) {
    // May be the last that holds this; then nothing is kept.
    std::shared_ptr<ClientImpl> self = counted->client;
    counted = nullptr;
    auto later = [this, target, connection = std::move(connection)]() mutable {
      if (!connection->reusable || !connection->sent || !connection->wire.bytes().empty()) return;
      std::string key = keyOf(target);
      size_t others = static_cast<size_t>(
          std::ranges::count_if(idle_, [&](const Idle& idle) { return idle.key == key; }));
      if (others >= MAX_IDLE) return;
      if (idle_.size() >= MAX_ALL_IDLE) idle_.pop_front();
      connection->body = nullptr;
      connection->idleSince = timer_.now();
      // Whatever comes now, the end or rubbish, makes it useless.
      ServerConnection& watched = *connection;
      auto useless = [this, &watched]() {
        watched.reusable = false;
        // Not here, where its own promise runs.
        tasks_.add(kj::evalLater([this]() {
          idle_.remove_if([](const Idle& idle) { return !idle.connection->reusable; });
        }));
      };
      watched.watching =
          watched.wire.fill()
              .then([useless](bool) { useless(); }, [useless](kj::Exception&&) { useless(); })
              .eagerlyEvaluate(nullptr);
      idle_.push_back({std::move(key), std::move(connection)});
      if (!std::exchange(expiring_, true)) tasks_.add(expire());
    };
    tasks_.add(kj::evalLater(kj::mv(later)));
  }

  // Closes the connections that nobody used for too long, until there is none that waits.
  kj::Promise<void> expire() {
    while (!idle_.empty()) {
      kj::TimePoint end = idle_.front().connection->idleSince + IDLE_TIME;
      if (end <= timer_.now()) {
        idle_.pop_front();
      } else {
        co_await timer_.atTime(end);
      }
    }
    expiring_ = false;
  }

  // For a new connection. One that nobody uses makes room for it.
  net::DescriptorPlace takePlace() {
    net::DescriptorPlace place = net::DescriptorPlace::take();
    if (!place && !idle_.empty()) {
      idle_.pop_front();
      place = net::DescriptorPlace::take();
    }
    return place;
  }

  std::shared_ptr<ServerConnection> takeIdle(const Target& target) {
    std::string key = keyOf(target);
    // The one that was used last.
    auto found = std::find_if(idle_.rbegin(), idle_.rend(), [&](const Idle& idle) {
      return idle.key == key && idle.connection->reusable;
    });
    if (found == idle_.rend()) return nullptr;
    auto connection = std::move(found->connection);
    idle_.erase(std::next(found).base());
    connection->watching = nullptr;
    return connection;
  }

  // The addresses of a name, from all that ask for it at the same time once.
  kj::Promise<Addresses> lookUp(const std::string& host) {
    auto found = lookups_.find(host);
    if (found == lookups_.end()) {
      if (lookups_.size() >= MAX_LOOKUPS) {
        return Addresses(Unexpected<ErrorCode>{makeError<ErrorKind::CONNECTION_LIMIT_REACHED>()});
      }
      kj::Function<Addresses()> work = [resolver = resolver_, host]() { return resolver(host); };
      auto lookup =
          net::Workers::forNames()
              .run(kj::mv(work))
              .then([](Addresses addresses) { return std::make_shared<Addresses>(addresses); },
                    [](kj::Exception&&) {
                      return std::make_shared<Addresses>(dnsError("the look-up failed"));
                    })
              .fork();
      // Goes on when nobody waits any more: so long it counts.
      tasks_.add(lookup.addBranch().then(
          [this, host](std::shared_ptr<Addresses>) { lookups_.erase(host); }));
      found = lookups_.emplace(host, kj::mv(lookup)).first;
    }
    return found->second.addBranch().then(
        [](std::shared_ptr<Addresses> addresses) { return *addresses; });
  }

  // Where `target` is, as far as it may be connected to: never empty.
  kj::Promise<Addresses> find(const Target& target) {
    net::AddressBytes literal;
    Addresses found = std::vector<net::AddressBytes>();
    if (net::parseAddress(target.host, literal)) {
      found.value().push_back(literal);
    } else {
      found = co_await lookUp(target.host);
    }
    // Judged here, and these are what is connected to: what the name means later does not matter.
    if (found && !private_ && !allowed_.namesPrivate(target)) {
      std::erase_if(found.value(), net::isInternal);
      if (found.value().empty()) {
        found = Unexpected<ErrorCode>{makeError<ErrorKind::DESTINATION_IP_PROHIBITED>()};
      }
    }
    co_return found;
  }

  kj::Promise<Expected<kj::Own<kj::AsyncIoStream>, ErrorCode>> connect(
      const ClientRequest& request) {
    using Opened = Expected<kj::Own<kj::AsyncIoStream>, ErrorCode>;
    const Target& target = request.target;
    kj::TimePoint deadline = timer_.now() + timeoutOf(request.connectTimeout, CONNECT_TIMEOUT);
    auto late = [&](const kj::Exception& exception) {
      return timer_.now() >= deadline && exception.getType() == kj::Exception::Type::OVERLOADED;
    };
    kj::Maybe<kj::Exception> failure;
    Addresses addresses = std::vector<net::AddressBytes>();
    try {
      addresses = co_await timer_.timeoutAt(deadline, find(target));
    } catch (...) {
      failure = kj::getCaughtExceptionAsKj();
    }
    if (failure != nullptr) {
      co_return Opened(Unexpected<ErrorCode>{makeError<ErrorKind::DNS_TIMEOUT>()});
    }
    if (!addresses) {
      if (request.refusals && kindOf(addresses.error()) == ErrorKind::DESTINATION_IP_PROHIBITED) {
        request.refusals->tell(request.component, Refusal::Kind::HTTP_PRIVATE, target.url());
      }
      co_return Opened(Unexpected<ErrorCode>{addresses.error()});
    }

    kj::Own<kj::AsyncIoStream> stream;
    for (const net::AddressBytes& address : addresses.value()) {
      auto system = net::toSystem(address, target.port);
      failure = nullptr;
      try {
        auto to = network_.getSockaddr(system.get(), system.length);
        stream = co_await timer_.timeoutAt(deadline, to->connect());
        break;
      } catch (...) {
        failure = kj::getCaughtExceptionAsKj();
      }
      if (timer_.now() >= deadline) break;
    }
    KJ_IF_MAYBE (exception, failure) {
      co_return Opened(Unexpected<ErrorCode>{late(*exception)
                                                 ? makeError<ErrorKind::CONNECTION_TIMEOUT>()
                                                 : connectError(*exception)});
    }
    if (!target.secure) co_return Opened(kj::mv(stream));
    try {
      // A dot at the end belongs to no name in TLS. Source: RFC 6066 section 3.
      std::string name = target.host.substr(0, target.host.size() - target.host.ends_with('.'));
      kj::StringPtr host(name.c_str(), name.size());
      stream = co_await timer_.timeoutAt(deadline, tls().connect(kj::mv(stream), host));
    } catch (...) {
      failure = kj::getCaughtExceptionAsKj();
    }
    KJ_IF_MAYBE (exception, failure) {
      co_return Opened(Unexpected<ErrorCode>{
          late(*exception) ? makeError<ErrorKind::CONNECTION_TIMEOUT>() : tlsError(*exception)});
    }
    co_return Opened(kj::mv(stream));
  }

  Tls& tls() {
    if (!tls_) {
      kj::TlsContext::Options options;
      kj::Vector<kj::TlsCertificate> certificates;
      if (!roots_.empty()) {
        options.useSystemTrustStore = false;
        // One by one: a chain would be one certificate and its issuers.
        std::string_view rest = roots_;
        constexpr std::string_view END = "-----END CERTIFICATE-----";
        while (true) {
          size_t begin = rest.find("-----BEGIN CERTIFICATE-----");
          size_t end = rest.find(END, begin);
          if (begin == std::string_view::npos || end == std::string_view::npos) break;
          std::string pem(rest.substr(begin, end + END.size() - begin));
          pem += '\n';
          certificates.add(kj::StringPtr(pem.c_str(), pem.size()));
          rest.remove_prefix(end + END.size());
        }
        options.trustedCertificates = certificates;
      }
      tls_ = std::make_unique<Tls>(kj::mv(options));
    }
    return *tls_;
  }

  static std::string keyOf(const Target& target) {
    return (target.secure ? "https://" : "http://") + target.authority();
  }

  void taskFailed(kj::Exception&&) override {}

  kj::Timer& timer_;
  kj::Network& network_;
  const Resolver resolver_;
  Allowed allowed_;
  const bool private_;
  const std::string roots_;
  std::unique_ptr<Tls> tls_;
  uint32_t requests_ = 0;
  std::list<Idle> idle_;  // the longest waiting first
  bool expiring_ = false;
  std::map<std::string, kj::ForkedPromise<std::shared_ptr<Addresses>>> lookups_;
  kj::TaskSet tasks_;  // last: uses everything above
};

}  // namespace

Result<std::shared_ptr<Client>> newClient(kj::AsyncIoContext& io, const HttpOptions& options,
                                          Resolver resolver) {
  TENON_TRY(Allowed allowed, Allowed::parse(options.allow));
  if (!options.roots.empty() &&
      options.roots.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
    return Error(tenon::ErrorCode::INVALID_ARGUMENT,
                 "the root certificates hold no PEM certificate");
  }
  return std::shared_ptr<Client>(
      std::make_shared<ClientImpl>(io, std::move(allowed), options, std::move(resolver)));
}

}  // namespace tenon::http
