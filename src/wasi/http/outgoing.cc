#include "wasi/http/functions.h"
#include "wasi/io/io.h"

#include <algorithm>
#include <utility>

namespace tenon::wasi::http {
namespace {

using tenon::http::isHostPort;
using tenon::http::lowerCase;

// Takes a `fields` handle's list; null, and the call failed, when there is none.
std::shared_ptr<FieldList> takeFields(call::HostCall& call, Own<Fields> handle) {
  auto fields = call.objects.take<Fields>(handle.rep);
  if (!fields) {
    call.fail("the handle is no fields");
    return nullptr;
  }
  // Others may hold a list that cannot be changed; this one could be, so it is the only one.
  return std::move(fields->list);
}

// A path and query, of which either may be empty. Beyond RFC 3986 it may have what URLs of browsers
// have unescaped: ^ ` { | } [ ].
bool isTarget(std::string_view text) {
  if (!text.empty() && text[0] != '/' && text[0] != '?' && text != "*") return false;
  constexpr std::string_view REFUSED = "#\"<>\\\x7f";
  return std::ranges::all_of(text, [&](char c) {  // what is not ASCII is negative
    return c > ' ' && REFUSED.find(c) == std::string_view::npos;
  });
}

// Source: RFC 3986 section 3.2, without the empty host, which HTTP forbids.
bool isAuthority(std::string_view text) {
  size_t at = text.find('@');
  if (at == std::string_view::npos) return isHostPort(text);
  // A user consists of what names do, and of colons.
  std::string user = "u" + std::string(text.substr(0, at));
  std::ranges::replace(user, ':', '.');
  return isHostPort(user) && isHostPort(text.substr(at + 1));
}

bool isScheme(std::string_view text) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && letter(text[0]) && std::ranges::all_of(text, [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
}

// -- outgoing-request -----------------------------------------------------------------------------

// Longer ones no server takes, and all of them are looked at and kept.
constexpr size_t MAX_METHOD = 1024;
constexpr size_t MAX_SCHEME = 1024;
constexpr size_t MAX_AUTHORITY = 1024;
constexpr size_t MAX_PATH = 64 * 1024;

Own<OutgoingRequest> newRequest(call::HostCall& call, Own<Fields> headers) {
  auto fields = takeFields(call, headers);
  if (!fields) return {};
  return give(call, std::make_unique<OutgoingRequest>(std::move(fields), call.objects.budget()));
}

// After one of its texts was set.
void chargeTexts(OutgoingRequest& self) {
  auto sizeOf = [](const std::optional<std::string>& text) { return text ? text->size() : 0; };
  self.charge.force(self.method.size() + sizeOf(self.pathWithQuery) + sizeOf(self.scheme) +
                    sizeOf(self.authority));
}

// A body's buffer, charged as if it were full, and as full again while what was in it is sent.
struct ChargedBody {
  ChargedBody(call::HostCall& call, Side side) : charge(call.objects.budget()), writer(side) {}
  call::MemoryCharge charge;
  BodyWriter writer;
};

// The body of a message, once.
template <typename Message>
Expected<Own<OutgoingBody>, void> newBody(call::HostCall& call, Message& self, Side side) {
  if (self.body) return Unexpected<void>{};
  auto charged = std::make_shared<ChargedBody>(call, side);
  if (!charged->charge.set(2 * BodyWriter::ROOM)) {
    call.fail("the bodies of all messages take more memory than the instance may use");
    return Unexpected<void>{};
  }
  self.body = std::shared_ptr<BodyWriter>(charged, &charged->writer);
  if (auto length = declaredLength(*self.fields)) self.body->declare(*length);
  return give(call, std::make_unique<OutgoingBody>(self.body));
}

Expected<Own<OutgoingBody>, void> requestBody(call::HostCall& call, OutgoingRequest& self) {
  return newBody(call, self, Side::REQUEST);
}

Method method(call::HostCall&, OutgoingRequest& self) { return toMethod(self.method); }

Expected<void, void> setMethod(call::HostCall&, OutgoingRequest& self, const Method& method) {
  auto name = fromMethod(method);
  if (!name || name->size() > MAX_METHOD) return Unexpected<void>{};
  self.method = *std::move(name);
  chargeTexts(self);
  return {};
}

std::optional<std::string_view> pathWithQuery(call::HostCall&, OutgoingRequest& self) {
  if (!self.pathWithQuery) return std::nullopt;
  return *self.pathWithQuery;
}

Expected<void, void> setPathWithQuery(call::HostCall&, OutgoingRequest& self,
                                      std::optional<std::string_view> path) {
  if (path && (path->size() > MAX_PATH || !isTarget(*path))) return Unexpected<void>{};
  self.pathWithQuery = path ? std::optional<std::string>(*path) : std::nullopt;
  chargeTexts(self);
  return {};
}

std::optional<WitScheme> scheme(call::HostCall&, OutgoingRequest& self) {
  if (!self.scheme) return std::nullopt;
  if (*self.scheme == "http") return WitScheme(std::in_place_index<0>);
  if (*self.scheme == "https") return WitScheme(std::in_place_index<1>);
  return WitScheme(std::in_place_index<2>, *self.scheme);
}

Expected<void, void> setScheme(call::HostCall&, OutgoingRequest& self,
                               const std::optional<WitScheme>& scheme) {
  if (!scheme) {
    self.scheme = std::nullopt;
  } else if (scheme->index() == 2) {
    const std::string& other = *std::get_if<2>(&*scheme);
    if (other.size() > MAX_SCHEME || !isScheme(other)) return Unexpected<void>{};
    self.scheme = lowerCase(other);
  } else {
    self.scheme = scheme->index() == 0 ? "http" : "https";
  }
  chargeTexts(self);
  return {};
}

std::optional<std::string_view> authority(call::HostCall&, OutgoingRequest& self) {
  if (!self.authority) return std::nullopt;
  return *self.authority;
}

Expected<void, void> setAuthority(call::HostCall&, OutgoingRequest& self,
                                  std::optional<std::string_view> authority) {
  if (authority && (authority->size() > MAX_AUTHORITY || !isAuthority(*authority))) {
    return Unexpected<void>{};
  }
  self.authority = authority ? std::optional<std::string>(*authority) : std::nullopt;
  chargeTexts(self);
  return {};
}

Own<Fields> requestHeaders(call::HostCall& call, OutgoingRequest& self) {
  return giveImmutable(call, self.fields);
}

// -- request-options ------------------------------------------------------------------------------

Own<RequestOptions> newOptions(call::HostCall& call) {
  return give(call, std::make_unique<RequestOptions>());
}

template <auto MEMBER>
std::optional<uint64_t> getTimeout(call::HostCall&, RequestOptions& self) {
  return self.*MEMBER;
}

template <auto MEMBER>
Expected<void, void> setTimeout(call::HostCall&, RequestOptions& self,
                                std::optional<uint64_t> duration) {
  self.*MEMBER = duration;
  return {};
}

// -- outgoing-response, outgoing-body -------------------------------------------------------------

Own<OutgoingResponse> newResponse(call::HostCall& call, Own<Fields> headers) {
  auto fields = takeFields(call, headers);
  if (!fields) return {};
  return give(call, std::make_unique<OutgoingResponse>(std::move(fields)));
}

uint16_t statusCode(call::HostCall&, OutgoingResponse& self) { return self.status; }

Expected<void, void> setStatusCode(call::HostCall&, OutgoingResponse& self, uint16_t status) {
  // 1xx are not final, see send-informational.
  if (status < 200 || status > 999) return Unexpected<void>{};
  self.status = status;
  return {};
}

Own<Fields> responseHeaders(call::HostCall& call, OutgoingResponse& self) {
  return giveImmutable(call, self.fields);
}

Expected<Own<OutgoingBody>, void> responseBody(call::HostCall& call, OutgoingResponse& self) {
  return newBody(call, self, Side::RESPONSE);
}

Expected<Own<OutputStream>, void> write(call::HostCall& call, OutgoingBody& self) {
  if (std::exchange(self.streamed, true)) return Unexpected<void>{};
  return give(call, std::make_unique<OutputStream>(self.writer, self.forChild()));
}

Expected<void, ErrorCode> finish(call::HostCall& call, Own<OutgoingBody> self,
                                 const std::optional<Own<Fields>>& trailers) {
  auto body = takeWhole(call, self, "outgoing-body");
  if (!body) return {};
  std::shared_ptr<FieldList> list;
  if (trailers && !(list = takeFields(call, *trailers))) return {};
  auto writer = std::move(body->writer);
  return writer->finish(std::move(list));
}

// -- response-outparam ----------------------------------------------------------------------------

Expected<void, ErrorCode> sendInformational(call::HostCall& call, ResponseOutparam& self,
                                            uint16_t status, Own<Fields> headers) {
  auto fields = takeFields(call, headers);
  if (!fields) return {};
  if (status < 100 || status > 199) {
    return Unexpected<ErrorCode>{makeError<ErrorKind::HTTP_PROTOCOL_ERROR>()};
  }
  if (status < 102) {
    return Unexpected<ErrorCode>{makeError<ErrorKind::INTERNAL_ERROR>(
        MaybeText("only the host says 100, and 101 would change the protocol"))};
  }
  constexpr size_t MAX_WAITING = 16;
  if (self.exchange->informational.size() >= MAX_WAITING) {
    return Unexpected<ErrorCode>{
        makeError<ErrorKind::INTERNAL_ERROR>(MaybeText("too many informational responses"))};
  }
  self.exchange->inform({status, std::move(fields)});
  return {};
}

void set(call::HostCall& call, Own<ResponseOutparam> param,
         const Expected<Own<OutgoingResponse>, ErrorCode>& response) {
  auto outparam = call.objects.take<ResponseOutparam>(param.rep);
  if (!outparam) return call.fail("the handle is no response-outparam");
  auto exchange = std::move(outparam->exchange);
  if (!response) {
    ErrorCode why = response.error();
    shorten(why);
    return exchange->fail(std::move(why));
  }
  auto answer = takeWhole(call, response.value(), "outgoing-response");
  if (!answer) return exchange->drop();
  exchange->answer({answer->status, std::move(answer->fields), std::move(answer->body)});
}

}  // namespace

void provideOutgoing(Binder& types) {
  types.resource("outgoing-request")
      .resource("request-options")
      .resource("outgoing-response")
      .resource("outgoing-body")
      .resource("response-outparam")
      .resource("future-incoming-response")
      .function<newRequest>("[constructor]outgoing-request")
      .function<requestBody>("[method]outgoing-request.body")
      .function<method>("[method]outgoing-request.method")
      .function<setMethod>("[method]outgoing-request.set-method")
      .function<pathWithQuery>("[method]outgoing-request.path-with-query")
      .function<setPathWithQuery>("[method]outgoing-request.set-path-with-query")
      .function<scheme>("[method]outgoing-request.scheme")
      .function<setScheme>("[method]outgoing-request.set-scheme")
      .function<authority>("[method]outgoing-request.authority")
      .function<setAuthority>("[method]outgoing-request.set-authority")
      .function<requestHeaders>("[method]outgoing-request.headers")
      .function<newOptions>("[constructor]request-options")
      .function<getTimeout<&RequestOptions::connectTimeout>>(
          "[method]request-options.connect-timeout")
      .function<setTimeout<&RequestOptions::connectTimeout>>(
          "[method]request-options.set-connect-timeout")
      .function<getTimeout<&RequestOptions::firstByteTimeout>>(
          "[method]request-options.first-byte-timeout")
      .function<setTimeout<&RequestOptions::firstByteTimeout>>(
          "[method]request-options.set-first-byte-timeout")
      .function<getTimeout<&RequestOptions::betweenBytesTimeout>>(
          "[method]request-options.between-bytes-timeout")
      .function<setTimeout<&RequestOptions::betweenBytesTimeout>>(
          "[method]request-options.set-between-bytes-timeout")
      .function<newResponse>("[constructor]outgoing-response")
      .function<statusCode>("[method]outgoing-response.status-code")
      .function<setStatusCode>("[method]outgoing-response.set-status-code")
      .function<responseHeaders>("[method]outgoing-response.headers")
      .function<responseBody>("[method]outgoing-response.body")
      .function<write>("[method]outgoing-body.write")
      .function<finish>("[static]outgoing-body.finish")
      .function<sendInformational>("[method]response-outparam.send-informational")
      .function<set>("[static]response-outparam.set");
}

}  // namespace tenon::wasi::http
