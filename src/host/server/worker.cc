#include "host/server/worker.h"

#include "host/server/connection.h"

#include <kj/debug.h>
#include <kj/time.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace tenon::host {
namespace {

constexpr auto SWEEP = 250 * kj::MILLISECONDS;
constexpr uint32_t ACCEPT_AT_ONCE = 32;
constexpr auto ACCEPT_PAUSE = 100 * kj::MILLISECONDS;
constexpr auto HANDSHAKE = 10 * kj::SECONDS;

// "127.0.0.1:53124"; empty when it cannot be told.
std::string peerOf(kj::AsyncIoStream& stream) {
  sockaddr_storage address{};
  kj::uint size = sizeof(address);
  try {
    stream.getpeername(reinterpret_cast<sockaddr*>(&address), &size);
  } catch (...) {
    (void)kj::getCaughtExceptionAsKj();
    return {};
  }
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  return {};
}

// Whether a key fits its certificate: the library drops one that does not, and says so to clients
// only.
bool keyFits(kj::TlsContext& server, kj::WaitScope& waitScope) {
  kj::TlsContext::Options options;
  options.useSystemTrustStore = false;
  kj::TlsContext client(kj::mv(options));
  auto pipe = kj::newTwoWayPipe();
  auto serving = server.wrapServer(kj::mv(pipe.ends[0]))
                     .then([](kj::Own<kj::AsyncIoStream>) {})
                     .eagerlyEvaluate([](kj::Exception&&) {});
  bool fits = true;
  client.wrapClient(kj::mv(pipe.ends[1]), "localhost"_kj)
      .then([](kj::Own<kj::AsyncIoStream>) {},
            [&fits](kj::Exception&& exception) {
              // It came so far as to distrust the certificate; without a key it would not have.
              fits = std::string_view(exception.getDescription().cStr()).find("not trusted") !=
                     std::string_view::npos;
            })
      .wait(waitScope);
  return fits;
}

}  // namespace

Worker::Worker(ServerShared& shared, kj::AutoCloseFd listener, kj::AutoCloseFd stopFd)
    : shared_(shared),
      timer_(loop_.io.provider->getTimer()),
      listenerFd_(kj::mv(listener)),
      stopFd_(kj::mv(stopFd)),
      stopObserver_(loop_.io.unixEventPort, stopFd_.get(),
                    kj::UnixEventPort::FdObserver::OBSERVE_READ),
      guestTasks_(*this),
      tasks_(*this) {
  // Counted as a call that goes on: every guest gives way to the loop after its slice.
  loop_.calls = 1;
}

Result<void> Worker::prepare() {
  for (const auto& blueprint : shared_.fronts) {
    TENON_TRY(auto guests, GuestPool::create(blueprint, loop_, options().reuse));
    guests_.push_back(std::move(guests));
  }
  if (!options().tlsCertificate.empty()) {
    kj::Maybe<kj::Exception> failure;
    try {
      kj::TlsKeypair keypair{
          kj::TlsPrivateKey(kj::StringPtr(options().tlsKey.c_str(), options().tlsKey.size())),
          kj::TlsCertificate(
              kj::StringPtr(options().tlsCertificate.c_str(), options().tlsCertificate.size()))};
      kj::TlsContext::Options tls;
      tls.useSystemTrustStore = false;
      tls.defaultKeypair = keypair;
      tls_ = std::make_unique<kj::TlsContext>(kj::mv(tls));
    } catch (...) {
      failure = kj::getCaughtExceptionAsKj();
    }
    if (failure == nullptr && !keyFits(*tls_, loop_.io.waitScope)) {
      return Error(ErrorCode::INVALID_ARGUMENT, "the TLS key does not belong to the certificate");
    }
    KJ_IF_MAYBE (exception, failure) {
      return Error(ErrorCode::INVALID_ARGUMENT,
                   std::string("the TLS certificate and key cannot be used: ") +
                       exception->getDescription().cStr());
    }
  }
  listener_ = loop_.io.lowLevelProvider->wrapListenSocketFd(
      listenerFd_.get(),
      kj::LowLevelAsyncIoProvider::ALREADY_CLOEXEC | kj::LowLevelAsyncIoProvider::ALREADY_NONBLOCK);
  return {};
}

void Worker::run() {
  auto& waitScope = loop_.io.waitScope;
  accepting_ = accept().eagerlyEvaluate(nullptr);
  sweeping_ = sweep().eagerlyEvaluate(nullptr);
  awaitStop(1).wait(waitScope);
  beginStop();
  auto done = tasks_.onEmpty().then([this]() { return guestTasks_.onEmpty(); });
  auto patience = timer_.afterDelay(options().shutdownTimeout.count() * kj::MILLISECONDS)
                      .exclusiveJoin(awaitStop(2));
  done.exclusiveJoin(kj::mv(patience)).wait(waitScope);
  tasks_.clear();
  guestTasks_.clear();
  if (options().onTick) options().onTick();
}

kj::Promise<void> Worker::awaitStop(uint64_t wanted) {
  while (true) {
    uint64_t count = 0;
    if (::read(stopFd_.get(), &count, sizeof(count)) == sizeof(count)) stops_ += count;
    if (stops_ >= wanted) co_return;
    co_await stopObserver_.whenBecomesReadable();
  }
}

void Worker::beginStop() {
  stopping_ = true;
  accepting_ = nullptr;
  listener_ = nullptr;
  listenerFd_ = nullptr;
  for (Connection* connection : connections) connection->beginStop();
  handshakesEnd_.raise();
}

kj::Promise<void> Worker::accept() {
  for (uint32_t i = 1;; ++i) {
    // Connections that are there already come without a turn of the loop.
    if (i % ACCEPT_AT_ONCE == 0) co_await timer_.afterDelay(0 * kj::NANOSECONDS);
    kj::Maybe<kj::Exception> failure;
    try {
      tasks_.add(serve(co_await listener_->accept()));
    } catch (...) {
      failure = kj::getCaughtExceptionAsKj();
    }
    KJ_IF_MAYBE (exception, failure) {
      // Too many open files, for example: others may end meanwhile.
      warn(std::string("cannot accept connections: ") + exception->getDescription().cStr());
      co_await timer_.afterDelay(ACCEPT_PAUSE);
    }
  }
}

kj::Promise<void> Worker::serve(kj::Own<kj::AsyncIoStream> stream) {
  InFlight open;
  if (!open.enter(shared_.connections, options().maxConnections)) {
    ResponseContext context{.keepAlive = false, .date = dateLine()};
    std::string text =
        shortResponse(503, "503 Service Unavailable: too many connections\n", context, 1);
    if (tls_ == nullptr) {
      co_await stream->write(text.data(), text.size())
          .exclusiveJoin(timer_.afterDelay(1 * kj::SECONDS));
    }
    co_return;
  }
  bool named = options().onRequest || tls_ != nullptr;
  std::string client = named ? peerOf(*stream) : std::string();
  int fd = -1;
  KJ_IF_MAYBE (known, stream->getFd()) fd = *known;
  if (tls_ != nullptr) {
    kj::Maybe<kj::Exception> failure;
    try {
      auto stopped = handshakesEnd_.wait().then([]() -> kj::Promise<kj::Own<kj::AsyncIoStream>> {
        return KJ_EXCEPTION(DISCONNECTED, "the server stops");
      });
      stream = co_await timer_.timeoutAfter(HANDSHAKE, tls_->wrapServer(kj::mv(stream)))
                   .exclusiveJoin(kj::mv(stopped));
    } catch (...) {
      failure = kj::getCaughtExceptionAsKj();
    }
    KJ_IF_MAYBE (exception, failure) {
      // One that only connects and goes again, as a probe does, says nothing; nor does the end.
      if (exception->getType() != kj::Exception::Type::DISCONNECTED) {
        warn("the TLS handshake with " + client + " failed: " + exception->getDescription().cStr());
      }
      co_return;
    }
    if (stopping_) co_return;
  }
  Connection connection(*this, kj::mv(stream), fd, std::move(client));
  co_await connection.run();
}

void Worker::await(std::unique_ptr<HandlerCall> call, std::shared_ptr<GuestEnd> end,
                   GuestPool& guests) {
  guestTasks_.add(awaitCall(std::move(call), std::move(end), guests));
}

kj::Promise<void> Worker::awaitCall(std::unique_ptr<HandlerCall> call,
                                    std::shared_ptr<GuestEnd> end, GuestPool& guests) {
  co_await call->whenDone().exclusiveJoin(end->giveUp.wait());
  if (!call->done()) co_return;  // its client has gone: the call is dropped
  end->outcome = call->finish(guests);
  end->ended = true;
  if (!end->outcome && end.use_count() == 1) {
    // Its client has its response already, or has gone.
    warn("a guest failed behind its response: " + end->outcome.error().text());
  }
  end->changed.raise();
}

kj::Promise<void> Worker::sweep() {
  while (true) {
    co_await timer_.afterDelay(SWEEP);
    for (Connection* connection : connections) connection->check(timer_.now());
    if (options().onTick) options().onTick();
  }
}

std::string_view Worker::dateLine() {
  int64_t now = (kj::systemCoarseCalendarClock().now() - kj::UNIX_EPOCH) / kj::SECONDS;
  if (now != dateSecond_) {
    dateSecond_ = now;
    date_ = "Date: " + httpDate(now) + "\r\n";
  }
  return date_;
}

std::string Worker::newId() {
  // Mixed, so that one id does not tell of others.
  uint64_t id = shared_.idSeed + shared_.failures.fetch_add(1) * 0x9e3779b97f4a7c15;
  id = (id ^ (id >> 30)) * 0xbf58476d1ce4e5b9;
  id = (id ^ (id >> 27)) * 0x94d049bb133111eb;
  id ^= id >> 31;
  char text[24];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(id));
  return text;
}

void Worker::warn(const std::string& text) {
  if (options().onWarning) options().onWarning(text);
}

void Worker::taskFailed(kj::Exception&& exception) {
  // A client that breaks off says nothing new; everything else should not happen.
  if (exception.getType() == kj::Exception::Type::DISCONNECTED) return;
  warn(std::string("a connection failed: ") + exception.getDescription().cStr());
}

}  // namespace tenon::host
