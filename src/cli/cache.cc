#include "cli/commands.h"
#include "cli/parse.h"
#include "cli/progress.h"
#include "cli/report.h"

#include <tenon/cache.h>
#include <tenon/text.h>

#include <nlohmann/json.hpp>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace tenon::cli {
namespace {

// "2026-11-21 12:00", in the time zone of this machine.
std::string dateText(std::chrono::system_clock::time_point when) {
  std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &parts)};
}

// "3 entries, 120 MiB".
std::string sumOf(const CacheContent& content) {
  size_t count = content.entries.size();
  return std::to_string(count) + (count == 1 ? " entry, " : " entries, ") +
         sizeText(content.size());
}

std::string sizeLine(const CacheContent& content) {
  return sumOf(content) + " of at most " + sizeText(content.limit) + ", in " +
         printable(content.folder) + "\n";
}

std::string nameOf(const CacheEntry& entry) {
  return entry.name.empty() ? "(another version of Tenon)"
                            : printable(entry.name, Lines::ONE, MOST_OF_A_NAME);
}

std::string table(const CacheContent& content) {
  std::string text;
  if (!content.entries.empty()) text = "      SIZE  LAST USED         COMPILED FROM\n";
  for (const CacheEntry& entry : content.entries) {
    std::string size = sizeText(entry.size);
    text += std::string(10 - std::min<size_t>(size.size(), 10), ' ') + size + "  " +
            dateText(entry.used) + "  " + nameOf(entry) + "\n";
  }
  return text + (text.empty() ? "" : "\n") + sizeLine(content);
}

std::string jsonOf(const CacheContent& content) {
  using Json = nlohmann::ordered_json;
  Json root = {{"folder", content.folder}, {"size", content.size()}, {"limit", content.limit}};
  root["entries"] = Json::array();
  for (const CacheEntry& entry : content.entries) {
    auto since = std::chrono::duration_cast<std::chrono::seconds>(entry.used.time_since_epoch());
    root["entries"].push_back({{"name", entry.name},
                               {"size", entry.size},
                               {"used", since.count()},
                               {"path", entry.path}});
  }
  return root.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace

int cacheCommand(const Words& words) {
  CLI::App command("Shows what is kept of compiled code, or removes it.", "tenon cache");
  std::string what = "list";
  bool json = false;
  command.add_option("WHAT", what,
                     "list: what there is, the default; size: how much; clear: remove it");
  command.add_flag("--json", json, "list: print JSON");
  command.footer(
      "Compiled code is kept in $XDG_CACHE_HOME/tenon/artifacts, or ~/.cache/tenon/artifacts. When "
      "it "
      "is\ntoo much, what was not used for longest goes, and of a file that was edited what it was "
      "before.\n"
      "Example: tenon cache clear");
  if (auto exit = parse(command, words)) return *exit;
  if (what != "list" && what != "size" && what != "clear") {
    return report(
        Error(ErrorCode::INVALID_ARGUMENT,
              "'" + what + "' is nothing to do with the cache: write list, size or clear"));
  }
  auto content = what == "clear" ? clearCache() : cacheContent();
  if (!content) {
    report(content.error());
    return static_cast<int>(ExitCode::REFUSED);
  }
  if (what == "clear") return show("removed " + sumOf(*content) + "\n");
  if (what == "size") return show(sizeLine(*content));
  return show(json ? jsonOf(*content) : table(*content));
}

}  // namespace tenon::cli
