#include "cli/parse.h"

#include <algorithm>

#include "cli/report.h"

namespace tenon::cli {

std::optional<int> parse(CLI::App& command, std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  try {
    command.parse(words);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    std::fputs(command.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    Error problem(ErrorCode::INVALID_ARGUMENT,
                  std::string(error.what()) + "; see '" + command.get_name() + " --help'");
    return report(problem);
  }
}

}  // namespace tenon::cli
