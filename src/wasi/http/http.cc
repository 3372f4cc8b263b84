#include "wasi/http/http.h"

#include "http/client.h"
#include "wasi/context.h"
#include "wasi/http/functions.h"
#include "wasi/io/io.h"

#include <utility>

namespace tenon::wasi {
namespace http {
namespace {

using tenon::http::ClientRequest;
using tenon::http::parseAuthority;

Own<Pollable> subscribe(call::HostCall& call, FutureIncomingResponse& self) {
  return givePollable(call, self.state);
}

using Got = Expected<Own<IncomingResponse>, ErrorCode>;

std::optional<Expected<Got, void>> get(call::HostCall& call, FutureIncomingResponse& self) {
  PendingResponse& state = *self.state;
  if (!state.ready()) return std::nullopt;
  if (std::exchange(state.taken, true)) return Expected<Got, void>(Unexpected<void>{});
  if (!*state.outcome) {
    return Expected<Got, void>(Got(Unexpected<ErrorCode>{state.outcome->error()}));
  }
  return Expected<Got, void>(
      Got(give(call, std::make_unique<IncomingResponse>(std::move(state.outcome->value())))));
}

using Handled = Expected<Own<FutureIncomingResponse>, ErrorCode>;

template <ErrorKind KIND>
Handled refuse() {
  return Unexpected<ErrorCode>{makeError<KIND>()};
}

Handled handle(call::HostCall& call, Own<OutgoingRequest> handle,
               const std::optional<Own<RequestOptions>>& optionsHandle) {
  auto request = takeWhole(call, handle, "outgoing-request");
  if (!request) return {};
  std::unique_ptr<RequestOptions> options;
  if (optionsHandle && !(options = takeWhole(call, *optionsHandle, "request-options"))) return {};
  // Whoever is refused cannot write the body either.
  struct Closing {
    std::shared_ptr<BodyWriter> body;
    ~Closing() {
      if (body) body->close(makeError<ErrorKind::HTTP_REQUEST_DENIED>());
    }
  } closing{request->body};

  std::string scheme = request->scheme.value_or("https");
  if (scheme != "http" && scheme != "https") return refuse<ErrorKind::HTTP_PROTOCOL_ERROR>();
  if (request->method == "CONNECT") return refuse<ErrorKind::HTTP_REQUEST_METHOD_INVALID>();
  if (!request->authority) return refuse<ErrorKind::HTTP_REQUEST_URI_INVALID>();
  auto target = parseAuthority(*request->authority, scheme == "https");
  if (!target) return refuse<ErrorKind::HTTP_REQUEST_URI_INVALID>();
  // It may not have a body. Source: RFC 9110 section 9.3.8.
  bool traced = request->method == "TRACE";
  if (traced && request->body && request->body->written() != 0) {
    return Unexpected<ErrorCode>{
        makeError<ErrorKind::HTTP_REQUEST_BODY_SIZE>(std::optional(request->body->written()))};
  }
  // A body that was said and that nobody will write would be taken from the next request.
  if ((!request->body || traced) && declaredLength(*request->fields).value_or(0) != 0) {
    return Unexpected<ErrorCode>{
        makeError<ErrorKind::HTTP_REQUEST_BODY_SIZE>(std::optional(uint64_t{0}))};
  }
  std::string path = request->pathWithQuery.value_or("/");
  if (path.empty() || path.starts_with('?')) path.insert(0, "/");
  bool whole = path == "*" && request->method == "OPTIONS";  // it is about the server
  if (!path.starts_with('/') && !whole) return refuse<ErrorKind::HTTP_REQUEST_URI_INVALID>();
  const auto& client = contextOf(call).http;
  if (!client || !client->allowed().allows(*target)) {
    contextOf(call).refused(Refusal::Kind::HTTP, target->url());
    return refuse<ErrorKind::HTTP_REQUEST_DENIED>();
  }

  ClientRequest message{.refusals = contextOf(call).refusals,
                        .component = call.part->component,
                        .budget = call.objects.budget(),
                        .charge = std::move(request->charge),
                        .method = std::move(request->method),
                        .target = *std::move(target),
                        .authority = *std::move(request->authority),
                        .path = std::move(path),
                        .fields = std::move(request->fields),
                        .body = std::move(request->body)};
  if (options) {
    message.connectTimeout = options->connectTimeout;
    message.firstByteTimeout = options->firstByteTimeout;
    message.betweenBytesTimeout = options->betweenBytesTimeout;
  }
  auto pending = std::make_shared<PendingResponse>(call.objects.budget());
  if (!pending->charge.set(EXCHANGE_COST)) return refuse<ErrorKind::CONNECTION_LIMIT_REACHED>();
  auto sent = client->send(std::move(message), *pending);
  if (!sent) return Unexpected<ErrorCode>{sent.error()};
  closing.body = nullptr;
  return give(call, std::make_unique<FutureIncomingResponse>(std::move(pending)));
}

}  // namespace

void provideOutgoingHandler(call::Registry& registry) {
  Binder(registry, "wasi:http/outgoing-handler@0.2.12").function<handle>("handle");
}

}  // namespace http

void provideHttp(call::Registry& registry) {
  Binder types(registry, "wasi:http/types@0.2.12");
  http::provideFields(types);
  http::provideIncoming(types);
  http::provideOutgoing(types);
  types.function<http::subscribe>("[method]future-incoming-response.subscribe")
      .function<http::get>("[method]future-incoming-response.get");
  http::provideOutgoingHandler(registry);
}

}  // namespace tenon::wasi
