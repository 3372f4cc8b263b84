// What the WIT text of wasi:filesystem says sentence by sentence, as far as filesystem_test.cc does
// not show it: tests/wasi-text.

#include "wasi/filesystem/guest_testing.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <ctime>
#include <iterator>
#include <map>
#include <set>
#include <string>

namespace tenon::wasi::filesystem {
namespace {

using Read = FileResult<std::tuple<Bytes, bool>>;

class FilesystemText : public FilesystemGuest {
 protected:
  FilesystemText() : FilesystemGuest(Disk::Kind::LOCAL, false) {}

  template <typename Stream, typename... As>
  FileResult<Own<Stream>> stream(const char* name, Borrow<Descriptor> file, As... arguments) {
    return method<FileResult<Own<Stream>>>(name, file, arguments...);
  }
  std::string take(Own<InputStream> from, uint64_t length) {
    return textOf(guest
                      .call<Expected<Bytes, StreamError>>("wasi:io/streams",
                                                          "[method]input-stream.blocking-read",
                                                          Borrow<InputStream>{from.rep}, length)
                      .value());
  }
  void put(Own<OutputStream> to, std::string_view text) {
    EXPECT_TRUE((guest.call<Expected<void, StreamError>>(
        "wasi:io/streams", "[method]output-stream.blocking-write-and-flush",
        Borrow<OutputStream>{to.rep}, bytesOf(text))));
  }
  FileResult<std::optional<DirectoryEntry>> nextEntry(Own<EntryStream> from) {
    return guest.call<FileResult<std::optional<DirectoryEntry>>>(
        "wasi:filesystem/types", "[method]directory-entry-stream.read-directory-entry",
        Borrow<EntryStream>{from.rep});
  }
  DescriptorType typeOf(Borrow<Descriptor> self) {
    return method<FileResult<DescriptorType>>("get-type", self).value();
  }
  DescriptorStat stat(Borrow<Descriptor> self) {
    return method<FileResult<DescriptorStat>>("stat", self).value();
  }
};

TEST_F(FilesystemText, PathsAreRelativeWithForwardSlashes) {
  EXPECT_EQ(readAll(opened("sub/file")), "in sub");
  EXPECT_EQ(readAll(opened("sub/../sub//./file")), "in sub");
  EXPECT_EQ(readAll(opened("./file")), "inside");
  EXPECT_EQ(open("sub\\file").error(), ErrorCode::NO_ENTRY);
  EXPECT_EQ(open("/data/file").error(), ErrorCode::NOT_PERMITTED);
  EXPECT_EQ(open("/").error(), ErrorCode::NOT_PERMITTED);
  EXPECT_EQ(open("").error(), ErrorCode::NO_ENTRY);
  // Relative to the descriptor that a path is given with.
  auto sub = opened("sub");
  auto file = method<FileResult<Own<Descriptor>>>("open-at", sub, FOLLOW, std::string("file"),
                                                  OpenFlags::NONE, DescriptorFlags::READ);
  EXPECT_EQ(readAll({file.value().rep}), "in sub");
}

TEST_F(FilesystemText, NamesThatAreNoUnicodeAreOutOfReach) {
  ASSERT_EQ(::mknodat(folder.root, "sub/deep/\xff", S_IFREG | 0600, 0), 0);
  auto entries = stream<EntryStream>("read-directory", opened("sub/deep")).value();
  EXPECT_EQ(nextEntry(entries).error(), ErrorCode::ILLEGAL_BYTE_SEQUENCE);
  ASSERT_EQ(::symlinkat("\xff", folder.root, "link"), 0);
  EXPECT_EQ(method<FileResult<std::string>>("readlink-at", root, std::string("link")).error(),
            ErrorCode::ILLEGAL_BYTE_SEQUENCE);
}

TEST_F(FilesystemText, EveryKindOfObjectHasItsType) {
  ASSERT_EQ(::mkfifoat(folder.root, "fifo", 0600), 0);
  folder.link("file", "link");
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::string path = folder.inside() + "/socket";
  ASSERT_LT(path.size(), sizeof(address.sun_path));
  path.copy(address.sun_path, path.size());
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ::close(fd);
  const std::pair<const char*, DescriptorType> types[] = {
      {"file", DescriptorType::REGULAR_FILE}, {"sub", DescriptorType::DIRECTORY},
      {"fifo", DescriptorType::FIFO},         {"link", DescriptorType::SYMBOLIC_LINK},
      {"socket", DescriptorType::SOCKET},
  };
  std::map<std::string, DescriptorType> listed;
  auto entries = stream<EntryStream>("read-directory", root).value();
  while (auto entry = nextEntry(entries).value()) listed[entry->name] = entry->type;
  for (auto [name, type] : types) {
    EXPECT_EQ(statAt(name).value().type, type) << name;
    EXPECT_EQ(listed.at(name), type) << name;
  }
  EXPECT_EQ(listed.size(), std::size(types));
  for (const char* name : {"file", "sub", "fifo"}) {
    auto descriptor = opened(name);
    EXPECT_EQ(typeOf(descriptor), stat(descriptor).type);
    EXPECT_EQ(typeOf(descriptor), statAt(name).value().type);
  }
}

TEST_F(FilesystemText, FlagsAreThoseThatWereAskedFor) {
  auto flags = [&](const char* path, DescriptorFlags asked) {
    return method<FileResult<DescriptorFlags>>("get-flags", opened(path, OpenFlags::NONE, asked))
        .value();
  };
  using F = DescriptorFlags;
  for (F asked : {F::READ, F::WRITE, RW, RW | F::FILE_INTEGRITY_SYNC, RW | F::DATA_INTEGRITY_SYNC,
                  F::WRITE | F::REQUESTED_WRITE_SYNC}) {
    EXPECT_EQ(flags("file", asked), asked);
  }
  EXPECT_EQ(flags("sub", F::READ | F::MUTATE_DIRECTORY), F::READ | F::MUTATE_DIRECTORY);
  // Only directories have it.
  EXPECT_EQ(flags("file", RW | F::MUTATE_DIRECTORY), RW);
  auto file = opened("file", OpenFlags::NONE, RW | F::FILE_INTEGRITY_SYNC);
  EXPECT_EQ(write(file, "INSIDE").value(), 6u);
  EXPECT_EQ(readAll(file), "INSIDE");
}

TEST_F(FilesystemText, SymbolicLinksAreExpandedOnlyWhenAskedFor) {
  folder.link("sub/file", "link");
  folder.link("link", "linklink");
  EXPECT_EQ(statAt("linklink", FOLLOW).value().type, DescriptorType::REGULAR_FILE);
  EXPECT_EQ(statAt("linklink", FOLLOW).value().size, 6u);
  auto itself = statAt("linklink").value();
  EXPECT_EQ(itself.type, DescriptorType::SYMBOLIC_LINK);
  EXPECT_EQ(itself.size, 4u);  // the length of "link"
  EXPECT_EQ(statAt("link").value().size, 8u);
  // In the middle of a path they always are.
  folder.link("sub", "folder");
  EXPECT_EQ(statAt("folder/file").value().size, 6u);
}

TEST_F(FilesystemText, StatTellsSizesLinksAndTimes) {
  auto before = static_cast<uint64_t>(std::time(nullptr)) - 1;
  auto file = opened("new", OpenFlags::CREATE, RW);
  EXPECT_TRUE(write(file, "12345"));
  EXPECT_TRUE(hardLink("new", "other"));
  auto status = stat(file);
  EXPECT_EQ(status.size, 5u);
  EXPECT_EQ(status.linkCount, 2u);
  for (auto time : {status.dataAccessTimestamp, status.dataModificationTimestamp,
                    status.statusChangeTimestamp}) {
    ASSERT_TRUE(time);
    EXPECT_GE(time->seconds, before);
    EXPECT_LT(time->nanoseconds, 1'000'000'000u);
  }
  auto byPath = statAt("other").value();
  EXPECT_EQ(byPath.size, status.size);
  EXPECT_EQ(byPath.linkCount, status.linkCount);
  EXPECT_EQ(byPath.dataModificationTimestamp, status.dataModificationTimestamp);
  EXPECT_EQ(stat(opened("sub")).type, DescriptorType::DIRECTORY);
}

TEST_F(FilesystemText, TimesAreSetToNowOrLeft) {
  const NewTimestamp NOW(std::in_place_index<1>);
  auto before = static_cast<uint64_t>(std::time(nullptr)) - 1;
  for (const char* path : {"file", "sub"}) {
    auto self = opened(path);
    EXPECT_TRUE(method<Void>("set-times", self, at(1000), at(2000)));
    EXPECT_EQ(stat(self).dataAccessTimestamp, (Datetime{1000, 7}));
    EXPECT_EQ(stat(self).dataModificationTimestamp, (Datetime{2000, 7}));
    EXPECT_TRUE(method<Void>("set-times", self, UNCHANGED, NOW));
    EXPECT_EQ(stat(self).dataAccessTimestamp, (Datetime{1000, 7}));
    EXPECT_GE(stat(self).dataModificationTimestamp->seconds, before);
    EXPECT_TRUE(method<Void>("set-times-at", root, FOLLOW, std::string(path), NOW, at(3000)));
    EXPECT_GE(stat(self).dataAccessTimestamp->seconds, before);
    EXPECT_EQ(stat(self).dataModificationTimestamp, (Datetime{3000, 7}));
  }
}

TEST_F(FilesystemText, EveryAdviceIsTaken) {
  auto file = opened("file");
  for (Advice advice : {Advice::NORMAL, Advice::SEQUENTIAL, Advice::RANDOM, Advice::WILL_NEED,
                        Advice::DONT_NEED, Advice::NO_REUSE}) {
    EXPECT_TRUE(method<Void>("advise", file, uint64_t{0}, uint64_t{100}, advice));
  }
  EXPECT_EQ(method<Void>("advise", file, ~uint64_t{0}, uint64_t{1}, Advice::NORMAL).error(),
            ErrorCode::INVALID);
  EXPECT_EQ(readAll(file), "inside");
}

TEST_F(FilesystemText, StreamsOfOneFileDoNotInterfere) {
  auto file = opened("new", OpenFlags::CREATE, RW);
  EXPECT_TRUE(write(file, "0123456789"));
  auto one = stream<InputStream>("read-via-stream", file, uint64_t{0}).value();
  auto two = stream<InputStream>("read-via-stream", file, uint64_t{5}).value();
  auto writer = stream<OutputStream>("write-via-stream", file, uint64_t{1}).value();
  auto appender = stream<OutputStream>("append-via-stream", file).value();
  EXPECT_EQ(take(one, 2), "01");
  EXPECT_EQ(take(two, 2), "56");
  put(appender, "A");
  put(writer, "w");
  put(appender, "B");
  put(writer, "x");
  EXPECT_EQ(take(one, 2), "x3");
  EXPECT_EQ(take(two, 9), "789AB");
  EXPECT_EQ(readAll(file), "0wx3456789AB");
  // Neither `read` nor `write` has or moves an offset.
  EXPECT_EQ(readAll(file), "0wx3456789AB");
  EXPECT_EQ(take(one, 2), "45");
}

TEST_F(FilesystemText, StreamsAreRefusedWithTheReason) {
  auto reader = opened("file");
  auto writer = opened("file", OpenFlags::NONE, DescriptorFlags::WRITE);
  EXPECT_EQ(stream<InputStream>("read-via-stream", writer, uint64_t{0}).error(),
            ErrorCode::BAD_DESCRIPTOR);
  EXPECT_EQ(stream<OutputStream>("write-via-stream", reader, uint64_t{0}).error(),
            ErrorCode::BAD_DESCRIPTOR);
  EXPECT_EQ(stream<OutputStream>("append-via-stream", reader).error(), ErrorCode::BAD_DESCRIPTOR);
  auto sub = opened("sub");
  EXPECT_EQ(stream<InputStream>("read-via-stream", sub, uint64_t{0}).error(),
            ErrorCode::IS_DIRECTORY);
  EXPECT_EQ(stream<OutputStream>("write-via-stream", sub, uint64_t{0}).error(),
            ErrorCode::IS_DIRECTORY);
  EXPECT_EQ(stream<OutputStream>("append-via-stream", sub).error(), ErrorCode::IS_DIRECTORY);
}

TEST_F(FilesystemText, SyncSucceedsOnWhatIsNotOpenForWriting) {
  auto reader = opened("file");
  EXPECT_TRUE(method<Void>("sync", reader));
  EXPECT_TRUE(method<Void>("sync-data", reader));
  auto writer = opened("file", OpenFlags::NONE, DescriptorFlags::WRITE);
  EXPECT_TRUE(write(writer, "outside"));
  EXPECT_TRUE(method<Void>("sync-data", writer));
  EXPECT_TRUE(method<Void>("sync", writer));
  EXPECT_EQ(readAll(reader), "outside");
}

TEST_F(FilesystemText, WhatIsAddedBetweenIsZero) {
  auto file = opened("file", OpenFlags::NONE, RW);
  EXPECT_TRUE(method<Void>("set-size", file, uint64_t{9}));
  EXPECT_EQ(readAll(file), std::string("inside\0\0\0", 9));
  EXPECT_EQ(write(file, "x", 12).value(), 1u);
  EXPECT_EQ(readAll(file), std::string("inside\0\0\0\0\0\0x", 13));
  EXPECT_TRUE(method<Void>("set-size", file, uint64_t{2}));
  EXPECT_TRUE(method<Void>("set-size", file, uint64_t{4}));
  EXPECT_EQ(readAll(file), std::string("in\0\0", 4));
}

TEST_F(FilesystemText, ReadTellsTheEndOfTheFile) {
  auto file = opened("file");
  auto read = [&](uint64_t length, uint64_t offset) {
    auto [bytes, end] = method<Read>("read", file, length, offset).value();
    return textOf(bytes) + (end ? "|" : "");
  };
  EXPECT_EQ(read(3, 0), "ins");
  EXPECT_EQ(read(0, 0), "");
  std::string rest = read(100, 3);
  EXPECT_TRUE(rest == "ide" || rest == "ide|");
  EXPECT_EQ(read(1, 6), "|");
  EXPECT_EQ(read(1, 1000), "|");
}

TEST_F(FilesystemText, EachListingBeginsAtTheBeginning) {
  auto names = [&](Own<EntryStream> from, int most) {
    std::set<std::string> found;
    while (most-- > 0) {
      auto entry = nextEntry(from).value();
      if (!entry) break;
      EXPECT_TRUE(found.insert(entry->name).second);
    }
    return found;
  };
  for (const char* name : {"a", "b", "c"}) folder.write(name, "");
  auto first = stream<EntryStream>("read-directory", root).value();
  EXPECT_EQ(names(first, 2).size(), 2u);
  auto second = stream<EntryStream>("read-directory", root).value();
  EXPECT_EQ(names(second, 100), (std::set<std::string>{"a", "b", "c", "file", "sub"}));
  EXPECT_EQ(names(first, 100).size(), 3u);
  EXPECT_EQ(nextEntry(first).value(), std::nullopt);
}

TEST_F(FilesystemText, LinksNeedAnOldFileAndANewName) {
  EXPECT_EQ(hardLink("nothing", "new").error(), ErrorCode::NO_ENTRY);
  EXPECT_EQ(hardLink("file", "sub").error(), ErrorCode::EXIST);
  EXPECT_EQ(hardLink("sub", "new").error(), ErrorCode::NOT_PERMITTED);
  EXPECT_TRUE(hardLink("file", "new"));
  EXPECT_EQ(readAll(opened("new")), "inside");
}

TEST_F(FilesystemText, AbsoluteTargetsAreNeitherMadeNorTold) {
  auto symlink = [&](const char* target, const char* path) {
    return method<Void>("symlink-at", root, std::string(target), std::string(path));
  };
  EXPECT_EQ(symlink("/", "new").error(), ErrorCode::NOT_PERMITTED);
  EXPECT_EQ(symlink("/file", "new").error(), ErrorCode::NOT_PERMITTED);
  EXPECT_FALSE(folder.exists("new"));
  EXPECT_TRUE(symlink("../file", "sub/new"));
  EXPECT_EQ(readAll(opened("sub/new")), "inside");
  EXPECT_EQ(symlink("x", "sub/new").error(), ErrorCode::EXIST);
}

TEST_F(FilesystemText, TheSameObjectIsTheSameByAnyWay) {
  EXPECT_TRUE(hardLink("file", "other"));
  folder.link("file", "link");
  auto same = [&](Borrow<Descriptor> one, Borrow<Descriptor> other) {
    return method<bool>("is-same-object", one, other);
  };
  auto file = opened("file");
  EXPECT_TRUE(same(file, file));
  EXPECT_TRUE(same(file, opened("other")));
  EXPECT_TRUE(same(file, opened("link")));
  EXPECT_FALSE(same(file, opened("sub/file")));
  EXPECT_TRUE(same(opened("sub"), opened("sub/deep/..")));
  EXPECT_FALSE(same(opened("sub"), root));
}

TEST_F(FilesystemText, PreopenedDirectoriesComeWithTheirPaths) {
  auto context = loop.newContext();
  context->preopens = openGrants({{.host = folder.inside(), .guest = "/data///"},
                                  {.host = folder.inside() + "/sub", .guest = "."},
                                  {.host = folder.inside(), .guest = "//"}})
                          .value();
  FakeGuest other(loop.waitScope, std::move(context));
  using Preopens = std::vector<std::tuple<Own<Descriptor>, std::string>>;
  auto preopens = other.call<Preopens>("wasi:filesystem/preopens", "get-directories");
  ASSERT_EQ(preopens.size(), 3u);
  EXPECT_EQ(std::get<1>(preopens[0]), "/data");
  EXPECT_EQ(std::get<1>(preopens[1]), ".");
  EXPECT_EQ(std::get<1>(preopens[2]), "/");
  auto type =
      other.call<FileResult<DescriptorType>>("wasi:filesystem/types", "[method]descriptor.get-type",
                                             Borrow<Descriptor>{std::get<0>(preopens[1]).rep});
  EXPECT_EQ(type.value(), DescriptorType::DIRECTORY);
}

class ReadOnlyFilesystemText : public FilesystemGuest {
 protected:
  ReadOnlyFilesystemText() : FilesystemGuest(Disk::Kind::LOCAL, true) {}
};

TEST_F(ReadOnlyFilesystemText, NothingThatChangesIsOpened) {
  auto flags = [&](Borrow<Descriptor> self) {
    return method<FileResult<DescriptorFlags>>("get-flags", self).value();
  };
  EXPECT_EQ(flags(root), DescriptorFlags::READ);
  EXPECT_EQ(flags(opened("sub")), DescriptorFlags::READ);
  for (auto [how, what] :
       {std::pair{OpenFlags::NONE, DescriptorFlags::WRITE},
        std::pair{OpenFlags::NONE, DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY},
        std::pair{OpenFlags::CREATE, DescriptorFlags::READ},
        std::pair{OpenFlags::TRUNCATE, DescriptorFlags::READ}}) {
    EXPECT_EQ(open("sub", how, what).error(), ErrorCode::READ_ONLY);
    EXPECT_EQ(open("file", how, what).error(), ErrorCode::READ_ONLY);
  }
  EXPECT_EQ(folder.read("file"), "inside");
}

}  // namespace
}  // namespace tenon::wasi::filesystem
