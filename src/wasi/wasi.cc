#include "wasi/wasi.h"

#include "http/client.h"
#include "http/policy.h"
#include "net/inherited_streams.h"
#include "net/line_prefix.h"
#include "net/memory_streams.h"
#include "wasi/check.h"
#include "wasi/cli/cli.h"
#include "wasi/clocks/clocks.h"
#include "wasi/config/config.h"
#include "wasi/context.h"
#include "wasi/filesystem/filesystem.h"
#include "wasi/http/http.h"
#include "wasi/io/io.h"
#include "wasi/random/random.h"
#include "wasi/sockets/sockets.h"

#include <tenon/abi/strings.h>

#include <kj/exception.h>

#include <unistd.h>

#include <utility>

namespace tenon::wasi {
namespace {

std::shared_ptr<net::InputSource> newSource(kj::AsyncIoContext& io,
                                            const tenon::InputStream& options) {
  if (options.kind == tenon::InputStream::Kind::INHERIT) {
    return net::newInheritedSource(io.unixEventPort, STDIN_FILENO);
  }
  return net::newMemorySource(options.kind == tenon::InputStream::Kind::BYTES ? options.bytes : "");
}

std::shared_ptr<net::OutputSink> newPlainSink(kj::AsyncIoContext& io,
                                              const tenon::OutputStream& options, int fd) {
  if (options.kind == tenon::OutputStream::Kind::INHERIT) {
    return net::newInheritedSink(io.unixEventPort, fd);
  }
  if (options.kind == tenon::OutputStream::Kind::CAPTURE)
    return net::newCallbackSink(options.capture);
  return net::newCallbackSink({});
}

std::shared_ptr<net::OutputSink> newSink(kj::AsyncIoContext& io, const tenon::OutputStream& options,
                                         int fd) {
  std::shared_ptr<net::OutputSink> sink = newPlainSink(io, options, fd);
  return options.linePrefix.empty() ? sink
                                    : net::newLinePrefixSink(std::move(sink), options.linePrefix);
}

template <typename Options>
bool isTerminal(const Options& options, int fd) {
  return options.kind == Options::Kind::INHERIT && ::isatty(fd) != 0;
}

// What a guest could not be given as a string.
Result<void> checkText(const WasiOptions& options) {
  for (const std::string& argument : options.arguments) {
    if (!abi::isValidUtf8(argument)) {
      return Error(ErrorCode::INVALID_ARGUMENT, "an argument for the guest is not valid UTF-8");
    }
  }
  for (const auto& [name, value] : options.configuration) {
    if (!abi::isValidUtf8(name) || !abi::isValidUtf8(value)) {
      return Error(ErrorCode::INVALID_ARGUMENT,
                   "the configuration '" + name + "' for the guest is not valid UTF-8");
    }
  }
  for (const auto& [name, value] : options.environment) {
    if (!abi::isValidUtf8(name) || !abi::isValidUtf8(value)) {
      return Error(ErrorCode::INVALID_ARGUMENT,
                   "the environment variable '" + name + "' for the guest is not valid UTF-8");
    }
  }
  return {};
}

}  // namespace

ContextImpl::ContextImpl(Clocks clocks)
    : clocks(clocks),
      lingering(std::make_shared<net::Lingering>(clocks.timer)),
      network(std::make_shared<sockets::NetworkAccess>(net::Grants(), nullptr, *lingering)),
      pipe(std::make_shared<net::KernelPipe>()),
      refusals(std::make_shared<call::Refusals>(nullptr)) {}

bool ContextImpl::isDrained() { return output->flushed() && error->flushed() && lingering->done(); }

kj::Promise<void> ContextImpl::drained() {
  return output->whenFlushed().then([this]() { return error->whenFlushed(); }).then([this]() {
    return lingering->whenDone();
  });
}

std::span<std::byte> ContextImpl::scratch() {
  if (!scratch_.bytes) {
    scratch_.bytes = std::make_unique_for_overwrite<std::byte[]>(MAX_READ);
  }
  return {scratch_.bytes.get(), MAX_READ};
}

Result<std::unique_ptr<Context>> newContext(kj::AsyncIoContext& io, const WasiOptions& options) {
  TENON_CHECK(checkText(options));
  auto context = std::make_unique<ContextImpl>(Clocks{io.provider->getTimer(),
                                                      kj::systemPreciseMonotonicClock(),
                                                      kj::systemPreciseCalendarClock()});
  context->arguments = options.arguments;
  context->environment = options.environment;
  context->configuration = options.configuration;
  context->input = newSource(io, options.input);
  context->output = newSink(io, options.output, STDOUT_FILENO);
  context->error = newSink(io, options.error, STDERR_FILENO);
  context->inputIsTerminal = isTerminal(options.input, STDIN_FILENO);
  context->outputIsTerminal =
      options.output.linePrefix.empty() && isTerminal(options.output, STDOUT_FILENO);
  context->errorIsTerminal =
      options.error.linePrefix.empty() && isTerminal(options.error, STDERR_FILENO);
  context->eventPort = &io.unixEventPort;
  context->refusals = std::make_shared<call::Refusals>(options.onRefusal);
  TENON_TRY(auto grants, net::Grants::parse(options.network));
  context->network = std::make_shared<sockets::NetworkAccess>(std::move(grants), &io.unixEventPort,
                                                              *context->lingering);
  TENON_TRY(context->preopens, openGrants(options.directories));
  if (!options.http.allow.empty()) {
    TENON_TRY(context->http, tenon::http::newClient(io, options.http));
  }
  return std::unique_ptr<Context>(std::move(context));
}

Result<void> check(const WasiOptions& options) {
  TENON_CHECK(checkText(options));
  TENON_TRY([[maybe_unused]] auto grants, net::Grants::parse(options.network));
  TENON_TRY([[maybe_unused]] auto directories, openGrants(options.directories));
  TENON_TRY([[maybe_unused]] auto allowed, tenon::http::Allowed::parse(options.http.allow));
  return {};
}

void provide(call::Registry& registry) {
  provideIo(registry);
  provideCli(registry);
  provideConfig(registry);
  provideClocks(registry);
  provideRandom(registry);
  provideFilesystem(registry);
  provideSockets(registry);
  provideHttp(registry);
}

}  // namespace tenon::wasi
