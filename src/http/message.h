#pragma once

// HTTP/1.1 messages as data: heads and fields, parsed strictly and written. Pure functions, no I/O.
// KJ's HTTP is not used, because it has neither trailers nor 1xx responses nor methods of one's own
// (docs/adr/0003). Source: RFC 9110, RFC 9112.

#include <tenon/expected.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::http {

// Names are as they were sent or set, and are compared by `sameName`; values have no space around
// them and no control characters. Source: wasi:http/types, `fields.entries`.
struct Field {
  std::string name;
  std::string value;
};
using FieldList = std::vector<Field>;

// Sizes that a peer may use.
struct HeadLimits {
  uint32_t bytes = 32 * 1024;  // of a whole head, and of all trailers
  uint32_t fields = 128;
};

// How a body ends. Source: RFC 9112 section 6.
enum class Framing : uint8_t { NONE, LENGTH, CHUNKED, UNTIL_CLOSE };

enum class Scheme : uint8_t { HTTP, HTTPS };

struct RequestHead {
  std::string method;
  std::string target;     // as it was sent
  std::string authority;  // whom it is for: of the target, or else of the Host field; may be empty
  std::optional<Scheme> scheme;  // of an absolute target
  std::string path;              // with the query; "*" of an OPTIONS
  int minorVersion = 1;
  std::shared_ptr<FieldList> fields;  // without those of the connection
  std::string host;                   // the Host field
  Framing framing = Framing::NONE;
  uint64_t length = 0;  // LENGTH only
  bool keepAlive = true;
  bool expectsContinue = false;
};

struct ResponseHead {
  uint16_t status = 0;
  int minorVersion = 1;
  std::shared_ptr<FieldList> fields;  // without those of the connection
  Framing framing = Framing::NONE;
  uint64_t length = 0;
  bool keepAlive = true;
  std::string transferCoding;  // one that is not "chunked"; the message cannot be read then
};

// Why a message was refused. `status` is what a server answers.
struct Malformed {
  uint16_t status = 400;
  const char* why = "malformed";  // static storage
};

// How many of `bytes` are a head, its empty line included; 0: it is not all there yet. A line that
// does not end with CR LF ends the head too: parsing it says what is wrong. `from`: how many bytes
// were searched before.
size_t headSize(std::string_view bytes, size_t from);

// What is wrong with the beginning of a request's head that is too large, or that cannot be one.
// Source: RFC 9110 section 5.4, RFC 9112 section 3. Errors: 400, 414, 431, 501.
Malformed describeTooLarge(std::string_view beginning);

// `head`: as headSize says. Errors: 400, 431, 501, 505.
Expected<RequestHead, Malformed> parseRequest(std::string_view head, const HeadLimits& limits);
// `toHead`: whether it answers a HEAD request, so that it has no body.
Expected<ResponseHead, Malformed> parseResponse(std::string_view head, bool toHead,
                                                const HeadLimits& limits);
// What becomes of a line that goes on with the one before: requests have none, and in responses it
// is one field. Source: RFC 9112 section 5.2.
enum class Folds : uint8_t { REFUSED, JOINED };

// Lines of fields, each with its line end, without the empty line: trailers.
Expected<FieldList, Malformed> parseFields(std::string_view lines, const HeadLimits& limits,
                                           Folds folds);

// Source: RFC 9110 section 5.6.2 (token), 5.5 (field-value), 5.6.4 (quoted-string).
bool isToken(std::string_view text);
bool isQuoted(std::string_view text);
bool isFieldValue(std::string_view text);
std::string lowerCase(std::string_view text);
// Whether they are the same but for the case of ASCII letters.
bool sameName(std::string_view a, std::string_view b);
// Whether `item` is an element of a list with commas, whatever its case.
bool listHas(std::string_view list, std::string_view item);
const Field* findField(const FieldList& fields, std::string_view name);

// Fields that belong to the connection, or that the host writes itself: no guest sees or sets them.
bool isForbidden(std::string_view name);

// "OK", "Not Found"; empty for unknown ones.
std::string_view reasonPhrase(uint16_t status);

// "name", "name:port", "[::1]:port": a host as messages name it, without a user. Source: RFC 3986
// section 3.2.
bool isHostPort(std::string_view text);

// A number of decimal digits only; nothing when it is none or too large.
std::optional<uint64_t> parseLength(std::string_view digits);
// What the Content-Length among `fields` says; nothing when there is none, or it is ambiguous. What
// a body is held to and what is written must both come from here.
std::optional<uint64_t> declaredLength(const FieldList& fields);

// Whether a field makes sense behind a body: it does not frame, route, change or protect the
// message. Source: RFC 9110 section 6.5.1.
bool isTrailer(std::string_view name);

// Writes "name: value\r\n" of each. Content-Length, which frames, is its writer's business: it is
// written as `length`, once and where it first stands; without one it is left out.
void appendFields(std::string& out, const FieldList& fields,
                  std::optional<uint64_t> length = std::nullopt);
// "Content-Length: 5\r\n".
void appendLength(std::string& out, uint64_t length);
// "HTTP/1.1 200 OK\r\n".
void appendStatusLine(std::string& out, uint16_t status);

}  // namespace tenon::http
