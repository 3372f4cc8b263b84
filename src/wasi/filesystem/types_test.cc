#include "wasi/filesystem/types.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <utility>

namespace tenon::wasi::filesystem {
namespace {

TEST(ErrorCode, EveryErrnoThatWasiNamesHasItsCode) {
  const std::pair<int, ErrorCode> codes[] = {{EACCES, ErrorCode::ACCESS},
                                             {EAGAIN, ErrorCode::WOULD_BLOCK},
                                             {EWOULDBLOCK, ErrorCode::WOULD_BLOCK},
                                             {EALREADY, ErrorCode::ALREADY},
                                             {EBADF, ErrorCode::BAD_DESCRIPTOR},
                                             {EBUSY, ErrorCode::BUSY},
                                             {EDEADLK, ErrorCode::DEADLOCK},
                                             {EDQUOT, ErrorCode::QUOTA},
                                             {EEXIST, ErrorCode::EXIST},
                                             {EFBIG, ErrorCode::FILE_TOO_LARGE},
                                             {EILSEQ, ErrorCode::ILLEGAL_BYTE_SEQUENCE},
                                             {EINPROGRESS, ErrorCode::IN_PROGRESS},
                                             {EINTR, ErrorCode::INTERRUPTED},
                                             {EINVAL, ErrorCode::INVALID},
                                             {EIO, ErrorCode::IO},
                                             {EISDIR, ErrorCode::IS_DIRECTORY},
                                             {ELOOP, ErrorCode::LOOP},
                                             {EMLINK, ErrorCode::TOO_MANY_LINKS},
                                             {EMSGSIZE, ErrorCode::MESSAGE_SIZE},
                                             {ENAMETOOLONG, ErrorCode::NAME_TOO_LONG},
                                             {ENODEV, ErrorCode::NO_DEVICE},
                                             {ENOENT, ErrorCode::NO_ENTRY},
                                             {ENOLCK, ErrorCode::NO_LOCK},
                                             {ENOMEM, ErrorCode::INSUFFICIENT_MEMORY},
                                             {EMFILE, ErrorCode::INSUFFICIENT_MEMORY},
                                             {ENFILE, ErrorCode::INSUFFICIENT_MEMORY},
                                             {ENOSPC, ErrorCode::INSUFFICIENT_SPACE},
                                             {ENOTDIR, ErrorCode::NOT_DIRECTORY},
                                             {ENOTEMPTY, ErrorCode::NOT_EMPTY},
                                             {ENOTRECOVERABLE, ErrorCode::NOT_RECOVERABLE},
                                             {ENOTSUP, ErrorCode::UNSUPPORTED},
                                             {ENOSYS, ErrorCode::UNSUPPORTED},
                                             {ENOTTY, ErrorCode::NO_TTY},
                                             {ENXIO, ErrorCode::NO_SUCH_DEVICE},
                                             {EOVERFLOW, ErrorCode::OVERFLOW},
                                             {EPERM, ErrorCode::NOT_PERMITTED},
                                             {EPIPE, ErrorCode::PIPE},
                                             {EROFS, ErrorCode::READ_ONLY},
                                             {ESPIPE, ErrorCode::INVALID_SEEK},
                                             {ETXTBSY, ErrorCode::TEXT_FILE_BUSY},
                                             {EXDEV, ErrorCode::CROSS_DEVICE},
                                             {12345, ErrorCode::IO}};
  for (auto [number, code] : codes) EXPECT_EQ(toErrorCode(number), code) << number;
}

TEST(DescriptorType, EveryKindOfInodeHasItsType) {
  const std::pair<mode_t, DescriptorType> types[] = {
      {S_IFBLK, DescriptorType::BLOCK_DEVICE},  {S_IFCHR, DescriptorType::CHARACTER_DEVICE},
      {S_IFDIR, DescriptorType::DIRECTORY},     {S_IFIFO, DescriptorType::FIFO},
      {S_IFLNK, DescriptorType::SYMBOLIC_LINK}, {S_IFREG, DescriptorType::REGULAR_FILE},
      {S_IFSOCK, DescriptorType::SOCKET},       {0, DescriptorType::UNKNOWN}};
  for (auto [mode, type] : types) EXPECT_EQ(toType(mode | 0644), type) << mode;
}

TEST(DescriptorStat, TimesThatWasiCannotTellAreNone) {
  struct stat status = {};
  status.st_mtim = {.tv_sec = -1, .tv_nsec = 5};
  status.st_atim = {.tv_sec = 1, .tv_nsec = 999'999'999};
  DescriptorStat told = toStat(status);
  EXPECT_EQ(told.dataModificationTimestamp, std::nullopt);
  EXPECT_EQ(told.dataAccessTimestamp, (Datetime{1, 999'999'999}));
  EXPECT_EQ(told.statusChangeTimestamp, (Datetime{0, 0}));
}

}  // namespace
}  // namespace tenon::wasi::filesystem
