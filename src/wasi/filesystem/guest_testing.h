#pragma once

// A guest with one directory, for the tests of wasi:filesystem.

#include "wasi/filesystem/disk.h"
#include "wasi/filesystem/filesystem.h"
#include "wasi/filesystem/filesystem_testing.h"
#include "wasi/filesystem/types.h"
#include "wasi/wasi_testing.h"

#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace tenon::wasi::filesystem {

using Bytes = std::vector<std::byte>;
using Void = FileResult<void>;
struct EntryStream;  // the class behind it is the implementation's

constexpr auto NO_PATH = PathFlags::NONE;
constexpr auto FOLLOW = PathFlags::SYMLINK_FOLLOW;
constexpr auto RW = DescriptorFlags::READ | DescriptorFlags::WRITE;
inline const NewTimestamp UNCHANGED(std::in_place_index<0>);

inline NewTimestamp at(uint64_t seconds) {
  return NewTimestamp(std::in_place_index<2>, Datetime{seconds, 7});
}

// `kind`: where operations run, which must make no difference.
class FilesystemGuest : public testing::Test {
 public:
  ~FilesystemGuest() noexcept override {}

 protected:
  FilesystemGuest(Disk::Kind kind, bool readOnly)
      : disk(kind), guest(loop.waitScope, newContext(readOnly)) {
    root = firstPreopen();
  }

  Borrow<Descriptor> firstPreopen() {
    using Preopens = std::vector<std::tuple<Own<Descriptor>, std::string>>;
    auto preopens = guest.call<Preopens>("wasi:filesystem/preopens", "get-directories");
    EXPECT_EQ(preopens.size(), 1u);
    EXPECT_EQ(std::get<1>(preopens[0]), "/data");
    return {std::get<0>(preopens[0]).rep};
  }

  std::unique_ptr<ContextImpl> newContext(bool readOnly) {
    auto context = loop.newContext();
    context->preopens =
        openGrants({{.host = folder.inside(), .guest = "/data", .readOnly = readOnly}}).value();
    context->preopens[0].directory->disk = &disk;
    return context;
  }

  template <typename R, typename... As>
  R method(const std::string& name, Borrow<Descriptor> self, const As&... arguments) {
    return guest.call<R>("wasi:filesystem/types", "[method]descriptor." + name, self, arguments...);
  }
  FileResult<Own<Descriptor>> open(const std::string& path, OpenFlags how = OpenFlags::NONE,
                                   DescriptorFlags flags = DescriptorFlags::READ,
                                   PathFlags links = FOLLOW) {
    return method<FileResult<Own<Descriptor>>>("open-at", root, links, path, how, flags);
  }
  Borrow<Descriptor> opened(const std::string& path, OpenFlags how = OpenFlags::NONE,
                            DescriptorFlags flags = DescriptorFlags::READ) {
    auto result = open(path, how, flags);
    if (!result) ADD_FAILURE() << path << ": error " << int(result.error());
    return {result ? result->rep : 0};
  }
  FileResult<DescriptorStat> statAt(const std::string& path, PathFlags links = NO_PATH) {
    return method<FileResult<DescriptorStat>>("stat-at", root, links, path);
  }
  std::string readAll(Borrow<Descriptor> file, uint64_t offset = 0) {
    auto result = method<FileResult<std::tuple<Bytes, bool>>>("read", file, uint64_t{1000}, offset);
    return result ? textOf(std::get<0>(*result)) : "error " + std::to_string(int(result.error()));
  }
  FileResult<uint64_t> write(Borrow<Descriptor> file, std::string_view text, uint64_t offset = 0) {
    return method<FileResult<uint64_t>>("write", file, bytesOf(text), offset);
  }
  Void rename(const std::string& from, const std::string& to) {
    return method<Void>("rename-at", root, from, root, to);
  }
  Void hardLink(const std::string& from, const std::string& to, PathFlags links = NO_PATH) {
    return method<Void>("link-at", root, links, from, root, to);
  }
  std::set<std::string> list(Borrow<Descriptor> directory) {
    auto stream = method<FileResult<Own<EntryStream>>>("read-directory", directory);
    std::set<std::string> names;
    while (true) {
      auto entry = guest.call<FileResult<std::optional<DirectoryEntry>>>(
          "wasi:filesystem/types", "[method]directory-entry-stream.read-directory-entry",
          Borrow<EntryStream>{stream.value().rep});
      if (!entry.value()) return names;
      names.insert((*entry)->name + ((*entry)->type == DescriptorType::DIRECTORY ? "/" : ""));
    }
  }

  // Its own, so that no other test makes it slow.
  Disk disk;
  TestFolder folder;
  TimedLoop loop;
  FakeGuest guest;
  Borrow<Descriptor> root;
};

}  // namespace tenon::wasi::filesystem
