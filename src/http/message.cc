#include "http/message.h"

#include <algorithm>
#include <array>

namespace tenon::http {
namespace {

constexpr std::array<bool, 256> TOKEN = [] {
  std::array<bool, 256> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Calls `visit(item)` for each element of a comma-separated list.
template <typename Visit>
void eachItem(std::string_view list, Visit&& visit) {
  while (!list.empty()) {
    size_t comma = std::min(list.find(','), list.size());
    std::string_view item = trim(list.substr(0, comma));
    if (!item.empty()) visit(item);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

// What the fields of the connection say.
struct ConnectionFields {
  std::optional<uint64_t> length;
  std::optional<std::string> host;
  std::string coding;  // Transfer-Encoding
  bool hasCoding = false;
  bool close = false;
  bool keepAlive = false;
  bool expectsContinue = false;
};

Unexpected<Malformed> malformed(const char* why, uint16_t status = 400) {
  return {Malformed{status, why}};
}

// The next line without its end; nothing when the end is not CR LF.
std::optional<std::string_view> takeLine(std::string_view& text) {
  size_t end = text.find('\n');
  if (end == std::string_view::npos || end == 0 || text[end - 1] != '\r') return std::nullopt;
  std::string_view line = text.substr(0, end - 1);
  text.remove_prefix(end + 1);
  return line;
}

// Takes what a field says about the connection; false: the field is malformed.
const char* note(ConnectionFields& notes, const Field& field) {
  switch (field.name.size()) {
    case 4:
      if (!sameName(field.name, "host")) break;
      if (notes.host) return "more than one Host field";
      notes.host = field.value;
      break;
    case 6:
      if (!sameName(field.name, "expect")) break;
      if (listHas(field.value, "100-continue")) notes.expectsContinue = true;
      break;
    case 10:
      if (!sameName(field.name, "connection")) break;
      eachItem(field.value, [&](std::string_view item) {
        if (sameName(item, "close")) notes.close = true;
        if (sameName(item, "keep-alive")) notes.keepAlive = true;
      });
      break;
    case 14:
      if (!sameName(field.name, "content-length")) break;
      if (notes.length) return "more than one Content-Length field";
      notes.length = parseLength(field.value);
      if (!notes.length) return "Content-Length is not a number";
      break;
    case 17:
      if (!sameName(field.name, "transfer-encoding")) break;
      if (notes.hasCoding) return "more than one Transfer-Encoding field";
      notes.hasCoding = true;
      eachItem(field.value, [&](std::string_view item) {
        if (!notes.coding.empty()) notes.coding += ", ";
        notes.coding += lowerCase(item);
      });
      break;
    default:
      break;
  }
  return nullptr;
}

// Parses field lines into `fields`, those of the connection only into `notes` when there are.
Expected<void, Malformed> parseLines(std::string_view text, const HeadLimits& limits,
                                     FieldList& fields, ConnectionFields* notes, Folds folds) {
  uint32_t count = 0;
  std::string joined;
  while (!text.empty()) {
    auto line = takeLine(text);
    if (!line) return malformed("a line does not end with CR LF");
    if (++count > limits.fields) return malformed("too many header fields", 431);
    if (folds == Folds::JOINED && !line->starts_with(' ') && !line->starts_with('\t') &&
        (text.starts_with(' ') || text.starts_with('\t'))) {
      joined = *line;
      while (text.starts_with(' ') || text.starts_with('\t')) {
        auto more = takeLine(text);
        if (!more) return malformed("a line does not end with CR LF");
        joined += ' ';
        joined += trim(*more);
      }
      line = joined;
    }
    size_t colon = line->find(':');
    if (colon == std::string_view::npos || !isToken(line->substr(0, colon))) {
      return malformed("a header line has no valid name");
    }
    std::string_view value = trim(line->substr(colon + 1));
    if (!isFieldValue(value)) return malformed("a header field has control characters");
    Field field{std::string(line->substr(0, colon)), std::string(value)};
    if (notes) {
      if (const char* why = note(*notes, field)) return malformed(why);
      if (isForbidden(field.name)) continue;
    }
    fields.push_back(std::move(field));
  }
  return {};
}

// "HTTP/1.0", "HTTP/1.1": 0 or 1; -1 for another version, -2 for no version.
int parseVersion(std::string_view text) {
  if (text.size() != 8 || !text.starts_with("HTTP/") || text[6] != '.') return -2;
  if (text[5] < '0' || text[5] > '9' || text[7] < '0' || text[7] > '9') return -2;
  if (text[5] != '1') return -1;
  return text[7] == '0' ? 0 : 1;
}

bool isHex(char c) { return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'f'); }

// Splits a request's target, `host` being its Host field; what is wrong with it, or null. Only
// forms that leave no doubt about the path are taken. Source: RFC 9112 section 3.2.
const char* splitTarget(RequestHead& request, std::string host) {
  std::string_view target = request.target;
  request.authority = std::move(host);
  if (target.starts_with('/') || (target == "*" && request.method == "OPTIONS")) {
    request.path = target;
    return nullptr;
  }
  size_t scheme = target.find(':');
  if (scheme == std::string_view::npos || !target.substr(scheme).starts_with("://") ||
      !(sameName(target.substr(0, scheme), "http") ||
        sameName(target.substr(0, scheme), "https"))) {
    return "malformed request target";
  }
  request.scheme = scheme == 4 ? Scheme::HTTP : Scheme::HTTPS;
  target.remove_prefix(scheme + 3);
  size_t end = std::min(target.find_first_of("/?"), target.size());
  request.authority = target.substr(0, end);
  if (!isHostPort(request.authority)) return "malformed authority in the request target";
  target.remove_prefix(end);
  if (!target.starts_with('/')) request.path = "/";
  request.path += target;
  return nullptr;
}

}  // namespace

size_t headSize(std::string_view bytes, size_t from) {
  for (size_t at = from;; ++at) {
    at = bytes.find('\n', at);
    if (at == std::string_view::npos) return 0;
    if (at == 0 || bytes[at - 1] != '\r') return at + 1;
    if (at >= 3 && bytes[at - 2] == '\n' && bytes[at - 3] == '\r') return at + 1;
  }
}

Malformed describeTooLarge(std::string_view beginning) {
  size_t end = beginning.find_first_of(" \r\n");
  if (end == std::string_view::npos) return {501, "the method is too long"};
  if (beginning.find('\n') == std::string_view::npos) return {414, "the request line is too long"};
  return {431, "the request's head is too large"};
}

Expected<RequestHead, Malformed> parseRequest(std::string_view head, const HeadLimits& limits) {
  head.remove_suffix(std::min<size_t>(head.size(), 2));
  auto line = takeLine(head);
  if (!line) return malformed("the request line does not end with CR LF");
  size_t first = line->find(' ');
  size_t last = line->rfind(' ');
  if (first == std::string_view::npos || first == last) return malformed("malformed request line");
  RequestHead request;
  request.method = line->substr(0, first);
  request.target = line->substr(first + 1, last - first - 1);
  if (!isToken(request.method)) return malformed("malformed method");
  if (request.target.empty()) return malformed("malformed request target");
  for (char c : request.target) {
    auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7f || c == '#') return malformed("malformed request target");
  }
  request.minorVersion = parseVersion(line->substr(last + 1));
  if (request.minorVersion == -2) return malformed("malformed HTTP version");
  if (request.minorVersion == -1) return malformed("HTTP version not supported", 505);

  request.fields = std::make_shared<FieldList>();
  request.fields->reserve(8);
  ConnectionFields notes;
  auto parsed = parseLines(head, limits, *request.fields, &notes, Folds::REFUSED);
  if (!parsed) return Unexpected<Malformed>{parsed.error()};
  if (notes.hasCoding) {
    if (notes.length) return malformed("both Content-Length and Transfer-Encoding");
    if (request.minorVersion == 0) return malformed("Transfer-Encoding in HTTP/1.0");
    if (notes.coding.empty()) return malformed("Transfer-Encoding without a coding");
    if (notes.coding != "chunked") {
      // Without it nobody could tell where the body ends. Source: RFC 9112 section 6.3.
      std::string_view inner = notes.coding;
      if (!inner.ends_with(", chunked"))
        return malformed("the last transfer coding is not chunked");
      inner.remove_suffix(9);
      if (listHas(inner, "chunked")) return malformed("chunked more than once");
      return malformed("unknown transfer coding", 501);
    }
    request.framing = Framing::CHUNKED;
  } else if (notes.length) {
    request.framing = *notes.length == 0 ? Framing::NONE : Framing::LENGTH;
    request.length = *notes.length;
  }
  if (request.minorVersion == 1 && !notes.host) return malformed("no Host field");
  request.host = notes.host.value_or("");
  if (!request.host.empty() && !isHostPort(request.host)) return malformed("malformed Host field");
  if (request.method == "CONNECT") return malformed("CONNECT is not supported", 501);
  if (const char* why = splitTarget(request, request.host)) return malformed(why);
  request.keepAlive = !notes.close && (request.minorVersion == 1 || notes.keepAlive);
  request.expectsContinue = notes.expectsContinue && request.minorVersion == 1;
  return request;
}

Expected<ResponseHead, Malformed> parseResponse(std::string_view head, bool toHead,
                                                const HeadLimits& limits) {
  head.remove_suffix(std::min<size_t>(head.size(), 2));
  auto line = takeLine(head);
  if (!line || line->size() < 12 || (*line)[8] != ' ') return malformed("malformed status line");
  ResponseHead response;
  response.minorVersion = parseVersion(line->substr(0, 8));
  auto status = parseLength(line->substr(9, 3));
  if (response.minorVersion < 0 || !status || *status < 100) {
    return malformed("malformed status line");
  }
  if (line->size() > 12 && (*line)[12] != ' ') return malformed("malformed status line");
  if (!isFieldValue(line->substr(12))) return malformed("malformed reason phrase");
  response.status = static_cast<uint16_t>(*status);
  response.fields = std::make_shared<FieldList>();
  ConnectionFields notes;
  auto parsed = parseLines(head, limits, *response.fields, &notes, Folds::JOINED);
  if (!parsed) return Unexpected<Malformed>{parsed.error()};
  response.keepAlive = !notes.close && (response.minorVersion == 1 || notes.keepAlive);
  if (notes.hasCoding && notes.coding.empty()) {
    return malformed("Transfer-Encoding without a coding");
  }
  bool bodiless = toHead || *status < 200 || *status == 204 || *status == 304;
  if (bodiless) return response;
  if (notes.hasCoding) {
    // The coding wins over a length; the connection is not used again then.
    // In HTTP/1.0 whoever was in between may not have known it.
    if (notes.length || response.minorVersion == 0) response.keepAlive = false;
    if (notes.coding == "chunked") {
      response.framing = Framing::CHUNKED;
    } else {
      response.transferCoding = notes.coding;
    }
  } else if (notes.length) {
    response.framing = *notes.length == 0 ? Framing::NONE : Framing::LENGTH;
    response.length = *notes.length;
  } else {
    response.framing = Framing::UNTIL_CLOSE;
    response.keepAlive = false;
  }
  return response;
}

Expected<FieldList, Malformed> parseFields(std::string_view lines, const HeadLimits& limits,
                                           Folds folds) {
  FieldList fields;
  ConnectionFields notes;
  auto parsed = parseLines(lines, limits, fields, nullptr, folds);
  if (!parsed) return Unexpected<Malformed>{parsed.error()};
  // What frames or routes a message is not for trailers (RFC 9110 section 6.5.1).
  std::erase_if(fields, [](const Field& field) {
    return isForbidden(field.name) || sameName(field.name, "content-length");
  });
  return fields;
}

bool isToken(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return TOKEN[static_cast<unsigned char>(c)]; });
}

bool isQuoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  text = text.substr(1, text.size() - 2);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"' || (text[i] == '\\' && ++i == text.size())) return false;
  }
  return isFieldValue(text);
}

bool isFieldValue(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (static_cast<unsigned char>(c) >= ' ' && c != '\x7f') || c == '\t';
  });
}

bool isHostPort(std::string_view text) {
  constexpr std::string_view MARKS = "-._~!$&'()*+,;=";
  size_t end = 0;
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    auto inside = text.substr(1, end - 1);
    if (!std::ranges::all_of(inside, [](char c) { return isHex(c) || c == ':' || c == '.'; })) {
      return false;
    }
    ++end;
  } else {
    end = std::min(text.find(':'), text.size());
    if (end == 0) return false;
    for (size_t i = 0; i < end; ++i) {
      char c = lower(text[i]);
      bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
      if (plain || MARKS.find(c) != std::string_view::npos) continue;
      if (c != '%' || i + 2 >= end || !isHex(text[i + 1]) || !isHex(text[i + 2])) return false;
    }
  }
  text.remove_prefix(end);
  if (text.empty()) return true;
  auto port = parseLength(text.substr(1));
  return text[0] == ':' && (text.size() == 1 || (port && *port <= 65535));
}

std::string lowerCase(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower(c);
  return result;
}

bool sameName(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool listHas(std::string_view list, std::string_view item) {
  bool found = false;
  eachItem(list, [&](std::string_view element) { found = found || sameName(element, item); });
  return found;
}

bool isTrailer(std::string_view name) {
  constexpr std::string_view OTHERS[] = {"age",
                                         "authorization",
                                         "cache-control",
                                         "content-encoding",
                                         "content-length",
                                         "content-range",
                                         "content-type",
                                         "cookie",
                                         "date",
                                         "expect",
                                         "expires",
                                         "if-match",
                                         "if-range",
                                         "if-none-match",
                                         "if-modified-since",
                                         "location",
                                         "max-forwards",
                                         "pragma",
                                         "range",
                                         "retry-after",
                                         "set-cookie",
                                         "te",
                                         "trailer",
                                         "vary",
                                         "www-authenticate",
                                         "warning",
                                         "if-unmodified-since"};
  return !isForbidden(name) &&
         std::ranges::none_of(OTHERS, [&](auto other) { return sameName(name, other); });
}

const Field* findField(const FieldList& fields, std::string_view name) {
  for (const Field& field : fields) {
    if (sameName(field.name, name)) return &field;
  }
  return nullptr;
}

bool isForbidden(std::string_view name) {
  switch (name.size()) {
    case 4:
      return sameName(name, "host");
    case 7:
      return sameName(name, "upgrade");
    case 10:
      return sameName(name, "connection") || sameName(name, "keep-alive");
    case 14:
      return sameName(name, "http2-settings");
    case 16:
      return sameName(name, "proxy-connection");
    case 17:
      return sameName(name, "transfer-encoding");
    case 18:
      return sameName(name, "proxy-authenticate");
    case 19:
      return sameName(name, "proxy-authorization");
    default:
      return false;
  }
}

std::string_view reasonPhrase(uint16_t status) {
  switch (status) {
    case 100:
      return "Continue";
    case 102:
      return "Processing";
    case 103:
      return "Early Hints";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 421:
      return "Misdirected Request";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

std::optional<uint64_t> parseLength(std::string_view digits) {
  if (digits.empty() || digits.size() > 18) return std::nullopt;
  uint64_t value = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

std::optional<uint64_t> declaredLength(const FieldList& fields) {
  std::optional<uint64_t> length;
  for (const Field& field : fields) {
    if (!sameName(field.name, "content-length")) continue;
    auto said = parseLength(field.value);
    if (!said || (length && *length != *said)) return std::nullopt;
    length = said;
  }
  return length;
}

void appendLength(std::string& out, uint64_t length) {
  out += "Content-Length: ";
  out += std::to_string(length);
  out += "\r\n";
}

void appendFields(std::string& out, const FieldList& fields, std::optional<uint64_t> length) {
  for (const Field& field : fields) {
    bool frames = sameName(field.name, "content-length");
    if (frames && !length) continue;
    out += field.name;
    out += ": ";
    out += frames ? std::to_string(*length) : field.value;
    out += "\r\n";
    if (frames) length = std::nullopt;
  }
}

void appendStatusLine(std::string& out, uint16_t status) {
  out += "HTTP/1.1 ";
  out += static_cast<char>('0' + status / 100);
  out += static_cast<char>('0' + status / 10 % 10);
  out += static_cast<char>('0' + status % 10);
  out += ' ';
  out += reasonPhrase(status);
  out += "\r\n";
}

}  // namespace tenon::http
