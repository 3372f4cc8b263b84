#include "host/host_testing.h"

#include <tenon/instance.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>

namespace tenon::host {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr const char* AN_HOUR = "3600000";  // in milliseconds: nothing here waits for it

InstanceOptions within(milliseconds time) {
  InstanceOptions options;
  options.timeout = time;
  return options;
}

int32_t codeOf(Result<std::vector<Value>> results) { return *results.value()[0].find<int32_t>(); }

// Standard input of this process is a pipe while it lives.
class InputPipe {
 public:
  InputPipe() {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    saved_ = ::dup(STDIN_FILENO);
    ::dup2(ends[0], STDIN_FILENO);
    ::close(ends[0]);
    write_ = ends[1];
  }
  ~InputPipe() {
    close();
    if (saved_ >= 0) {
      ::dup2(saved_, STDIN_FILENO);
      ::close(saved_);
    }
  }
  void write(std::string_view text) {
    EXPECT_EQ(::write(write_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void close() {
    if (write_ >= 0) ::close(write_);
    write_ = -1;
  }

 private:
  int saved_ = -1;
  int write_ = -1;
};

TEST(Programs, RunToTheirExitCode) {
  Loop loop;
  Program hello(loop, {}, {}, "hello");
  EXPECT_EQ(hello.instance->run().value(), 0);
  EXPECT_EQ(*hello.output, "Hello from a component\n");
  EXPECT_EQ(Program(loop, {"exit-failure"}).instance->run().value(), 1);
  EXPECT_EQ(Program(loop, {"7"}, {}, "exit_code").instance->run().value(), 7);
}

TEST(Programs, GetWhatTheOptionsGive) {
  Loop loop;
  InstanceOptions options;
  options.wasi.environment = {{"NAME", "value"}};
  options.wasi.input = {InputStream::Kind::BYTES, "one\ntwo"};
  Program env(loop, {"env"}, options);
  EXPECT_EQ(env.instance->run().value(), 0);
  EXPECT_EQ(*env.output, "NAME=value\n");
  Program lines(loop, {"lines"}, options);
  EXPECT_EQ(lines.instance->run().value(), 0);
  EXPECT_EQ(*lines.output, "1 one\n2 two\nend\n");
}

TEST(Programs, ThatAreNoneSaySo) {
  Loop loop;
  Linker linker;
  Instance types = linker.instantiate(guest("types"), loop).value();
  auto code = types.run();
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().code, ErrorCode::MISSING_EXPORT);
  EXPECT_THAT(code.error().message, HasSubstr("wasi:cli/run"));
}

TEST(Programs, RunOnce) {
  Loop loop;
  Program program(loop, {"exit-failure"});
  EXPECT_EQ(program.instance->run().value(), 1);
  Program trap(loop, {"trap"});
  EXPECT_EQ(trap.instance->run().error().code, ErrorCode::TRAPPED);
  EXPECT_EQ(trap.instance->run().error().code, ErrorCode::UNUSABLE);
}

TEST(PendingCalls, LetOthersRunWhileTheyWaitForInput) {
  InputPipe input;
  Loop loop;
  InstanceOptions options;
  options.wasi.input.kind = InputStream::Kind::INHERIT;
  Program waiting(loop, {"lines"}, options);
  auto call = waiting.instance->startRun();
  ASSERT_TRUE(call) << textOf(call.error());
  EXPECT_FALSE(call->done());

  Program other(loop, {"args", "x"});
  EXPECT_EQ(other.instance->run().value(), 0);
  EXPECT_EQ(*other.output, "x\n");
  EXPECT_FALSE(call->done());
  EXPECT_EQ(*waiting.output, "");

  input.write("late\n");
  input.close();
  EXPECT_EQ(codeOf(call->wait()), 0);
  EXPECT_EQ(*waiting.output, "1 late\nend\n");
}

TEST(PendingCalls, InterleaveOnOneLoop) {
  Loop loop;
  Program first(loop, {"sleep", "20"});
  Program second(loop, {"sleep", "1"});
  auto a = first.instance->startRun();
  auto b = second.instance->startRun();
  ASSERT_TRUE(a && b);
  EXPECT_FALSE(a->done());
  EXPECT_EQ(codeOf(a->wait()), 0);
  EXPECT_EQ(codeOf(b->wait()), 0);
  EXPECT_EQ(*first.output + *second.output, "slept\nslept\n");
}

TEST(PendingCalls, TakeTurnsWhenTheyCompute) {
  Loop loop;
  Program sleeping(loop, {"sleep", AN_HOUR});
  auto waits = sleeping.instance->startRun();
  ASSERT_TRUE(waits);
  Program spinning(loop, {"spin"});
  auto computes = spinning.instance->startRun();
  ASSERT_TRUE(computes);
  EXPECT_FALSE(computes->done()) << "its turn is over";
  Program other(loop, {"sleep", "1"});
  EXPECT_EQ(other.instance->run().value(), 0);
  EXPECT_FALSE(computes->done());
  EXPECT_FALSE(waits->done());
}

TEST(PendingCalls, AreCancelledWhenTheyAreDropped) {
  Loop loop;
  Program program(loop, {"sleep", AN_HOUR});
  {
    auto call = program.instance->startRun();
    ASSERT_TRUE(call);
    EXPECT_FALSE(call->done());
  }
  auto again = program.instance->run();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::UNUSABLE);
}

TEST(PendingCalls, EndWhenTheirInstanceDoes) {
  Loop loop;
  std::optional<Program> program;
  program.emplace(loop, std::vector<std::string>{"sleep", AN_HOUR});
  auto call = program->instance->startRun();
  ASSERT_TRUE(call);
  program.reset();
  EXPECT_TRUE(call->done());
  auto results = call->wait();
  ASSERT_FALSE(results);
  EXPECT_EQ(results.error().code, ErrorCode::CANCELLED);
}

TEST(PendingCalls, EndAtTheirDeadlineWhileTheyWait) {
  Loop loop;
  Program program(loop, {"sleep", AN_HOUR}, within(milliseconds(20)));
  auto code = program.instance->run();
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().code, ErrorCode::DEADLINE);
  EXPECT_THAT(code.error().details, HasSubstr("sleep"));
  EXPECT_EQ(program.instance->run().error().code, ErrorCode::UNUSABLE);
}

TEST(PendingCalls, EndAtTheirDeadlineWhileTheyCompute) {
  Loop loop;
  Program program(loop, {"spin"}, within(milliseconds(20)));
  EXPECT_EQ(program.instance->run().error().code, ErrorCode::DEADLINE);
}

TEST(PendingCalls, EndAtTheirDeadlineWhileOthersCompute) {
  Loop loop;
  Program first(loop, {"sleep", AN_HOUR}, within(milliseconds(30)));
  auto waits = first.instance->startRun();
  ASSERT_TRUE(waits);
  Program second(loop, {"spin"});
  auto computes = second.instance->startRun();
  ASSERT_TRUE(computes);
  EXPECT_EQ(waits->wait().error().code, ErrorCode::DEADLINE);
  EXPECT_FALSE(computes->done());
}

// A program that was started and sleeps for a millisecond.
struct Sleeper {
  explicit Sleeper(Loop& loop)
      : program(loop, {"sleep", "1"}), waits(program.instance->startRun().value()) {}
  Program program;
  PendingCall waits;
};

TEST(PendingCalls, TakeTurnsWithOnesThatNeverWait) {
  Loop loop;
  Sleeper quick(loop);
  Linker linker;
  Instance instance = linker.instantiate(guest("types"), loop).value();
  auto spins = instance.function("faults.spin").value().start({});
  ASSERT_TRUE(spins);
  EXPECT_FALSE(spins->done()) << "its turn is over, its call is not";
  EXPECT_EQ(codeOf(quick.waits.wait()), 0);
  EXPECT_FALSE(spins->done());
}

TEST(PendingCalls, LetOthersGoOnWhileACallOfOneThatNeverWaitsIsWaitedFor) {
  Loop loop;
  Sleeper quick(loop);
  Linker linker;
  // On a busy machine its turns may take longer than the first deadline.
  for (auto timeout : {milliseconds(200), milliseconds(2000), milliseconds(20'000)}) {
    if (quick.waits.done()) break;
    InstanceOptions limited;
    limited.timeout = timeout;
    Instance instance = linker.instantiate(guest("types"), loop, limited).value();
    auto spin = instance.function<void()>("tenon:types/faults", "spin").value();
    EXPECT_EQ(spin().error().code, ErrorCode::DEADLINE);
  }
  EXPECT_TRUE(quick.waits.done()) << "it had its turn meanwhile";
}

TEST(PendingCalls, AreOneAtATime) {
  Loop loop;
  Program program(loop, {"sleep", "5"}, within(std::chrono::hours(1)));
  auto call = program.instance->startRun();
  ASSERT_TRUE(call);
  auto second = program.instance->startRun();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::UNUSABLE);
  EXPECT_EQ(program.instance->run().error().code, ErrorCode::UNUSABLE);
  EXPECT_EQ(codeOf(call->wait()), 0) << "the first goes on";
  EXPECT_EQ(*program.output, "slept\n");
}

TEST(PendingCalls, GiveTheirResultsOnce) {
  Loop loop;
  Program program(loop, {"sleep", "1"});
  auto call = program.instance->startRun();
  ASSERT_TRUE(call);
  EXPECT_EQ(codeOf(call->wait()), 0);
  auto again = call->wait();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::INVALID_ARGUMENT);
}

TEST(PendingCalls, GoOnWhileTheLoopRuns) {
  Loop loop;
  Program program(loop, {"sleep", "1"});
  auto call = program.instance->startRun();
  ASSERT_TRUE(call);
  for (int i = 0; i < 1000 && !call->done(); ++i) loop.runFor(milliseconds(5));
  EXPECT_TRUE(call->done());
  EXPECT_EQ(*program.output, "slept\n");
}

TEST(PendingCalls, OfFunctionsThatNeverWaitAreDoneAtOnce) {
  Loop loop;
  Linker linker;
  Instance types = linker.instantiate(guest("types"), loop).value();
  auto call = types.function("add").value().start({Value(uint32_t{1}), Value(uint32_t{2})});
  ASSERT_TRUE(call);
  EXPECT_TRUE(call->done());
  EXPECT_EQ(call->wait().value(), std::vector<Value>{Value(uint32_t{3})});
}

TEST(PendingCalls, CannotBeWaitedForInsideAHostFunction) {
  Loop loop;
  Program sleeping(loop, {"sleep", AN_HOUR});
  Program quick(loop, {"args", "quick"});
  std::optional<Result<int>> slept;
  std::optional<Result<int>> done;
  Linker linker;
  linker.wasi();
  linker.function("wasi:cli/environment@0.2.0", "get-arguments", [&]() {
    if (!done) {
      done = quick.instance->run();
      slept = sleeping.instance->run();
    }
    return std::vector<std::string>{"cli", "args", "outer"};
  });
  Instance outer = linker.instantiate(guest("cli"), loop).value();
  EXPECT_EQ(outer.run().value(), 0);
  ASSERT_TRUE(done && slept);
  EXPECT_EQ(done->value(), 0) << "what does not wait may be called";
  ASSERT_FALSE(*slept);
  EXPECT_EQ(slept->error().code, ErrorCode::UNSUPPORTED);
}

TEST(PendingCalls, RunOnThePoolToo) {
  Loop loop;
  Component cli =
      Component::load(testEngine(true), std::string(TENON_GUESTS_DIR) + "/cli.wasm").value();
  Linker linker;
  linker.wasi();
  for (int i = 0; i < 10; ++i) {
    InstanceOptions options;
    options.wasi.arguments = {"cli", "sleep", "1"};
    Instance a = linker.instantiate(cli, loop, options).value();
    Instance b = linker.instantiate(cli, loop, options).value();
    auto first = a.startRun();
    auto second = b.startRun();
    ASSERT_TRUE(first && second);
    EXPECT_EQ(codeOf(second->wait()), 0);
    EXPECT_EQ(codeOf(first->wait()), 0);
  }
}

TEST(PendingCalls, PrintEverythingBeforeTheirProgramIsDone) {
  Loop loop;
  Program program(loop, {"big-output", "300000"});
  EXPECT_EQ(program.instance->run().value(), 0);
  EXPECT_EQ(program.output->size(), 300000u);
}

}  // namespace
}  // namespace tenon::host
