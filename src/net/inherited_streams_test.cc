#include "net/inherited_streams.h"

#include "base/temp_folder_testing.h"
#include "net/net_testing.h"

#include <kj/async-io.h>
#include <kj/debug.h>
#include <kj/io.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace tenon::net {
namespace {

struct Pipe {
  Pipe() {
    int fds[2];
    KJ_SYSCALL(::pipe2(fds, O_CLOEXEC));
    read = kj::AutoCloseFd(fds[0]);
    write = kj::AutoCloseFd(fds[1]);
  }
  kj::AutoCloseFd read;
  kj::AutoCloseFd write;
};

// A file whose name is gone.
kj::AutoCloseFd newFile(int flags = 0) {
  TempFolder folder;
  int fd = ::open((folder / "file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);
  KJ_ASSERT(fd >= 0);
  return kj::AutoCloseFd(fd);
}

void put(int fd, std::string_view text) {
  KJ_ASSERT(::write(fd, text.data(), text.size()) == ssize_t(text.size()));
}

std::string get(int fd, size_t most = 1 << 20) {
  std::string text(most, '\0');
  ssize_t count = ::read(fd, text.data(), text.size());
  text.resize(count < 0 ? 0 : static_cast<size_t>(count));
  return text;
}

std::string read(InputSource& source, size_t most = 100) {
  std::vector<std::byte> into(most);
  auto count = source.read(into);
  if (!count) return count.error().closed() ? "<closed>" : count.error().error->text;
  into.resize(*count);
  return textOf(into);
}

class InheritedStreamsTest : public testing::Test {
 public:
  ~InheritedStreamsTest() noexcept override {}

 protected:
  // Runs the loop until `promise` is done; a test that would hang fails instead.
  void expectDone(kj::Promise<void> promise) {
    auto limited =
        promise.exclusiveJoin(io.provider->getTimer().afterDelay(10 * kj::SECONDS).then([] {
          ADD_FAILURE() << "still waiting";
        }));
    limited.wait(io.waitScope);
  }
  bool isDone(kj::Promise<void>& promise) { return promise.poll(io.waitScope); }

  kj::AsyncIoContext io = kj::setupAsyncIo();
  kj::UnixEventPort& port = io.unixEventPort;
};

TEST_F(InheritedStreamsTest, APipeIsReadWithoutWaitingAndWithoutItsFlagsChanging) {
  Pipe pipe;
  auto source = newInheritedSource(port, pipe.read);
  EXPECT_EQ(read(*source), "");
  EXPECT_FALSE(source->ready());
  EXPECT_EQ(::fcntl(pipe.read, F_GETFL) & O_NONBLOCK, 0);

  auto waiting = source->whenReady();
  EXPECT_FALSE(isDone(waiting));
  put(pipe.write, "hello");
  expectDone(kj::mv(waiting));
  EXPECT_TRUE(source->ready());
  EXPECT_EQ(read(*source, 2), "he");
  EXPECT_TRUE(source->ready());
  EXPECT_EQ(read(*source), "llo");
  EXPECT_FALSE(source->ready());
}

TEST_F(InheritedStreamsTest, APipeWhoseWriterIsGoneIsClosedAfterItsLastByte) {
  Pipe pipe;
  auto source = newInheritedSource(port, pipe.read);
  put(pipe.write, "last");
  EXPECT_EQ(read(*source), "last");
  auto waiting = source->whenReady();
  EXPECT_FALSE(isDone(waiting));
  pipe.write = nullptr;
  expectDone(kj::mv(waiting));
  EXPECT_EQ(read(*source), "<closed>");
  EXPECT_EQ(read(*source), "<closed>");
  EXPECT_TRUE(source->ready());
}

TEST_F(InheritedStreamsTest, SeveralMayWaitForOneStreamAndStopWaiting) {
  Pipe pipe;
  auto source = newInheritedSource(port, pipe.read);
  auto first = source->whenReady();
  auto second = source->whenReady();
  {
    auto dropped = source->whenReady();
  }
  put(pipe.write, "x");
  expectDone(kj::mv(first));
  expectDone(kj::mv(second));
  EXPECT_EQ(read(*source), "x");
  auto again = source->whenReady();
  EXPECT_FALSE(isDone(again));
  put(pipe.write, "y");
  expectDone(kj::mv(again));
}

TEST_F(InheritedStreamsTest, TwoStreamsOverOneDescriptorDoNotDisturbEachOther) {
  Pipe pipe;
  auto one = newInheritedSource(port, pipe.read);
  auto other = newInheritedSource(port, pipe.read);
  auto first = one->whenReady();
  auto second = other->whenReady();
  put(pipe.write, "x");
  expectDone(kj::mv(first));
  expectDone(kj::mv(second));
  EXPECT_EQ(read(*one), "x");
  EXPECT_EQ(read(*other), "");
}

TEST_F(InheritedStreamsTest, AFileIsReadFromWhereItStands) {
  auto file = newFile();
  put(file, "0123456789");
  ::lseek(file, 4, SEEK_SET);
  auto source = newInheritedSource(port, file);
  EXPECT_TRUE(source->ready());
  EXPECT_EQ(read(*source, 3), "456");
  EXPECT_EQ(get(file, 1), "7");
  EXPECT_EQ(read(*source), "89");
  EXPECT_EQ(read(*source), "<closed>");
}

TEST_F(InheritedStreamsTest, ASocketIsReadAndWrittenWithoutWaiting) {
  int fds[2];
  KJ_SYSCALL(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  kj::AutoCloseFd mine(fds[0]);
  kj::AutoCloseFd theirs(fds[1]);
  auto source = newInheritedSource(port, theirs);
  auto sink = newInheritedSink(port, theirs);
  EXPECT_EQ(read(*source), "");
  put(mine, "ping");
  EXPECT_EQ(read(*source), "ping");
  ASSERT_GT(sink->permit().value(), 0u);
  EXPECT_TRUE(sink->write(bytesOf("pong")));
  EXPECT_EQ(get(mine), "pong");
  EXPECT_EQ(::fcntl(theirs, F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(InheritedStreamsTest, AClosedDescriptorIsAnEndedSourceAndASinkThatDrops) {
  int number = newFile().get();  // closed again
  auto source = newInheritedSource(port, number);
  auto sink = newInheritedSink(port, number);
  EXPECT_TRUE(source->ready());
  EXPECT_EQ(read(*source), "<closed>");
  EXPECT_GT(sink->permit().value(), 0u);
  EXPECT_TRUE(sink->write(bytesOf("gone")));
}

TEST_F(InheritedStreamsTest, ATerminalIsReadLineByLine) {
  kj::AutoCloseFd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(::grantpt(master) == 0 && ::unlockpt(master) == 0);
  kj::AutoCloseFd slave(::open(::ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(slave != nullptr);
  auto source = newInheritedSource(port, slave);
  auto sink = newInheritedSink(port, slave);
  put(master, "unfinished");
  EXPECT_FALSE(source->ready());
  auto waiting = source->whenReady();
  EXPECT_FALSE(isDone(waiting));
  put(master, " line\n");
  expectDone(kj::mv(waiting));
  EXPECT_EQ(read(*source), "unfinished line\n");
  put(master, "\x04");  // end of input
  expectDone(source->whenReady());
  EXPECT_EQ(read(*source), "<closed>");
  ASSERT_GT(sink->permit().value(), 0u);
  EXPECT_TRUE(sink->write(bytesOf("prompt> ")));
  // The terminal echoes what was typed, too.
  std::string shown;
  while (shown.find("prompt> ") == std::string::npos && shown.size() < 200) shown += get(master);
  EXPECT_EQ(shown, "unfinished line\r\nprompt> ");
  EXPECT_EQ(::fcntl(slave, F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(InheritedStreamsTest, AFullPipePermitsNothingUntilThereIsRoom) {
  Pipe pipe;
  auto sink = newInheritedSink(port, pipe.write);
  size_t total = 0;
  std::vector<std::byte> chunk(4096, std::byte{'x'});
  while (uint64_t permit = sink->permit().value()) {
    ASSERT_TRUE(sink->write(std::span(chunk).first(permit)));
    total += permit;
    ASSERT_LT(total, 10u << 20);
  }
  EXPECT_FALSE(sink->ready());
  EXPECT_TRUE(sink->flush());
  auto waiting = sink->whenReady();
  EXPECT_FALSE(isDone(waiting));
  size_t arrived = get(pipe.read).size();
  expectDone(kj::mv(waiting));
  EXPECT_GT(sink->permit().value(), 0u);
  // Nothing was kept back: what was written is in the pipe.
  EXPECT_EQ(arrived, total);
}

TEST_F(InheritedStreamsTest, WhatDoesNotFitASocketFollowsInOrder) {
  int fds[2];
  KJ_SYSCALL(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  kj::AutoCloseFd mine(fds[0]);
  kj::AutoCloseFd theirs(fds[1]);
  ::fcntl(mine, F_SETFL, O_NONBLOCK);
  auto sink = newInheritedSink(port, theirs);
  std::string sent;
  std::string received;
  for (int i = 0; i < 400; i++) {
    while (sink->permit().value() == 0) {
      received += get(mine);
      expectDone(sink->whenReady());
    }
    std::string chunk(4096, static_cast<char>('a' + i % 26));
    ASSERT_TRUE(sink->write(bytesOf(chunk)));
    sent += chunk;
  }
  while (received.size() < sent.size()) {
    received += get(mine);
    io.waitScope.poll();
  }
  expectDone(sink->whenFlushed());
  EXPECT_EQ(received, sent);
}

TEST_F(InheritedStreamsTest, AReaderThatLeftClosesTheStream) {
  Pipe pipe;
  auto sink = newInheritedSink(port, pipe.write);
  ASSERT_GT(sink->permit().value(), 0u);
  pipe.read = nullptr;
  auto written = sink->write(bytesOf("anybody?"));
  ASSERT_FALSE(written);
  EXPECT_TRUE(written.error().closed());
  EXPECT_TRUE(sink->ready());
  auto permit = sink->permit();
  ASSERT_FALSE(permit);
  EXPECT_TRUE(permit.error().closed());
}

TEST_F(InheritedStreamsTest, AFullDeviceIsAFailureThenClosed) {
  kj::AutoCloseFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  auto sink = newInheritedSink(port, full);
  ASSERT_GT(sink->permit().value(), 0u);
  auto written = sink->write(bytesOf("x"));
  ASSERT_FALSE(written);
  ASSERT_FALSE(written.error().closed());
  EXPECT_EQ(written.error().error->systemError, ENOSPC);
  EXPECT_TRUE(sink->permit().error().closed());
}

TEST_F(InheritedStreamsTest, AFileThatIsAppendedToKeepsTheOrderOfItsWriters) {
  auto file = newFile(O_APPEND);
  auto sink = newInheritedSink(port, file);
  put(file, "1");
  EXPECT_TRUE(sink->write(bytesOf("2")));
  put(file, "3");
  ::lseek(file, 0, SEEK_SET);
  EXPECT_EQ(get(file), "123");
}

}  // namespace
}  // namespace tenon::net
