#include "wasi/wasi.h"

#include "wasi/wasi_testing.h"

namespace tenon::wasi {
namespace {

TEST(Provide, HasEveryFunctionOfWasiWithTheTypeOfTheWitText) {
  call::Registry registry;
  provide(registry);
  const auto& program = AllImports::get().program();
  EXPECT_GT(program.imports.size(), 120u);
  for (const auto& import : program.imports) {
    const call::HostFunction* function = registry.find(import.interface, import.name);
    ASSERT_TRUE(function) << import.interface << "." << import.name;
    EXPECT_EQ(function->mismatch(import.type), "") << import.interface << "." << import.name;
  }
  for (const auto& resource : program.resources) {
    EXPECT_TRUE(registry.findResource(resource.interface, resource.name))
        << resource.interface << "." << resource.name;
  }
}

TEST(Provide, AnswersEveryVersionOfTheTrack) {
  call::Registry registry;
  provide(registry);
  EXPECT_TRUE(registry.find("wasi:io/poll@0.2.0", "poll"));
  EXPECT_TRUE(registry.find("wasi:io/poll@0.2.99", "poll"));
  EXPECT_FALSE(registry.find("wasi:io/poll@0.3.0", "poll"));
}

TEST(NewContext, RefusesADirectoryThatIsNotThere) {
  auto io = kj::setupAsyncIo();
  WasiOptions options;
  options.directories.push_back({.host = "/no/such/folder", .guest = "/data"});
  auto context = newContext(io, options);
  ASSERT_FALSE(context);
  EXPECT_EQ(context.error().code, ErrorCode::NOT_FOUND);
  EXPECT_EQ(context.error().message,
            "cannot give the directory '/no/such/folder' to the guest: No such file or directory");
}

TEST(Binder, TrapsWhenAHandleStandsForAnotherResource) {
  TimedLoop loop;
  FakeGuest guest(loop.waitScope, loop.newContext());
  uint32_t rep = guest.objects.add(std::make_unique<InputStream>(net::newMemorySource("x")));
  guest.call<bool>("wasi:io/poll", "[method]pollable.ready", Borrow<Pollable>{rep});
  EXPECT_EQ(guest.trap, "a handle does not stand for the resource that the function takes");
}

TEST(Binder, TurnsAnExceptionIntoATrap) {
  TimedLoop loop;
  auto context = loop.newContext();
  context->output =
      net::newCallbackSink([](std::span<const std::byte>) { throw std::runtime_error("full"); });
  FakeGuest guest(loop.waitScope, std::move(context));
  auto stream = guest.call<Own<OutputStream>>("wasi:cli/stdout", "get-stdout");
  guest.call<Expected<void, StreamError>>("wasi:io/streams",
                                          "[method]output-stream.blocking-write-and-flush",
                                          Borrow<OutputStream>{stream.rep}, bytesOf("hello"));
  EXPECT_EQ(guest.trap, "host function failed: full");
}

}  // namespace
}  // namespace tenon::wasi
