#include "host/server/worker.h"

#include "host/server/connection.h"
#include "host/server/listen.h"
#include "net/failure.h"

#include <kj/debug.h>
#include <kj/time.h>

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace tenon::host {
namespace {

constexpr auto SWEEP = 250 * kj::MILLISECONDS;
constexpr uint32_t ACCEPT_AT_ONCE = 32;
constexpr auto ACCEPT_PAUSE = 100 * kj::MILLISECONDS;
constexpr auto LAST_PATIENCE = 1 * kj::SECONDS;  // with who reads what guests wrote
constexpr auto HANDSHAKE = 10 * kj::SECONDS;
// The same while others wait to begin theirs.
constexpr auto SHORT_HANDSHAKE = 2 * kj::SECONDS;

// What the library has to say goes where the operator's warnings go, and not to standard error,
// which may not take it.
class LibraryLog final : public kj::ExceptionCallback {
 public:
  explicit LibraryLog(Worker& worker) : worker_(worker) {}
  void logMessage(kj::LogSeverity, const char*, int, int, kj::String&& text) override {
    worker_.warn(std::string("the I/O library: ") + text.cStr());
  }

 private:
  Worker& worker_;
};

// As addressText; empty when it cannot be told.
std::string peerOf(kj::AsyncIoStream& stream) {
  sockaddr_storage address{};
  kj::uint size = sizeof(address);
  try {
    stream.getpeername(reinterpret_cast<sockaddr*>(&address), &size);
  } catch (...) {
    (void)kj::getCaughtExceptionAsKj();
    return {};
  }
  return addressText(reinterpret_cast<sockaddr&>(address));
}

// Whether a key fits its certificate: the library drops one that does not, and says so to clients
// only.
bool keyFits(http::Tls& server, kj::WaitScope& waitScope) {
  kj::TlsContext::Options options;
  options.useSystemTrustStore = false;
  kj::TlsContext client(kj::mv(options));
  auto pipe = kj::newTwoWayPipe();
  auto serving = server.accept(kj::mv(pipe.ends[0]))
                     .then([](kj::Own<kj::AsyncIoStream>) {})
                     .eagerlyEvaluate([](kj::Exception&&) {});
  bool fits = true;
  client.wrapClient(kj::mv(pipe.ends[1]), "localhost"_kj)
      .then([](kj::Own<kj::AsyncIoStream>) {},
            [&fits](kj::Exception&& exception) {
              // It came so far as to distrust the certificate; without a key it would not have.
              fits = net::failureOf(exception) == net::Failure::NOT_TRUSTED;
            })
      .wait(waitScope);
  return fits;
}

LineTaker takerOf(StandardLines& standard, const ServerOptions& options, kj::Timer& timer) {
  if (options.onLine) return {.take = options.onLine, .timer = timer};
  return {.take = [&standard](const GuestLine& line) { return standard.take(line); },
          .streams = LineTaker::Streams::INHERITED,
          .timer = timer};
}

}  // namespace

Worker::Worker(ServerShared& shared, std::vector<kj::AutoCloseFd> listeners, kj::AutoCloseFd stopFd)
    : shared_(shared),
      timer_(loop_.io.provider->getTimer()),
      listenerFds_(std::move(listeners)),
      stopFd_(kj::mv(stopFd)),
      standardLines_(loop_.io.unixEventPort),
      lines_(takerOf(standardLines_, shared.options, timer_)),
      stopObserver_(loop_.io.unixEventPort, stopFd_.get(),
                    kj::UnixEventPort::FdObserver::OBSERVE_READ),
      guestTasks_(*this),
      tasks_(*this) {
  loop_.scheduler.share();
}

Result<void> Worker::prepare() {
  LibraryLog log(*this);
  for (const auto& handler : shared_.handlers) {
    TENON_TRY(auto guests, GuestPool::create(handler, loop_, options().reuse, lines_));
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
      tls_ = std::make_unique<http::Tls>(kj::mv(tls));
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
  for (const kj::AutoCloseFd& fd : listenerFds_) {
    listeners_.push_back(loop_.io.lowLevelProvider->wrapListenSocketFd(
        fd.get(), kj::LowLevelAsyncIoProvider::ALREADY_CLOEXEC |
                      kj::LowLevelAsyncIoProvider::ALREADY_NONBLOCK));
  }
  return {};
}

void Worker::run() {
  LibraryLog log(*this);
  auto& waitScope = loop_.io.waitScope;
  for (auto& listener : listeners_) {
    accepting_.push_back(accept(*listener).eagerlyEvaluate(nullptr));
  }
  sweeping_ = sweep().eagerlyEvaluate(nullptr);
  awaitStop(1).wait(waitScope);
  beginStop();
  auto done = tasks_.onEmpty().then([this]() { return guestTasks_.onEmpty(); });
  auto patience = timer_.afterDelay(options().shutdownTimeout.count() * kj::MILLISECONDS)
                      .exclusiveJoin(awaitStop(2));
  done.exclusiveJoin(kj::mv(patience)).wait(waitScope);
  tasks_.clear();
  guestTasks_.clear();
  standardLines_.whenFlushed().exclusiveJoin(timer_.afterDelay(LAST_PATIENCE)).wait(waitScope);
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
  accepting_.clear();
  listeners_.clear();
  listenerFds_.clear();
  for (Connection* connection : connections) connection->beginStop();
  handshakesEnd_.raise();
}

kj::Promise<void> Worker::accept(kj::ConnectionReceiver& listener) {
  for (uint32_t i = 1;; ++i) {
    // Connections that are there already come without a turn of the loop.
    if (i % ACCEPT_AT_ONCE == 0) co_await timer_.afterDelay(0 * kj::NANOSECONDS);
    kj::Maybe<kj::Exception> failure;
    try {
      tasks_.add(serve(co_await listener.accept()));
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
      stream = co_await timer_.timeoutAfter(HANDSHAKE, shakeHands(kj::mv(stream)))
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

// One that is in progress, with all that it costs.
struct Worker::Handshake {
  explicit Handshake(Worker& worker) : worker(worker), since(worker.timer_.now()) {
    worker.handshakes_.push_back(this);
    place = std::prev(worker.handshakes_.end());
  }
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;
  ~Handshake() {
    worker.handshakes_.erase(place);
    worker.admitHandshakes();
  }

  Worker& worker;
  kj::TimePoint since;
  http::Signal cut;
  std::list<Handshake*>::iterator place;
};

void Worker::admitHandshakes() {
  for (size_t i = handshakes_.size(); i < mostHandshakes() && !forPlace_.empty();) {
    auto next = kj::mv(forPlace_.front());
    forPlace_.pop_front();
    if (!next->isWaiting()) continue;  // it has gone
    next->fulfill();
    ++i;
  }
}

size_t Worker::mostHandshakes() const {
  return std::max<size_t>(1, options().maxHandshakes / options().threads);
}

kj::Promise<kj::Own<kj::AsyncIoStream>> Worker::shakeHands(kj::Own<kj::AsyncIoStream> stream) {
  // One that says nothing costs nothing but its connection.
  auto first = kj::heapArray<kj::byte>(1);
  if (co_await stream->tryRead(first.begin(), 1, 1) == 0) {
    kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the client has gone"));
  }
  while (handshakes_.size() >= mostHandshakes()) {
    auto paf = kj::newPromiseAndFulfiller<void>();
    forPlace_.push_back(kj::mv(paf.fulfiller));
    co_await paf.promise;
  }
  Handshake handshake(*this);
  auto cut = handshake.cut.wait().then([]() -> kj::Promise<kj::Own<kj::AsyncIoStream>> {
    return KJ_EXCEPTION(FAILED, "it took too long while others waited for theirs");
  });
  co_return co_await tls_->accept(http::withBytesInFront(kj::mv(first), kj::mv(stream)))
      .exclusiveJoin(kj::mv(cut));
}

void Worker::cutSlowHandshakes() {
  std::erase_if(forPlace_, [](auto& waiting) { return !waiting->isWaiting(); });
  admitHandshakes();  // somebody may have gone after it was admitted
  size_t wanted = forPlace_.size();
  for (Handshake* handshake : handshakes_) {
    if (wanted-- == 0 || timer_.now() - handshake->since < SHORT_HANDSHAKE) return;
    handshake->cut.raise();
  }
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
    warn("a guest failed behind its response" + (end->id.empty() ? "" : ", id=" + end->id) + ": " +
         end->outcome.error().text());
  }
  end->changed.raise();
}

kj::Promise<void> Worker::sweep() {
  while (true) {
    co_await timer_.afterDelay(SWEEP);
    for (Connection* connection : connections) connection->check(timer_.now());
    cutSlowHandshakes();
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
  uint64_t id = shared_.idSeed + shared_.ids.fetch_add(1) * 0x9e3779b97f4a7c15;
  id = (id ^ (id >> 30)) * 0xbf58476d1ce4e5b9;
  id = (id ^ (id >> 27)) * 0x94d049bb133111eb;
  id ^= id >> 31;
  constexpr std::string_view DIGITS = "0123456789abcdef";
  std::string text(16, '0');
  for (char& digit : text) {
    digit = DIGITS[id >> 60];
    id <<= 4;
  }
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
