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
    if (option->get_group().empty()) continue;  // hidden
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

constexpr size_t HELP_WIDTH = 100;
constexpr size_t HELP_INDENT = 32;  // of what an option does

// "  --dir HOST::GUEST[:ro]        Grant a directory: ...", broken into lines between words.
std::string helpLine(const std::string& what, std::string_view does) {
  std::string line = "  " + what;
  std::string text;
  if (line.size() + 2 > HELP_INDENT) {
    text = line + "\n";
    line.clear();
  }
  line.resize(HELP_INDENT, ' ');
  bool first = true;
  while (!does.empty()) {
    std::string_view word = does.substr(0, does.find(' '));
    does.remove_prefix(std::min(word.size() + 1, does.size()));
    if (!first && line.size() + 1 + word.size() > HELP_WIDTH) {
      text += line + "\n";
      line.assign(HELP_INDENT, ' ');
      first = true;
    }
    if (!first) line += ' ';
    line += word;
    first = false;
  }
  return text + line + "\n";
}

// "-o, --output OUT", "--threads N=1".
std::string optionText(const CLI::Option& option) {
  std::string text;
  for (const std::string& name : option.get_snames()) text += "-" + name + ", ";
  for (const std::string& name : option.get_lnames()) text += "--" + name + ", ";
  text.resize(text.size() - std::min<size_t>(text.size(), 2));
  if (option.get_type_size() == 0) return text;  // a flag
  text += " " + option.get_type_name();
  if (!option.get_default_str().empty()) text += "=" + option.get_default_str();
  return text;
}

// `behindFile`: what the usage line has behind FILE.
std::string helpOf(const CLI::App& command, std::string_view behindFile) {
  std::string text = command.get_description() + "\n\nUsage: " + command.get_name() + " [OPTIONS]";
  std::string positionals;
  // The parser's own heading, without one: what belongs nowhere else. --help alone comes last.
  const std::string PLAIN = "Options";
  std::vector<std::string> groups;
  std::vector<const CLI::Option*> plain;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) {
      text += " " + option->get_name(true);
      positionals += helpLine(option->get_name(true), option->get_description());
    } else if (option->get_group() == PLAIN) {
      plain.push_back(option);
    } else if (std::ranges::find(groups, option->get_group()) == groups.end()) {
      groups.push_back(option->get_group());
    }
  }
  if (!behindFile.empty()) text += " " + std::string(behindFile);
  text += "\n\n" + positionals;
  if (plain.size() > 1) {
    groups.insert(groups.begin(), PLAIN);
  } else {
    groups.push_back(PLAIN);
  }
  for (const std::string& group : groups) {
    if (group.empty()) continue;  // hidden
    text += "\n" + (plain.size() == 1 && group == PLAIN ? "Help" : group) + ":\n";
    for (const CLI::Option* option : command.get_options()) {
      if (option->get_positional() || option->get_group() != group) continue;
      text += helpLine(optionText(*option), option->get_description());
    }
  }
  return text + "\n" + command.get_footer() + "\n";
}

}  // namespace

std::optional<int> parse(CLI::App& command, std::vector<std::string> words,
                         std::string_view behindFile) {
  command.set_help_flag("-h,--help", "Show this and nothing else");
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
