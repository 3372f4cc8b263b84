#include "wasi/cli/cli.h"

#include "wasi/wasi_testing.h"

namespace tenon::wasi {
namespace {

using Void = Expected<void, StreamError>;
using Pair = std::tuple<std::string, std::string>;

TEST(Cli, GivesTheGuestItsOwnArgumentsAndEnvironment) {
  TimedLoop loop;
  auto context = loop.newContext();
  context->arguments = {"program", "", "ä b"};
  context->environment = {{"HOME", "/"}, {"EMPTY", ""}};
  FakeGuest guest(loop.waitScope, std::move(context));
  EXPECT_EQ(guest.call<std::vector<std::string>>("wasi:cli/environment", "get-arguments"),
            (std::vector<std::string>{"program", "", "ä b"}));
  EXPECT_EQ(guest.call<std::vector<Pair>>("wasi:cli/environment", "get-environment"),
            (std::vector<Pair>{{"HOME", "/"}, {"EMPTY", ""}}));
  EXPECT_EQ(guest.call<std::optional<std::string>>("wasi:cli/environment", "initial-cwd"),
            std::nullopt);
}

TEST(Cli, ExitsWithTheCodeOfTheGuest) {
  TimedLoop loop;
  FakeGuest guest(loop.waitScope, loop.newContext());
  guest.call<void>("wasi:cli/exit", "exit", Expected<void, void>());
  EXPECT_EQ(guest.exitCode, 0);
  guest.call<void>("wasi:cli/exit", "exit", Expected<void, void>(Unexpected<void>()));
  EXPECT_EQ(guest.exitCode, 1);
  guest.call<void>("wasi:cli/exit", "exit-with-code", uint8_t{42});
  EXPECT_EQ(guest.exitCode, 42);
}

TEST(Cli, EveryHandleToAStandardStreamIsOfTheSameStream) {
  TimedLoop loop;
  std::string captured;
  auto context = loop.newContext();
  context->input = net::newMemorySource("ab");
  context->output = net::newCallbackSink(
      [&](std::span<const std::byte> bytes) { captured += textOf({bytes.begin(), bytes.end()}); });
  FakeGuest guest(loop.waitScope, std::move(context));
  for (std::string_view text : {"a", "b"}) {
    auto in = guest.call<Own<InputStream>>("wasi:cli/stdin", "get-stdin");
    auto out = guest.call<Own<OutputStream>>("wasi:cli/stdout", "get-stdout");
    auto bytes = guest.call<Expected<std::vector<std::byte>, StreamError>>(
        "wasi:io/streams", "[method]input-stream.blocking-read", Borrow<InputStream>{in.rep},
        uint64_t{1});
    EXPECT_EQ(textOf(bytes.value()), text);
    EXPECT_TRUE(guest.call<Void>("wasi:io/streams",
                                 "[method]output-stream.blocking-write-and-flush",
                                 Borrow<OutputStream>{out.rep}, bytes.value()));
  }
  EXPECT_EQ(captured, "ab");
}

// Written, but not yet out.
struct SlowSink final : net::OutputSink {
  net::StreamResult<uint64_t> permit() override { return uint64_t{0}; }
  net::StreamResult<void> write(std::span<const std::byte>) override { return {}; }
  net::StreamResult<void> flush() override { return {}; }
  bool ready() override { return false; }
  kj::Promise<void> whenReady() override { return kj::NEVER_DONE; }
  bool flushed() override { return false; }
  kj::Promise<void> whenFlushed() override {
    auto paf = kj::newPromiseAndFulfiller<void>();
    fulfiller = kj::mv(paf.fulfiller);
    return kj::mv(paf.promise);
  }
  kj::Own<kj::PromiseFulfiller<void>> fulfiller;
};

TEST(Cli, ExitWaitsForWhatWasWritten) {
  TimedLoop loop;
  auto sink = std::make_shared<SlowSink>();
  auto context = loop.newContext();
  context->output = sink;
  FakeGuest guest(loop.waitScope, std::move(context));
  guest.onSuspend = [&] {
    EXPECT_EQ(guest.exitCode, -1);
    sink->fulfiller->fulfill();
    return true;
  };
  guest.call<void>("wasi:cli/exit", "exit-with-code", uint8_t{7});
  EXPECT_EQ(guest.suspensions, 1);
  EXPECT_EQ(guest.exitCode, 7);
}

struct TerminalInput;
struct TerminalOutput;

TEST(Cli, ATerminalIsThereOnlyWhenTheStreamIsOne) {
  TimedLoop loop;
  auto context = loop.newContext();
  context->outputIsTerminal = true;
  FakeGuest guest(loop.waitScope, std::move(context));
  EXPECT_FALSE(guest.call<std::optional<Own<TerminalInput>>>("wasi:cli/terminal-stdin",
                                                             "get-terminal-stdin"));
  EXPECT_TRUE(guest.call<std::optional<Own<TerminalOutput>>>("wasi:cli/terminal-stdout",
                                                             "get-terminal-stdout"));
  EXPECT_FALSE(guest.call<std::optional<Own<TerminalOutput>>>("wasi:cli/terminal-stderr",
                                                              "get-terminal-stderr"));
}

TEST(Cli, TheEnvironmentIsTheSameEachTime) {
  TimedLoop loop;
  auto context = loop.newContext();
  context->arguments = {"program"};
  context->environment = {{"A", "1"}, {"B", "2"}, {"A", "3"}};
  FakeGuest guest(loop.waitScope, std::move(context));
  for (int i = 0; i < 3; i++) {
    EXPECT_EQ(guest.call<std::vector<Pair>>("wasi:cli/environment", "get-environment"),
              (std::vector<Pair>{{"A", "1"}, {"B", "2"}, {"A", "3"}}));
    EXPECT_EQ(guest.call<std::vector<std::string>>("wasi:cli/environment", "get-arguments"),
              std::vector<std::string>{"program"});
  }
}

TEST(Cli, EachStandardStreamHasItsOwnTerminal) {
  TimedLoop loop;
  for (int which : {0, 1, 2}) {
    auto context = loop.newContext();
    context->inputIsTerminal = which == 0;
    context->outputIsTerminal = which == 1;
    context->errorIsTerminal = which == 2;
    FakeGuest guest(loop.waitScope, std::move(context));
    auto has = [&]<typename T>(const char* interface, const char* name, T*) {
      return guest.call<std::optional<Own<T>>>(interface, name).has_value();
    };
    TerminalInput* input = nullptr;
    TerminalOutput* output = nullptr;
    EXPECT_EQ(has("wasi:cli/terminal-stdin", "get-terminal-stdin", input), which == 0);
    EXPECT_EQ(has("wasi:cli/terminal-stdout", "get-terminal-stdout", output), which == 1);
    EXPECT_EQ(has("wasi:cli/terminal-stderr", "get-terminal-stderr", output), which == 2);
  }
}

}  // namespace
}  // namespace tenon::wasi
