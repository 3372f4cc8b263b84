#include "cli/refusals.h"

#include <memory>
#include <mutex>
#include <set>
#include <string_view>
#include <utility>

namespace tenon::cli {
namespace {

// What was asked for, and what would allow it: an option with its value, and the same as a key of
// the manifest's table of a component.
struct Words {
  std::string what;
  std::string option;
  std::string key;
};

Words list(std::string what, std::string_view name, const std::string& value) {
  std::string word(name);
  return {std::move(what), "--" + word + " " + value, word + " = [\"" + value + "\"]"};
}

Words wordsOf(const Refusal& refusal) {
  const std::string& target = refusal.target;
  switch (refusal.kind) {
    case Refusal::Kind::HTTP:
      return list("to send a request to " + target + " and was refused", "allow-http", target);
    case Refusal::Kind::HTTP_PRIVATE:
      return {"to send a request to " + target + " at a private address and was refused",
              "--allow-http-private, or --allow-http with the address",
              "allow-http with the address in place of the name"};
    case Refusal::Kind::SOCKET:
      return {"for a socket and was refused",
              "--allow-net HOST:PORT or --allow-listen ADDRESS:PORT",
              "allow-net = [\"HOST:PORT\"] or allow-listen = [\"ADDRESS:PORT\"]"};
    case Refusal::Kind::CONNECT:
      return list("to connect to " + target + " and was refused", "allow-net", target);
    case Refusal::Kind::LISTEN:
      return list("to listen at " + target + " and was refused", "allow-listen", target);
    case Refusal::Kind::LOOK_UP:
      return list("for the addresses of " + target + " and was refused", "allow-net",
                  target + ":PORT");
    case Refusal::Kind::DIRECTORIES:
      return {"for its directories and has none", "--dir HOST::GUEST",
              "dirs = [{ host = \"HOST\", guest = \"GUEST\" }]"};
    case Refusal::Kind::OUTSIDE:
      return {"for " + target + " outside of its directories and was refused", "--dir HOST::GUEST",
              "dirs = [{ host = \"HOST\", guest = \"GUEST\" }]"};
    case Refusal::Kind::WRITE:
      return {"to write below " + target + " and was refused",
              "--dir HOST::" + target + " without :ro", "access = \"write\" of that directory"};
  }
  return {};
}

}  // namespace

std::string describe(const Refusal& refusal) {
  Words words = wordsOf(refusal);
  std::string text = refusal.component.empty() ? "the guest" : "component " + refusal.component;
  text += " asked " + words.what + "; to allow it: ";
  text += refusal.component.empty() ? words.option
                                    : words.key + " in [components." + refusal.component + "]";
  if (refusal.last) text += " (what it asks for besides is not shown)";
  return text;
}

std::function<void(const Refusal&)> newRefusalReport(
    std::function<void(const std::string&)> print) {
  struct Told {
    std::mutex mutex;
    std::set<std::string> texts;
  };
  return [print = std::move(print), told = std::make_shared<Told>()](const Refusal& refusal) {
    std::string text = describe(refusal);
    {
      std::lock_guard lock(told->mutex);
      if (!told->texts.insert(text).second) return;
    }
    print(text);
  };
}

}  // namespace tenon::cli
