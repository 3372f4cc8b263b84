#include "cli/parse.h"

#include "cli/report.h"

#include <algorithm>

namespace tenon::cli {
namespace {

// What is wrong with the words that no option and no parameter took.
std::string describeExtra(const CLI::App& command) {
  std::vector<std::string> extra = command.remaining();
  if (extra.empty()) return "there are too many words";
  const std::string& word = extra.front();
  if (!word.starts_with('-')) return "'" + word + "' is one word too many";
  std::string name = word.substr(0, word.find('='));
  std::string text = "there is no option '" + name + "'";
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& known : option->get_lnames()) names.push_back("--" + known);
  }
  std::vector<std::string_view> candidates(names.begin(), names.end());
  std::string_view suggestion = closest(name, candidates);
  if (!suggestion.empty()) text += "; did you mean '" + std::string(suggestion) + "'?";
  return text;
}

// CLI11's words for an option that is given too often are about arguments.
std::string describeMismatch(std::string message) {
  constexpr std::string_view MARK = ": At Most 1 required but received ";
  size_t mark = message.find(MARK);
  if (mark == std::string::npos) return message;
  std::string count = message.substr(mark + MARK.size());
  return message.substr(0, mark) + " is given " + (count == "2" ? "twice" : count + " times");
}

// The help, with what follows FILE in its usage line.
std::string helpOf(const CLI::App& command, std::string_view behindFile) {
  std::string text = command.help();
  size_t usage = text.find("Usage: ");
  size_t end = usage == std::string::npos ? usage : text.find('\n', usage);
  if (end == std::string::npos || behindFile.empty()) return text;
  return text.insert(end, " " + std::string(behindFile));
}

}  // namespace

std::optional<int> parse(CLI::App& command, std::vector<std::string> words,
                         std::string_view behindFile) {
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  auto refuse = [&](std::string message) {
    return report(Error(ErrorCode::INVALID_ARGUMENT,
                        std::move(message) + " ('" + command.get_name() + " --help' says more)"));
  };
  try {
    command.parse(words);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    return show(helpOf(command, behindFile));
  } catch (const CLI::ExtrasError&) {
    return refuse(describeExtra(command));
  } catch (const CLI::ArgumentMismatch& error) {
    return refuse(describeMismatch(error.what()));
  } catch (const CLI::ParseError& error) {
    return refuse(error.what());
  }
}

}  // namespace tenon::cli
