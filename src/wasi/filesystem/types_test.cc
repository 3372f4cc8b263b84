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

}  // namespace
}  // namespace tenon::wasi::filesystem
