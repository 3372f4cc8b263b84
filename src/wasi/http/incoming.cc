#include "wasi/http/functions.h"
#include "wasi/io/io.h"

#include <array>
#include <utility>

namespace tenon::wasi::http {
namespace {

using tenon::http::isToken;

constexpr std::array<std::string_view, 9> METHODS = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};

template <size_t INDEX = 0>
Method methodAt(size_t index) {
  if constexpr (INDEX + 1 < METHODS.size()) {
    if (index != INDEX) return methodAt<INDEX + 1>(index);
  }
  return Method(std::in_place_index<INDEX>);
}

// -- incoming-request -----------------------------------------------------------------------------

Method method(call::HostCall&, IncomingRequest& self) { return toMethod(self.message.method); }

std::optional<std::string_view> pathWithQuery(call::HostCall&, IncomingRequest& self) {
  if (!self.message.pathWithQuery) return std::nullopt;
  return *self.message.pathWithQuery;
}

std::optional<WitScheme> scheme(call::HostCall&, IncomingRequest& self) {
  if (self.message.scheme == Scheme::HTTPS) return WitScheme(std::in_place_index<1>);
  return WitScheme(std::in_place_index<0>);
}

std::optional<std::string_view> authority(call::HostCall&, IncomingRequest& self) {
  if (!self.message.authority) return std::nullopt;
  return *self.message.authority;
}

Own<Fields> requestHeaders(call::HostCall& call, IncomingRequest& self) {
  return giveImmutable(call, self.message.fields, self.forChild());
}

Expected<Own<IncomingBody>, void> consumeRequest(call::HostCall& call, IncomingRequest& self) {
  if (std::exchange(self.consumed, true)) return Unexpected<void>{};
  return give(call, std::make_unique<IncomingBody>(self.message.body));
}

// -- incoming-response ----------------------------------------------------------------------------

uint16_t status(call::HostCall&, IncomingResponse& self) { return self.response.status; }

Own<Fields> responseHeaders(call::HostCall& call, IncomingResponse& self) {
  return giveImmutable(call, self.response.fields);
}

Expected<Own<IncomingBody>, void> consumeResponse(call::HostCall& call, IncomingResponse& self) {
  if (std::exchange(self.consumed, true)) return Unexpected<void>{};
  return give(call, std::make_unique<IncomingBody>(self.response.body));
}

// -- incoming-body, future-trailers ---------------------------------------------------------------

Expected<Own<InputStream>, void> stream(call::HostCall& call, IncomingBody& self) {
  if (std::exchange(self.streamed, true)) return Unexpected<void>{};
  return give(call, std::make_unique<InputStream>(self.reader, self.forChild()));
}

Own<FutureTrailers> finish(call::HostCall& call, Own<IncomingBody> self) {
  auto body = takeWhole(call, self, "incoming-body");
  if (!body) return {};
  return give(call, std::make_unique<FutureTrailers>(std::move(body->reader)));
}

Own<Pollable> subscribe(call::HostCall& call, FutureTrailers& self) {
  return givePollable(call, self.state);
}

using Trailers = Expected<std::optional<Own<Fields>>, ErrorCode>;

std::optional<Expected<Trailers, void>> getTrailers(call::HostCall& call, FutureTrailers& self) {
  if (!self.state->ready()) return std::nullopt;
  if (std::exchange(self.taken, true)) return Expected<Trailers, void>(Unexpected<void>{});
  const BodyReader& reader = *self.state->reader;
  if (const ErrorCode* error = reader.error()) {
    return Expected<Trailers, void>(Trailers(Unexpected<ErrorCode>{*error}));
  }
  std::optional<Own<Fields>> fields;
  if (reader.trailers()) fields = giveImmutable(call, reader.trailers());
  return Expected<Trailers, void>(Trailers(fields));
}

// -- Errors ---------------------------------------------------------------------------------------

std::optional<ErrorCode> httpErrorCode(call::HostCall&, net::IoError& error) {
  auto* http = dynamic_cast<HttpError*>(&error);
  if (!http) return std::nullopt;
  return http->code;
}

}  // namespace

Method toMethod(std::string_view name) {
  for (size_t i = 0; i < METHODS.size(); ++i) {
    if (METHODS[i] == name) return methodAt(i);
  }
  return Method(std::in_place_index<METHODS.size()>, name);
}

std::optional<std::string> fromMethod(const Method& method) {
  if (method.index() < METHODS.size()) return std::string(METHODS[method.index()]);
  const std::string& name = *std::get_if<METHODS.size()>(&method);
  if (!isToken(name)) return std::nullopt;
  return name;
}

void provideIncoming(Binder& types) {
  types.resource("incoming-request")
      .resource("incoming-response")
      .resource("incoming-body")
      .resource("future-trailers")
      .function<method>("[method]incoming-request.method")
      .function<pathWithQuery>("[method]incoming-request.path-with-query")
      .function<scheme>("[method]incoming-request.scheme")
      .function<authority>("[method]incoming-request.authority")
      .function<requestHeaders>("[method]incoming-request.headers")
      .function<consumeRequest>("[method]incoming-request.consume")
      .function<status>("[method]incoming-response.status")
      .function<responseHeaders>("[method]incoming-response.headers")
      .function<consumeResponse>("[method]incoming-response.consume")
      .function<stream>("[method]incoming-body.stream")
      .function<finish>("[static]incoming-body.finish")
      .function<subscribe>("[method]future-trailers.subscribe")
      .function<getTrailers>("[method]future-trailers.get")
      .function<httpErrorCode>("http-error-code");
}

}  // namespace tenon::wasi::http
