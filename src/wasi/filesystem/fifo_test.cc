#include "wasi/filesystem/filesystem.h"
#include "wasi/filesystem/filesystem_testing.h"
#include "wasi/wasi_testing.h"

#include <kj/async-io.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace tenon::wasi::filesystem {
namespace {

using Bytes = std::vector<std::byte>;

// On the system's loop, because a FIFO is waited for.
class FifoTest : public testing::Test {
 public:
  ~FifoTest() noexcept override {}

 protected:
  FifoTest() : guest(io.waitScope, newContext()) {
    using Preopens = std::vector<std::tuple<Own<Descriptor>, std::string>>;
    auto preopens = guest.call<Preopens>("wasi:filesystem/preopens", "get-directories");
    root = {std::get<0>(preopens.at(0)).rep};
    EXPECT_EQ(::mkfifoat(folder.root, "fifo", 0600), 0);
  }
  std::unique_ptr<Context> newContext() {
    WasiOptions options;
    options.directories = {{.host = folder.inside(), .guest = "/"}};
    return wasi::newContext(io, options).value();
  }
  Borrow<Descriptor> open(DescriptorFlags flags) {
    auto file = guest.call<FileResult<Own<Descriptor>>>(
        "wasi:filesystem/types", "[method]descriptor.open-at", root, PathFlags::SYMLINK_FOLLOW,
        std::string("fifo"), OpenFlags::NONE, flags);
    return {file.value().rep};
  }

  TestFolder folder;
  kj::AsyncIoContext io = kj::setupAsyncIo();
  FakeGuest guest;
  Borrow<Descriptor> root;
};

TEST_F(FifoTest, AReaderWaitsForAWriterAndThenForTheEndWithoutTheThread) {
  auto stream = guest.call<FileResult<Own<InputStream>>>("wasi:filesystem/types",
                                                         "[method]descriptor.read-via-stream",
                                                         open(DescriptorFlags::READ), uint64_t{0});
  Borrow<InputStream> in{stream.value().rep};
  using Read = Expected<Bytes, StreamError>;
  EXPECT_TRUE(guest.call<Read>("wasi:io/streams", "[method]input-stream.read", in, uint64_t{9})
                  .value()
                  .empty());
  kj::AutoCloseFd writer;
  guest.onSuspend = [&] {
    // The thread is free: somebody comes and writes.
    writer = kj::AutoCloseFd(::openat(folder.root, "fifo", O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    EXPECT_EQ(::write(writer, "from afar", 9), 9);
    return true;
  };
  auto read = [&]() {
    return guest.call<Read>("wasi:io/streams", "[method]input-stream.blocking-read", in,
                            uint64_t{99});
  };
  EXPECT_EQ(textOf(read().value()), "from afar");
  guest.onSuspend = [&] {
    writer = nullptr;
    return true;
  };
  EXPECT_EQ(read().error().index(), 1u);
}

TEST_F(FifoTest, AWriterWaitsForItsReader) {
  kj::AutoCloseFd reader(::openat(folder.root, "fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  auto stream = guest.call<FileResult<Own<OutputStream>>>("wasi:filesystem/types",
                                                          "[method]descriptor.append-via-stream",
                                                          open(DescriptorFlags::WRITE));
  Borrow<OutputStream> out{stream.value().rep};
  std::string came;
  auto take = [&] {
    char buffer[65536];
    for (ssize_t count; (count = ::read(reader, buffer, sizeof(buffer))) > 0;) {
      came.append(buffer, static_cast<size_t>(count));
    }
    return true;
  };
  guest.onSuspend = take;
  for (int i = 0; i < 100; i++) {
    EXPECT_TRUE((guest.call<Expected<void, StreamError>>(
        "wasi:io/streams", "[method]output-stream.blocking-write-and-flush", out,
        Bytes(4000, std::byte{'x'}))));
  }
  take();
  EXPECT_EQ(came, std::string(400'000, 'x'));
}

}  // namespace
}  // namespace tenon::wasi::filesystem
