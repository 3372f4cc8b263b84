#pragma once

// One request on its way through a guest: what a server and the guest's resources share. Bound to
// the loop's thread.

#include "http/body_reader.h"
#include "http/body_writer.h"
#include "http/error_code.h"
#include "http/message.h"
#include "http/wire.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon::http {

// What an `incoming-request` says.
struct IncomingMessage {
  std::string method;
  std::optional<std::string> pathWithQuery;
  std::optional<std::string> authority;
  Scheme scheme = Scheme::HTTP;
  std::shared_ptr<FieldList> fields;
  std::shared_ptr<BodyReader> body;
};

// What a guest gave to `response-outparam.set`.
struct Answer {
  uint16_t status = 200;
  std::shared_ptr<FieldList> fields;
  std::shared_ptr<BodyWriter> body;  // null: there is none
};

// A 1xx response.
struct Informational {
  uint16_t status = 0;
  std::shared_ptr<FieldList> fields;
};

// Shared by the connection and by the guest's `response-outparam`.
class Exchange {
 public:
  // The guest's side. The first answer counts.
  void answer(Answer answer) {
    if (decided()) return;
    if (answer.body && (toHead || answer.status == 304)) answer.body->allowNone();
    if (closed_ && answer.body) answer.body->close(makeError<ErrorKind::CONNECTION_TERMINATED>());
    answer_ = std::move(answer);
    changed.raise();
  }
  void fail(ErrorCode why) {
    if (decided()) return;
    failure_ = std::move(why);
    changed.raise();
  }
  // The guest dropped the response-outparam without an answer.
  void drop() {
    if (decided()) return;
    dropped_ = true;
    changed.raise();
  }
  void inform(Informational message) {
    informational.push_back(std::move(message));
    changed.raise();
  }

  // The server's side.
  bool decided() const { return answer_ || failure_ || dropped_; }
  std::optional<Answer>& answer() { return answer_; }
  const std::optional<ErrorCode>& failure() const { return failure_; }

  // Nobody waits for the answer any more: what the guest writes goes nowhere.
  void close() {
    closed_ = true;
    if (answer_ && answer_->body) {
      answer_->body->close(makeError<ErrorKind::CONNECTION_TERMINATED>());
    }
  }

  bool toHead = false;                       // the request is a HEAD
  std::vector<Informational> informational;  // not sent yet
  Signal changed;

 private:
  std::optional<Answer> answer_;
  std::optional<ErrorCode> failure_;
  bool dropped_ = false;
  bool closed_ = false;
};

}  // namespace tenon::http
