#include "wasi/filesystem/filesystem.h"

#include "wasi/filesystem/guest_testing.h"
#include "wasi/sockets/types.h"

#include <kj/async-io.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <set>
#include <thread>
#include <utility>

namespace tenon::wasi::filesystem {
namespace {

class FilesystemTest : public FilesystemGuest, public testing::WithParamInterface<Disk::Kind> {
 protected:
  FilesystemTest() : FilesystemGuest(GetParam(), false) {}
};

TEST_P(FilesystemTest, ReadsAndWritesAtOffsets) {
  auto file = opened("new", OpenFlags::CREATE, RW);
  EXPECT_EQ(write(file, "hello world").value(), 11u);
  EXPECT_EQ(write(file, "W", 6).value(), 1u);
  EXPECT_EQ(readAll(file), "hello World");
  EXPECT_EQ(readAll(file, 6), "World");
  auto end = method<FileResult<std::tuple<Bytes, bool>>>("read", file, uint64_t{10}, uint64_t{11});
  EXPECT_TRUE(std::get<1>(end.value()));
  EXPECT_EQ(folder.read("new"), "hello World");
}

TEST_P(FilesystemTest, WritesBeyondFourGigabytes) {
  auto file = opened("large", OpenFlags::CREATE, RW);
  uint64_t offset = (uint64_t{5} << 30) + 3;
  EXPECT_EQ(write(file, "far", offset).value(), 3u);
  EXPECT_EQ(readAll(file, offset), "far");
  EXPECT_EQ(statAt("large").value().size, offset + 3);
  EXPECT_EQ(write(file, "x", ~uint64_t{0}).error(), ErrorCode::FILE_TOO_LARGE);
  EXPECT_EQ(readAll(file, ~uint64_t{0}), "error " + std::to_string(int(ErrorCode::INVALID)));
}

TEST_P(FilesystemTest, OpensAsTheFlagsSay) {
  EXPECT_EQ(open("nothing").error(), ErrorCode::NO_ENTRY);
  EXPECT_EQ(open("file", OpenFlags::DIRECTORY).error(), ErrorCode::NOT_DIRECTORY);
  EXPECT_EQ(open("sub", OpenFlags::NONE, DescriptorFlags::WRITE).error(), ErrorCode::IS_DIRECTORY);
  auto exclusive =
      static_cast<OpenFlags>(uint32_t(OpenFlags::CREATE) | uint32_t(OpenFlags::EXCLUSIVE));
  EXPECT_EQ(open("file", exclusive, RW).error(), ErrorCode::EXIST);
  EXPECT_TRUE(open("fresh", exclusive, RW));
  opened("file", OpenFlags::TRUNCATE, DescriptorFlags::WRITE);
  EXPECT_EQ(folder.read("file"), "");
  folder.link("sub/file", "link");
  EXPECT_EQ(open("link", OpenFlags::NONE, DescriptorFlags::READ, NO_PATH).error(), ErrorCode::LOOP);
  EXPECT_EQ(readAll(opened("link")), "in sub");
}

TEST_P(FilesystemTest, ADescriptorAllowsOnlyWhatItWasOpenedFor) {
  auto reader = opened("file");
  EXPECT_EQ(write(reader, "x").error(), ErrorCode::BAD_DESCRIPTOR);
  EXPECT_EQ(method<Void>("set-size", reader, uint64_t{0}).error(), ErrorCode::BAD_DESCRIPTOR);
  auto writer = opened("file", OpenFlags::NONE, DescriptorFlags::WRITE);
  EXPECT_EQ(readAll(writer), "error " + std::to_string(int(ErrorCode::BAD_DESCRIPTOR)));
  EXPECT_EQ(method<FileResult<DescriptorFlags>>("get-flags", writer).value(),
            DescriptorFlags::WRITE);
  EXPECT_EQ(method<FileResult<Own<InputStream>>>("read-via-stream", root, uint64_t{0}).error(),
            ErrorCode::IS_DIRECTORY);
  EXPECT_EQ(method<FileResult<Own<EntryStream>>>("read-directory", reader).error(),
            ErrorCode::NOT_DIRECTORY);
  EXPECT_EQ(method<FileResult<DescriptorType>>("get-type", root).value(),
            DescriptorType::DIRECTORY);
}

TEST_P(FilesystemTest, StreamsReadToTheEndAndWriteInOrder) {
  auto file = opened("new", OpenFlags::CREATE, RW);
  Borrow<OutputStream> out{
      method<FileResult<Own<OutputStream>>>("write-via-stream", file, uint64_t{2}).value().rep};
  Borrow<OutputStream> end{
      method<FileResult<Own<OutputStream>>>("append-via-stream", file).value().rep};
  for (auto [stream, text] :
       {std::pair{out, "ab"}, std::pair{out, "cd"}, std::pair{end, "!"}, std::pair{end, "?"}}) {
    EXPECT_TRUE((guest.call<Expected<void, StreamError>>(
        "wasi:io/streams", "[method]output-stream.blocking-write-and-flush", stream,
        bytesOf(text))));
  }
  EXPECT_EQ(folder.read("new"), std::string("\0\0abcd!?", 8));
  Borrow<InputStream> in{
      method<FileResult<Own<InputStream>>>("read-via-stream", file, uint64_t{3}).value().rep};
  using Read = Expected<Bytes, StreamError>;
  EXPECT_EQ(textOf(guest
                       .call<Read>("wasi:io/streams", "[method]input-stream.blocking-read", in,
                                   uint64_t{99})
                       .value()),
            "bcd!?");
  EXPECT_EQ(guest.call<Read>("wasi:io/streams", "[method]input-stream.read", in, uint64_t{99})
                .error()
                .index(),
            1u);
}

TEST_P(FilesystemTest, AStreamOutlivesItsDescriptorAndTellsTheErrorCode) {
  auto file = opened("file", OpenFlags::NONE, RW);
  Borrow<OutputStream> out{
      method<FileResult<Own<OutputStream>>>("write-via-stream", file, uint64_t{1} << 63)
          .value()
          .rep};
  guest.objects.drop(file.rep);
  auto failed = guest.call<Expected<void, StreamError>>(
      "wasi:io/streams", "[method]output-stream.blocking-write-and-flush", out, bytesOf("x"));
  auto error = std::get<Own<net::IoError>>(failed.error());
  EXPECT_EQ(guest.call<std::optional<ErrorCode>>("wasi:filesystem/types", "filesystem-error-code",
                                                 Borrow<net::IoError>{error.rep}),
            ErrorCode::FILE_TOO_LARGE);
  EXPECT_EQ(guest.call<std::optional<sockets::ErrorCode>>(
                "wasi:sockets/network", "network-error-code", Borrow<net::IoError>{error.rep}),
            std::nullopt);
}

TEST_P(FilesystemTest, DirectoriesAreMadeListedAndRemoved) {
  EXPECT_TRUE(method<Void>("create-directory-at", root, std::string("fresh/")));
  EXPECT_EQ(method<Void>("create-directory-at", root, std::string("fresh")).error(),
            ErrorCode::EXIST);
  folder.link("file", "link");
  EXPECT_EQ(list(root), (std::set<std::string>{"file", "fresh/", "link", "sub/"}));
  EXPECT_EQ(list(opened("fresh")), std::set<std::string>());
  EXPECT_EQ(method<Void>("remove-directory-at", root, std::string("sub")).error(),
            ErrorCode::NOT_EMPTY);
  EXPECT_EQ(method<Void>("remove-directory-at", root, std::string("file")).error(),
            ErrorCode::NOT_DIRECTORY);
  EXPECT_EQ(method<Void>("unlink-file-at", root, std::string("sub")).error(),
            ErrorCode::IS_DIRECTORY);
  EXPECT_TRUE(method<Void>("remove-directory-at", root, std::string("fresh")));
  EXPECT_TRUE(method<Void>("unlink-file-at", root, std::string("link")));
  EXPECT_EQ(list(root), (std::set<std::string>{"file", "sub/"}));
}

TEST_P(FilesystemTest, ListsManyEntries) {
  kj::AutoCloseFd made(::openat(folder.root, "sub/deep", O_RDONLY | O_DIRECTORY));
  for (int i = 0; i < 10'000; i++) {
    ASSERT_EQ(::mknodat(made, ("e" + std::to_string(i)).c_str(), S_IFREG | 0600, 0), 0);
  }
  EXPECT_EQ(list(opened("sub/deep")).size(), 10'000u);
  // On a thread many are read at once.
  EXPECT_EQ(guest.suspensions, 0);
}

TEST_P(FilesystemTest, RenamesAndLinks) {
  EXPECT_TRUE(rename("file", "sub/moved"));
  EXPECT_EQ(folder.read("sub/moved"), "inside");
  EXPECT_EQ(rename("file", "x").error(), ErrorCode::NO_ENTRY);
  EXPECT_TRUE(hardLink("sub/moved", "again"));
  EXPECT_EQ(statAt("again").value().linkCount, 2u);
  EXPECT_EQ(hardLink("sub/moved", "again").error(), ErrorCode::EXIST);
  EXPECT_EQ(hardLink("sub", "no").error(), ErrorCode::NOT_PERMITTED);
  EXPECT_EQ(hardLink("again/", "no").error(), ErrorCode::NOT_DIRECTORY);
  EXPECT_EQ(hardLink("again", "no", FOLLOW).error(), ErrorCode::INVALID);
  EXPECT_TRUE(method<bool>("is-same-object", opened("again"), opened("sub/moved")));
  EXPECT_FALSE(method<bool>("is-same-object", opened("again"), opened("sub/file")));
}

TEST_P(FilesystemTest, SymbolicLinksAreMadeAndRead) {
  EXPECT_TRUE(method<Void>("symlink-at", root, std::string("sub/file"), std::string("link")));
  EXPECT_EQ(method<FileResult<std::string>>("readlink-at", root, std::string("link")).value(),
            "sub/file");
  EXPECT_EQ(statAt("link").value().type, DescriptorType::SYMBOLIC_LINK);
  EXPECT_EQ(statAt("link", FOLLOW).value().type, DescriptorType::REGULAR_FILE);
  EXPECT_EQ(method<FileResult<std::string>>("readlink-at", root, std::string("file")).error(),
            ErrorCode::INVALID);
  EXPECT_EQ(method<Void>("symlink-at", root, std::string("/etc"), std::string("no")).error(),
            ErrorCode::NOT_PERMITTED);
  folder.link("/etc/passwd", "absolute");
  EXPECT_EQ(method<FileResult<std::string>>("readlink-at", root, std::string("absolute")).error(),
            ErrorCode::NOT_PERMITTED);
}

TEST_P(FilesystemTest, TimesAreSetAndTold) {
  EXPECT_TRUE(method<Void>("set-times-at", root, FOLLOW, std::string("file"), at(1000), at(2000)));
  auto stat = statAt("file").value();
  EXPECT_EQ(stat.dataAccessTimestamp, (Datetime{1000, 7}));
  EXPECT_EQ(stat.dataModificationTimestamp, (Datetime{2000, 7}));
  auto file = opened("file", OpenFlags::NONE, RW);
  EXPECT_TRUE(method<Void>("set-times", file, UNCHANGED, at(3000)));
  stat = method<FileResult<DescriptorStat>>("stat", file).value();
  EXPECT_EQ(stat.dataAccessTimestamp, (Datetime{1000, 7}));
  EXPECT_EQ(stat.dataModificationTimestamp, (Datetime{3000, 7}));
  NewTimestamp bad(std::in_place_index<2>, Datetime{1, 1'000'000'000});
  EXPECT_EQ(method<Void>("set-times", file, bad, UNCHANGED).error(), ErrorCode::INVALID);
  folder.link("file", "link");
  EXPECT_TRUE(method<Void>("set-times-at", root, NO_PATH, std::string("link"), at(5), at(5)));
  EXPECT_EQ(statAt("file").value().dataModificationTimestamp, (Datetime{3000, 7}));
  EXPECT_EQ(statAt("link").value().dataModificationTimestamp, (Datetime{5, 7}));
}

TEST_P(FilesystemTest, TheHashChangesWithTheContentAndItsLowerHalfWithTheFileOnly) {
  auto hash = [&](const char* path) {
    return method<FileResult<MetadataHashValue>>("metadata-hash-at", root, NO_PATH,
                                                 std::string(path))
        .value();
  };
  EXPECT_TRUE(method<Void>("set-times-at", root, FOLLOW, std::string("file"), at(1), at(1000)));
  auto before = hash("file");
  auto file = opened("file", OpenFlags::NONE, RW);
  auto same = [&] {
    return method<FileResult<MetadataHashValue>>("metadata-hash", file).value() == hash("file");
  };
  EXPECT_EQ(readAll(file), "inside");
  EXPECT_EQ(hash("file"), before);
  EXPECT_TRUE(same());
  // Of another size, and then of the same size at another time.
  EXPECT_TRUE(write(file, " and more", 6));
  EXPECT_TRUE(method<Void>("set-times", file, UNCHANGED, at(1000)));
  auto larger = hash("file");
  EXPECT_NE(larger, before);
  EXPECT_TRUE(same());
  EXPECT_TRUE(method<Void>("set-times", file, UNCHANGED, at(1001)));
  auto later = hash("file");
  EXPECT_NE(later, larger);
  EXPECT_EQ(later.lower, before.lower);
  // Replaced by another file that looks the same.
  EXPECT_TRUE(hardLink("file", "kept"));
  EXPECT_TRUE(method<Void>("unlink-file-at", root, std::string("file")));
  folder.write("file", "inside and more");
  EXPECT_TRUE(method<Void>("set-times-at", root, FOLLOW, std::string("file"), at(1), at(1001)));
  EXPECT_NE(hash("file").lower, before.lower);
  EXPECT_NE(hash("file"), later);
  folder.link("file", "link");
  EXPECT_NE(hash("link"), hash("file"));
  EXPECT_EQ(
      method<FileResult<MetadataHashValue>>("metadata-hash-at", root, FOLLOW, std::string("link"))
          .value(),
      hash("file"));
}

TEST_P(FilesystemTest, SizesSyncAndAdvice) {
  auto file = opened("file", OpenFlags::NONE, RW);
  EXPECT_TRUE(method<Void>("set-size", file, uint64_t{2}));
  EXPECT_EQ(folder.read("file"), "in");
  EXPECT_EQ(method<Void>("set-size", file, ~uint64_t{0}).error(), ErrorCode::FILE_TOO_LARGE);
  for (auto self : {file, root}) {
    EXPECT_TRUE(method<Void>("sync", self));
    EXPECT_TRUE(method<Void>("sync-data", self));
  }
  EXPECT_TRUE(method<Void>("advise", file, uint64_t{0}, uint64_t{0}, Advice::WILL_NEED));
  EXPECT_EQ(method<Void>("advise", root, uint64_t{0}, uint64_t{0}, Advice::NORMAL).error(),
            ErrorCode::BAD_DESCRIPTOR);
}

TEST_P(FilesystemTest, NoFunctionReachesOutside) {
  folder.link("../outside", "folder");
  folder.link("../outside/secret", "secret");
  auto text = [](const char* path) { return std::string(path); };
  for (const char* path :
       {"../outside/secret", "folder/secret", "/etc/passwd", "sub/../../outside/secret"}) {
    EXPECT_EQ(open(path).error(), ErrorCode::NOT_PERMITTED) << path;
    EXPECT_EQ(open(path, OpenFlags::CREATE, RW).error(), ErrorCode::NOT_PERMITTED) << path;
    EXPECT_EQ(statAt(path, FOLLOW).error(), ErrorCode::NOT_PERMITTED) << path;
    EXPECT_EQ(method<Void>("unlink-file-at", root, text(path)).error(), ErrorCode::NOT_PERMITTED)
        << path;
    EXPECT_EQ(method<Void>("remove-directory-at", root, text(path)).error(),
              ErrorCode::NOT_PERMITTED)
        << path;
    EXPECT_EQ(method<Void>("create-directory-at", root, text(path)).error(),
              ErrorCode::NOT_PERMITTED)
        << path;
    EXPECT_EQ(method<Void>("symlink-at", root, text("x"), text(path)).error(),
              ErrorCode::NOT_PERMITTED)
        << path;
    EXPECT_EQ(method<FileResult<std::string>>("readlink-at", root, text(path)).error(),
              ErrorCode::NOT_PERMITTED)
        << path;
    EXPECT_EQ(rename(path, "stolen").error(), ErrorCode::NOT_PERMITTED) << path;
    EXPECT_EQ(rename("file", path).error(), ErrorCode::NOT_PERMITTED) << path;
    EXPECT_EQ(hardLink(path, "stolen").error(), ErrorCode::NOT_PERMITTED) << path;
    EXPECT_EQ(hardLink("file", path).error(), ErrorCode::NOT_PERMITTED) << path;
    EXPECT_EQ(method<Void>("set-times-at", root, FOLLOW, text(path), at(1), at(1)).error(),
              ErrorCode::NOT_PERMITTED)
        << path;
    EXPECT_EQ(
        method<FileResult<MetadataHashValue>>("metadata-hash-at", root, FOLLOW, text(path)).error(),
        ErrorCode::NOT_PERMITTED)
        << path;
  }
  // A link to the outside is only ever the link.
  EXPECT_TRUE(hardLink("secret", "copy-of-link"));
  EXPECT_EQ(statAt("copy-of-link").value().type, DescriptorType::SYMBOLIC_LINK);
  EXPECT_EQ(statAt("secret", FOLLOW).error(), ErrorCode::NOT_PERMITTED);
  EXPECT_EQ(hardLink("folder/", "stolen").error(), ErrorCode::NOT_DIRECTORY);
  EXPECT_TRUE(rename("folder", "renamed"));
  EXPECT_TRUE(method<Void>("unlink-file-at", root, text("renamed")));
  EXPECT_TRUE(method<Void>("unlink-file-at", root, text("secret")));
  EXPECT_FALSE(folder.exists("stolen"));
  folder.expectOutsideUntouched();
}

// Somebody outside exchanges a folder for a link to the outside, all the time.
TEST_P(FilesystemTest, NoFunctionReachesOutsideWhileFoldersAreExchanged) {
  folder.link("../outside", "swap");
  std::atomic<bool> stop = false;
  std::thread attacker([&] {
    while (!stop) {
      ::syscall(SYS_renameat2, folder.root.get(), "sub", folder.root.get(), "swap",
                2 /* RENAME_EXCHANGE */);
    }
  });
  int done = 0;
  for (int i = 0; i < 100; i++) {
    std::string name = "new" + std::to_string(i);
    for (const std::string& into : {"sub/" + name, "swap/" + name}) {
      if (auto file = open(into, OpenFlags::CREATE, RW)) {
        done++;
        EXPECT_TRUE(write({file->rep}, "mine"));
        guest.objects.drop(file->rep);
      }
      if (rename("file", into)) (void)rename(into, "file");
      (void)hardLink("file", into);
      (void)method<Void>("create-directory-at", root, into + "d");
      (void)method<Void>("symlink-at", root, std::string("x"), into + "l");
      (void)method<Void>("set-times-at", root, FOLLOW, into, at(1), at(1));
    }
    for (const char* secret : {"sub/secret", "swap/secret"}) {
      EXPECT_FALSE(open(secret));
      EXPECT_FALSE(hardLink(secret, "stolen"));
      EXPECT_FALSE(rename(secret, "stolen"));
      EXPECT_FALSE(method<Void>("unlink-file-at", root, std::string(secret)));
    }
  }
  stop = true;
  attacker.join();
  EXPECT_GT(done, 0);
  folder.expectOutsideUntouched();
}

TEST_P(FilesystemTest, ADirectoryThatWasMovedOutStaysWhatItIs) {
  auto sub = opened("sub");
  std::filesystem::create_directories(folder.inside() + "/../elsewhere");
  std::filesystem::rename(folder.inside() + "/sub", folder.inside() + "/../elsewhere/sub");
  auto from = [&](const std::string& path) {
    return method<FileResult<Own<Descriptor>>>("open-at", sub, FOLLOW, path, OpenFlags::NONE,
                                               DescriptorFlags::READ);
  };
  EXPECT_TRUE(from("file"));
  EXPECT_EQ(from("../../outside/secret").error(), ErrorCode::NOT_PERMITTED);
  EXPECT_EQ(from("..").error(), ErrorCode::NOT_PERMITTED);
  std::filesystem::remove_all(folder.inside() + "/../elsewhere");
}

TEST_P(FilesystemTest, AFifoDoesNotStopTheHost) {
  ASSERT_EQ(::mkfifoat(folder.root, "fifo", 0600), 0);
  auto fifo = opened("fifo");
  EXPECT_EQ(method<FileResult<DescriptorType>>("get-type", fifo).value(), DescriptorType::FIFO);
  EXPECT_EQ(readAll(fifo), "error " + std::to_string(int(ErrorCode::INVALID_SEEK)));
  EXPECT_EQ(open("fifo2").error(), ErrorCode::NO_ENTRY);
}

TEST_P(FilesystemTest, AFifoThatNobodyReadsIsNotOpenedForWriting) {
  ASSERT_EQ(::mkfifoat(folder.root, "fifo", 0600), 0);
  EXPECT_EQ(open("fifo", OpenFlags::NONE, DescriptorFlags::WRITE).error(),
            ErrorCode::NO_SUCH_DEVICE);
}

TEST_P(FilesystemTest, SlowDisksAreWorkedOnByThreads) {
  auto file = opened("file", OpenFlags::NONE, RW);
  int opening = guest.suspensions;
  EXPECT_EQ(write(file, "other ").value(), 6u);
  // A machine under load may make a local disk slow, too.
  EXPECT_EQ(opening > 0 && guest.suspensions > 0, disk.isSlow());
  EXPECT_EQ(folder.read("file"), "other ");
  // Waits for the disk, whichever it is.
  EXPECT_TRUE(method<Void>("sync", file));
  EXPECT_GT(guest.suspensions, 0);
}

TEST_P(FilesystemTest, WhatTheFileSystemMayTakeLongForIsDoneByThreads) {
  auto large = [&]() { ASSERT_EQ(::truncate((folder.inside() + "/file").c_str(), 64 << 20), 0); };
  auto takesThread = [&](auto call) {
    call();
    return guest.suspensions > 0;
  };
  auto file = opened("file", OpenFlags::NONE, RW);
  large();
  EXPECT_TRUE(takesThread([&] { EXPECT_TRUE(method<Void>("set-size", file, uint64_t{1})); }));
  EXPECT_EQ(folder.read("file").size(), 1u);
  EXPECT_EQ(takesThread([&] { EXPECT_TRUE(method<Void>("set-size", file, uint64_t{3})); }),
            disk.isSlow());
  large();
  EXPECT_TRUE(takesThread([&] { opened("file", OpenFlags::TRUNCATE, RW); }));
  EXPECT_EQ(folder.read("file"), "");
  EXPECT_EQ(takesThread([&] { opened("file", OpenFlags::TRUNCATE, RW); }), disk.isSlow());
  EXPECT_TRUE(takesThread([&] {
    EXPECT_TRUE(method<Void>("advise", file, uint64_t{0}, uint64_t{0}, Advice::WILL_NEED));
  }));
}

TEST_P(FilesystemTest, TruncatingTellsThatTheFileChangedAlsoIfItWasEmpty) {
  for (const char* content : {"", "some"}) {
    folder.write("file", content);
    timespec old[] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 1, .tv_nsec = 0}};
    ASSERT_EQ(::utimensat(folder.root, "file", old, 0), 0);
    opened("file", OpenFlags::TRUNCATE, DescriptorFlags::WRITE);
    EXPECT_EQ(folder.read("file"), "");
    struct stat status{};
    ASSERT_EQ(::fstatat(folder.root, "file", &status, 0), 0);
    EXPECT_GT(status.st_mtim.tv_sec, 1) << "'" << content << "'";
  }
}

TEST_P(FilesystemTest, FilesThatWriteThroughAreWrittenByThreads) {
  auto file = opened("file", OpenFlags::NONE, RW | DescriptorFlags::DATA_INTEGRITY_SYNC);
  EXPECT_EQ(write(file, "through").value(), 7u);
  EXPECT_GT(guest.suspensions, 0);
  Borrow<OutputStream> out{
      method<FileResult<Own<OutputStream>>>("write-via-stream", file, uint64_t{7}).value().rep};
  EXPECT_TRUE((guest.call<Expected<void, StreamError>>(
      "wasi:io/streams", "[method]output-stream.blocking-write-and-flush", out, bytesOf(" all"))));
  EXPECT_EQ(folder.read("file"), "through all");
}

TEST_P(FilesystemTest, WhatAStreamTookIsWrittenWhenItIsDropped) {
  auto file = opened("new", OpenFlags::CREATE, RW);
  Borrow<OutputStream> out{
      method<FileResult<Own<OutputStream>>>("write-via-stream", file, uint64_t{0}).value().rep};
  auto permit = guest.call<Expected<uint64_t, StreamError>>(
      "wasi:io/streams", "[method]output-stream.check-write", out);
  EXPECT_GT(permit.value(), 60'000u);
  // In two parts: the second comes while a thread writes the first.
  for (int i = 0; i < 2; i++) {
    EXPECT_TRUE((guest.call<Expected<void, StreamError>>(
        "wasi:io/streams", "[method]output-stream.write", out, Bytes(30'000, std::byte{'x'}))));
  }
  guest.objects.drop(out.rep);
  guest.objects.drop(file.rep);
  guest.context.drained().wait(loop.waitScope);
  EXPECT_EQ(folder.read("new"), std::string(60'000, 'x'));
}

TEST_P(FilesystemTest, AStreamReadsWhatIsNotInMemory) {
  std::string text;
  for (int i = 0; i < 100'000; i++) text += std::to_string(i);
  folder.write("large", text);
  auto file = opened("large", OpenFlags::NONE, RW);
  EXPECT_TRUE(method<Void>("sync", file));
  // Nearly all file systems forget it then; if not, nothing else is tested than elsewhere.
  EXPECT_TRUE(method<Void>("advise", file, uint64_t{0}, uint64_t{0}, Advice::DONT_NEED));
  Borrow<InputStream> in{
      method<FileResult<Own<InputStream>>>("read-via-stream", file, uint64_t{0}).value().rep};
  std::string read;
  while (true) {
    auto bytes = guest.call<Expected<Bytes, StreamError>>(
        "wasi:io/streams", "[method]input-stream.blocking-read", in, uint64_t{30'000});
    if (!bytes) break;
    read += textOf(*bytes);
  }
  EXPECT_EQ(read, text);
}

class ReadOnlyFilesystemTest : public FilesystemGuest,
                               public testing::WithParamInterface<Disk::Kind> {
 protected:
  ReadOnlyFilesystemTest() : FilesystemGuest(GetParam(), true) {}
};

TEST_P(ReadOnlyFilesystemTest, ReadsAndChangesNothing) {
  EXPECT_EQ(readAll(opened("sub/file")), "in sub");
  EXPECT_EQ(list(root), (std::set<std::string>{"file", "sub/"}));
  EXPECT_EQ(open("file", OpenFlags::NONE, RW).error(), ErrorCode::READ_ONLY);
  EXPECT_EQ(open("file", OpenFlags::TRUNCATE).error(), ErrorCode::READ_ONLY);
  EXPECT_EQ(open("new", OpenFlags::CREATE).error(), ErrorCode::READ_ONLY);
  auto text = [](const char* path) { return std::string(path); };
  auto sub = opened("sub");
  EXPECT_EQ(
      method<FileResult<Own<Descriptor>>>("open-at", sub, FOLLOW, text("file"), OpenFlags::NONE, RW)
          .error(),
      ErrorCode::READ_ONLY);
  EXPECT_EQ(method<Void>("unlink-file-at", sub, text("file")).error(), ErrorCode::READ_ONLY);
  EXPECT_EQ(method<Void>("create-directory-at", root, text("new")).error(), ErrorCode::READ_ONLY);
  EXPECT_EQ(method<Void>("remove-directory-at", root, text("sub")).error(), ErrorCode::READ_ONLY);
  EXPECT_EQ(method<Void>("symlink-at", root, text("file"), text("new")).error(),
            ErrorCode::READ_ONLY);
  EXPECT_EQ(rename("file", "new").error(), ErrorCode::READ_ONLY);
  EXPECT_EQ(hardLink("file", "new").error(), ErrorCode::READ_ONLY);
  EXPECT_EQ(method<Void>("set-times-at", root, FOLLOW, text("file"), at(1), at(1)).error(),
            ErrorCode::READ_ONLY);
  EXPECT_EQ(method<Void>("set-times", opened("file"), at(1), at(1)).error(), ErrorCode::READ_ONLY);
  EXPECT_EQ(method<FileResult<Own<OutputStream>>>("write-via-stream", opened("file"), uint64_t{0})
                .error(),
            ErrorCode::BAD_DESCRIPTOR);
  EXPECT_EQ(folder.read("file"), "inside");
}

INSTANTIATE_TEST_SUITE_P(Disks, FilesystemTest,
                         testing::Values(Disk::Kind::LOCAL, Disk::Kind::REMOTE),
                         [](const auto& info) {
                           return info.param == Disk::Kind::LOCAL ? "Local" : "Remote";
                         });
INSTANTIATE_TEST_SUITE_P(Disks, ReadOnlyFilesystemTest,
                         testing::Values(Disk::Kind::LOCAL, Disk::Kind::REMOTE),
                         [](const auto& info) {
                           return info.param == Disk::Kind::LOCAL ? "Local" : "Remote";
                         });

TEST(Disk, OneThatTookLongIsSlowForAWhile) {
  Disk disk(Disk::Kind::LOCAL);
  EXPECT_FALSE(disk.isSlow());
  disk.report(Disk::Clock::now());
  EXPECT_FALSE(disk.isSlow());
  disk.report(Disk::Clock::now() - 2 * Disk::LONG);
  EXPECT_TRUE(disk.isSlow());
  EXPECT_TRUE(Disk(Disk::Kind::REMOTE).isSlow());
}

}  // namespace
}  // namespace tenon::wasi::filesystem
