#include "cli/access_log.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace tenon::cli {
namespace {

// What is kept for a reader that does not read, and more than what one line may have.
constexpr size_t KEPT = 256 * 1024;

TEST(AccessLogLines, AreNeverTooLongToBeKept) {
  const std::string text(1 << 20, '\x1b');
  RequestRecord record;
  record.client = "127.0.0.1:5000";
  record.method = record.target = record.host = record.error = record.details = text;
  for (const std::string& line : {formatText(record), formatJson(record)}) {
    EXPECT_LT(line.size(), KEPT / 2);
    EXPECT_NE(line.find("bytes more)"), std::string::npos);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
  }
  auto parsed = nlohmann::json::parse(formatJson(record));
  EXPECT_EQ(parsed["error"].get<std::string>().substr(0, 3), "\x1b\x1b\x1b");
}

TEST(AccessLogLines, HaveDetailsThatDoNotLookLikeLines) {
  RequestRecord record;
  record.method = "GET";
  record.target = "/";
  record.error = "one\ntwo";
  record.details = "  at \x1b[31mf\n2026-01-01 faked\n";
  std::string line = formatText(record);
  EXPECT_NE(line.find("error=\"one\\x0atwo\"\n"), std::string::npos) << line;
  EXPECT_NE(line.find("\n    at \\u{1b}[31mf\n  2026-01-01 faked\n"), std::string::npos) << line;
}

TEST(AccessLogs, SayHowManyWarningsWereLeftOutAtTheirEndToo) {
  testing::internal::CaptureStderr();
  {
    auto log = AccessLog::open({}).value();
    log->tick();
    for (int i = 0; i < 100; ++i) log->warn("the TLS handshake failed");
  }
  std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("95 more warnings were left out"), std::string::npos) << text;
}

}  // namespace
}  // namespace tenon::cli
