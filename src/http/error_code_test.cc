#include "http/error_code.h"

#include <gtest/gtest.h>

#include <string>

namespace tenon::http {
namespace {

TEST(HttpErrorCode, TextsOfGuestsAreCutAtACharacter) {
  std::string large;
  for (int i = 0; i < 1'000'000; ++i) large += "\xc3\xa4";
  ErrorCode code = makeError<ErrorKind::INTERNAL_ERROR>(MaybeText("x" + large));
  shorten(code);
  std::string text = toText(code);
  EXPECT_TRUE(text.starts_with("internal-error: x\xc3\xa4"));
  EXPECT_TRUE(text.ends_with("\xc3\xa4..."));
  EXPECT_LT(text.size(), 1100u);
  code = makeError<ErrorKind::DNS_ERROR>(DnsErrorPayload{large, uint16_t{5}});
  shorten(code);
  EXPECT_LT(toText(code).size(), 1100u);
  code = makeError<ErrorKind::CONNECTION_REFUSED>();
  shorten(code);
  EXPECT_EQ(toText(code), "connection-refused");
}

}  // namespace
}  // namespace tenon::http
