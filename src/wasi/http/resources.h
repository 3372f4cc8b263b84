#pragma once

// What the handles of wasi:http/types stand for. Bound to the loop's thread.

#include "call/host_objects.h"
#include "http/charges.h"
#include "http/client.h"
#include "http/exchange.h"

#include <kj/async.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace tenon::wasi::http {

// HTTP itself, by its names.
using tenon::http::BodyReader;
using tenon::http::BodyWriter;
using tenon::http::chargeBody;
using tenon::http::chargeFields;
using tenon::http::declaredLength;
using tenon::http::DnsErrorPayload;
using tenon::http::ErrorCode;
using tenon::http::ErrorKind;
using tenon::http::Exchange;
using tenon::http::EXCHANGE_COST;
using tenon::http::Field;
using tenon::http::FIELD_COST;
using tenon::http::FieldList;
using tenon::http::FieldSizePayload;
using tenon::http::HttpError;
using tenon::http::IncomingMessage;
using tenon::http::makeError;
using tenon::http::MaybeText;
using tenon::http::PendingResponse;
using tenon::http::READ_BODY_COST;
using tenon::http::Response;
using tenon::http::Scheme;
using tenon::http::Side;
using tenon::http::sizeOf;
using tenon::http::TlsAlertPayload;

// A list that a guest fills, and what it knows of it, so that adding to it does not look at all.
struct ChargedFields {
  explicit ChargedFields(std::shared_ptr<call::MemoryBudget> budget) : charge(std::move(budget)) {}
  call::MemoryCharge charge;  // `size` bytes
  FieldList list;
  uint64_t size = 0;               // as `sizeOf` says
  std::optional<uint64_t> length;  // what its Content-Length says
};

// What traps when it goes before its children. WASI's text says so of incoming-request (its
// headers), incoming-body and outgoing-body (their streams). It calls other headers and trailers
// children, too, without saying what happens: they outlive their message.
class Parent : public call::HostObject {
 public:
  // Each child holds this.
  std::shared_ptr<void> forChild() {
    if (!children_) children_ = std::make_shared<char>();
    return children_;
  }
  bool hasChildren() const override { return children_ && children_.use_count() > 1; }

 private:
  std::shared_ptr<void> children_;
};

struct Fields final : call::HostObject {
  Fields(std::shared_ptr<FieldList> list, bool immutable, ChargedFields* charged = nullptr)
      : list(std::move(list)), immutable(immutable), charged(charged) {}
  std::shared_ptr<FieldList> list;  // shared with the message, which does not change it
  bool immutable;
  ChargedFields* charged;        // of a list that can be changed; it lives as long as the list
  std::shared_ptr<void> parent;  // held as long as this is a child of something
};

struct IncomingRequest final : Parent {
  // `budget` of the instance that gets it.
  IncomingRequest(IncomingMessage message, std::shared_ptr<call::MemoryBudget> budget);
  call::MemoryCharge charge;  // for the texts
  IncomingMessage message;
  bool consumed = false;
};

// The body of a request or response that arrives. Its stream and its trailers share the reader.
struct IncomingBody final : Parent {
  explicit IncomingBody(std::shared_ptr<BodyReader> reader) : reader(std::move(reader)) {}
  std::shared_ptr<BodyReader> reader;
  bool streamed = false;
};

// Ready once the body was read to its end; what is left of it is dropped on the way.
class TrailersState final : public call::Waitable {
 public:
  explicit TrailersState(std::shared_ptr<BodyReader> reader) : reader(std::move(reader)) {}
  bool ready() override { return reader->finished(); }
  kj::Promise<void> whenReady() override { return reader->discard(); }

  std::shared_ptr<BodyReader> reader;
};

struct FutureTrailers final : call::HostObject {
  explicit FutureTrailers(std::shared_ptr<BodyReader> reader)
      : state(std::make_shared<TrailersState>(std::move(reader))) {}
  std::shared_ptr<TrailersState> state;
  bool taken = false;
};

struct RequestOptions final : call::HostObject {
  std::optional<uint64_t> connectTimeout;  // nanoseconds
  std::optional<uint64_t> firstByteTimeout;
  std::optional<uint64_t> betweenBytesTimeout;
};

struct OutgoingRequest final : call::HostObject {
  OutgoingRequest(std::shared_ptr<FieldList> fields, std::shared_ptr<call::MemoryBudget> budget)
      : charge(std::move(budget)), fields(std::move(fields)) {}
  call::MemoryCharge charge;  // for the texts
  std::string method = "GET";
  std::optional<std::string> pathWithQuery;
  std::optional<std::string> scheme;  // in lower case
  std::optional<std::string> authority;
  std::shared_ptr<FieldList> fields;
  std::shared_ptr<BodyWriter> body;  // once it was asked for
};

struct OutgoingResponse final : call::HostObject {
  explicit OutgoingResponse(std::shared_ptr<FieldList> fields) : fields(std::move(fields)) {}
  uint16_t status = 200;
  std::shared_ptr<FieldList> fields;
  std::shared_ptr<BodyWriter> body;  // once it was asked for
};

struct OutgoingBody final : Parent {
  explicit OutgoingBody(std::shared_ptr<BodyWriter> writer) : writer(std::move(writer)) {}
  // A body that is dropped without `finish` breaks its message.
  ~OutgoingBody() noexcept(false) override {
    if (writer) writer->abandon();
  }
  std::shared_ptr<BodyWriter> writer;  // null once finished
  bool streamed = false;
};

struct ResponseOutparam final : call::HostObject {
  explicit ResponseOutparam(std::shared_ptr<Exchange> exchange) : exchange(std::move(exchange)) {}
  ~ResponseOutparam() noexcept(false) override {
    if (exchange) exchange->drop();
  }
  std::shared_ptr<Exchange> exchange;  // null once answered
};

struct IncomingResponse final : call::HostObject {
  explicit IncomingResponse(Response response) : response(std::move(response)) {}
  Response response;
  bool consumed = false;
};

struct FutureIncomingResponse final : call::HostObject {
  explicit FutureIncomingResponse(std::shared_ptr<PendingResponse> state)
      : state(std::move(state)) {}
  std::shared_ptr<PendingResponse> state;
};

}  // namespace tenon::wasi::http
