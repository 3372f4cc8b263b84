#include "net/grants.h"

#include <idn2.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace tenon::net {
namespace {

template <typename T>
bool parseNumber(std::string_view text, T& into) {
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), into);
  return problem == std::errc() && end == text.data() + text.size();
}

bool parsePorts(std::string_view text, PortRange& into) {
  if (text == "*") return true;
  size_t dash = text.find('-');
  if (!parseNumber(text.substr(0, dash), into.first)) return false;
  if (dash == std::string_view::npos) {
    into.last = into.first;
    return true;
  }
  return parseNumber(text.substr(dash + 1), into.last) && into.first <= into.last;
}

bool parseRange(std::string_view text, AddressRange& into) {
  size_t slash = text.find('/');
  if (!parseAddress(text.substr(0, slash), into.base)) return false;
  auto all = static_cast<uint8_t>(into.base.size() * 8);
  into.bits = all;
  if (slash == std::string_view::npos) return true;
  return parseNumber(text.substr(slash + 1), into.bits) && into.bits <= all;
}

// Whether bits of the base are set that the range does not look at: nearly always a slip.
bool hasHostBits(const AddressRange& range) {
  AddressRange whole{range.base, static_cast<uint8_t>(range.base.size() * 8)};
  AddressBytes masked = range.base;
  for (size_t i = 0; i < masked.size(); i++) {
    int left = range.bits - static_cast<int>(i) * 8;
    if (left < 8) masked.bytes[i] &= static_cast<uint8_t>(left <= 0 ? 0 : 0xff << (8 - left));
  }
  return !whole.contains(masked);
}

// What is wrong with it; empty: nothing.
std::string parseGrant(std::string_view text, bool names, Grant& into) {
  std::string_view host;
  std::string_view ports;
  if (text.starts_with('[')) {
    size_t close = text.find("]:");
    if (close == std::string_view::npos) return "there is no ']:PORT'";
    host = text.substr(1, close - 1);
    ports = text.substr(close + 2);
    if (host.find(':') == std::string_view::npos) return "only IPv6 addresses stand in brackets";
  } else {
    size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return "there is no ':PORT'";
    host = text.substr(0, colon);
    ports = text.substr(colon + 1);
    if (host.find(':') != std::string_view::npos) return "an IPv6 address stands in brackets";
  }
  if (!parsePorts(ports, into.ports)) {
    return "'" + std::string(ports) + "' is no port, no range of ports and not '*'";
  }
  if (host == "*") return "";
  into.kind = Grant::Kind::RANGE;
  if (parseRange(host, into.range)) {
    // Who may listen at every address may do so at one.
    bool every = into.range.base.bytes == std::array<uint8_t, 16>{};
    if (!names && every) into.range.bits = 0;
    return hasHostBits(into.range) ? "the address has bits outside of its range" : "";
  }
  if (!names) return "'" + std::string(host) + "' is no IP address";
  into.kind = host.starts_with("*.") ? Grant::Kind::BELOW_NAME : Grant::Kind::NAME;
  if (into.kind == Grant::Kind::BELOW_NAME) host.remove_prefix(2);
  into.name = normalName(host);
  return into.name.empty() ? "'" + std::string(host) + "' is neither an address nor a name" : "";
}

Result<std::vector<Grant>> parseAll(const std::vector<std::string>& texts, bool names) {
  std::vector<Grant> grants;
  for (const std::string& text : texts) {
    Grant grant;
    std::string problem = parseGrant(text, names, grant);
    if (!problem.empty()) {
      const char* example = names ? "example.com:443, 10.0.0.0/8:5432, [::1]:80 or *:8000-8999"
                                  : "127.0.0.1:8080, [::]:80 or *:8000-8999";
      return Error(
          tenon::ErrorCode::INVALID_ARGUMENT,
          "'" + text + "' is no network grant: " + problem + "; write for example " + example);
    }
    grants.push_back(std::move(grant));
  }
  return grants;
}

bool matchesAddress(const std::vector<Grant>& grants, const AddressBytes& address, uint16_t port) {
  return std::any_of(grants.begin(), grants.end(), [&](const Grant& grant) {
    if (!grant.ports.contains(port)) return false;
    if (grant.kind == Grant::Kind::RANGE) return grant.range.contains(address);
    return grant.kind == Grant::Kind::ANY;
  });
}

bool matchesName(const Grant& grant, std::string_view name) {
  if (grant.kind == Grant::Kind::NAME) return name == grant.name;
  if (grant.kind != Grant::Kind::BELOW_NAME) return false;
  return name.size() > grant.name.size() + 1 && name.ends_with(grant.name) &&
         name[name.size() - grant.name.size() - 1] == '.';
}

bool isLabelCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// A name is no longer in UTF-8 than this: four bytes for each of the 253 characters at most.
constexpr size_t MAX_UNICODE_NAME = 1012;

// A name beyond ASCII as it is looked up: IDNA2008, and before it the mapping of UTS #46 (case,
// width, full stops of other scripts). Empty: IDNA forbids it.
std::string toAscii(std::string_view name) {
  if (name.size() > MAX_UNICODE_NAME) return "";
  std::string input(name);
  uint8_t* output = nullptr;
  int result = ::idn2_lookup_u8(reinterpret_cast<const uint8_t*>(input.c_str()), &output,
                                IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  if (result != IDN2_OK) return "";
  std::string ascii(reinterpret_cast<const char*>(output));
  ::idn2_free(output);
  return ascii;
}

// "1", "0x7f": what systems read as a part of an address.
bool isNumber(std::string_view label) {
  if (label.starts_with("0x")) return true;
  return std::all_of(label.begin(), label.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<Grants> Grants::parse(const NetworkOptions& options) {
  Grants grants;
  TENON_TRY(grants.connect_, parseAll(options.connect, true));
  TENON_TRY(grants.listen_, parseAll(options.listen, false));
  return grants;
}

bool Grants::mayConnect(const AddressBytes& address, uint16_t port) const {
  return matchesAddress(connect_, address, port);
}

bool Grants::mayListen(const AddressBytes& address, uint16_t port) const {
  return matchesAddress(listen_, address, port);
}

bool Grants::mayLookUp(std::string_view name) const {
  return std::any_of(connect_.begin(), connect_.end(), [&](const Grant& grant) {
    return grant.kind == Grant::Kind::ANY || matchesName(grant, name);
  });
}

std::vector<PortRange> Grants::portsOf(std::string_view name, const AddressBytes& address) const {
  bool localhost = name == "localhost" || name.ends_with(".localhost");
  std::vector<PortRange> ports;
  if (isInternal(address) && !(localhost && isLoopback(address))) return ports;
  for (const Grant& grant : connect_) {
    if (matchesName(grant, name)) ports.push_back(grant.ports);
  }
  return ports;
}

std::string normalName(std::string_view name) {
  // What is much longer is no name in any spelling, and would take long to be looked at.
  constexpr size_t LONGEST = 4096;
  if (name.size() > LONGEST) return "";
  std::string result(name);
  if (result.find('\0') != std::string::npos) return "";
  if (!std::ranges::all_of(name, [](char c) { return c >= 0; })) result = toAscii(name);
  if (result.ends_with('.')) result.pop_back();
  if (result.empty() || result.size() > 253) return "";
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  std::string_view rest = result;
  while (true) {
    size_t dot = rest.find('.');
    std::string_view label = rest.substr(0, dot);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-' ||
        !std::all_of(label.begin(), label.end(), isLabelCharacter)) {
      return "";
    }
    if (dot == std::string_view::npos) return isNumber(label) ? "" : result;
    rest.remove_prefix(dot + 1);
  }
}

}  // namespace tenon::net
