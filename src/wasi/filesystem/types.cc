#include "wasi/filesystem/types.h"

#include <cerrno>

namespace tenon::wasi::filesystem {
namespace {

// None for times before 1970, which WASI cannot tell.
std::optional<Datetime> toDatetime(const timespec& time) {
  if (time.tv_sec < 0) return std::nullopt;
  return Datetime{static_cast<uint64_t>(time.tv_sec), static_cast<uint32_t>(time.tv_nsec)};
}

}  // namespace

ErrorCode toErrorCode(int systemError) {
  switch (systemError) {
    case EACCES:
      return ErrorCode::ACCESS;
    case EAGAIN:
      return ErrorCode::WOULD_BLOCK;
    case EALREADY:
      return ErrorCode::ALREADY;
    case EBADF:
      return ErrorCode::BAD_DESCRIPTOR;
    case EBUSY:
      return ErrorCode::BUSY;
    case EDEADLK:
      return ErrorCode::DEADLOCK;
    case EDQUOT:
      return ErrorCode::QUOTA;
    case EEXIST:
      return ErrorCode::EXIST;
    case EFBIG:
      return ErrorCode::FILE_TOO_LARGE;
    case EILSEQ:
      return ErrorCode::ILLEGAL_BYTE_SEQUENCE;
    case EINPROGRESS:
      return ErrorCode::IN_PROGRESS;
    case EINTR:
      return ErrorCode::INTERRUPTED;
    case EINVAL:
      return ErrorCode::INVALID;
    case EISDIR:
      return ErrorCode::IS_DIRECTORY;
    case ELOOP:
      return ErrorCode::LOOP;
    case EMLINK:
      return ErrorCode::TOO_MANY_LINKS;
    case EMSGSIZE:
      return ErrorCode::MESSAGE_SIZE;
    case ENAMETOOLONG:
      return ErrorCode::NAME_TOO_LONG;
    case ENODEV:
      return ErrorCode::NO_DEVICE;
    case ENOENT:
      return ErrorCode::NO_ENTRY;
    case ENOLCK:
      return ErrorCode::NO_LOCK;
    // WASI has no code for too many open files. This one says at least that the host ran out of
    // something; `io`, which Wasmtime gives, would blame the disk.
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorCode::INSUFFICIENT_MEMORY;
    case ENOSPC:
      return ErrorCode::INSUFFICIENT_SPACE;
    case ENOTDIR:
      return ErrorCode::NOT_DIRECTORY;
    case ENOTEMPTY:
      return ErrorCode::NOT_EMPTY;
    case ENOTRECOVERABLE:
      return ErrorCode::NOT_RECOVERABLE;
    case ENOTSUP:
    case ENOSYS:
      return ErrorCode::UNSUPPORTED;
    case ENOTTY:
      return ErrorCode::NO_TTY;
    case ENXIO:
      return ErrorCode::NO_SUCH_DEVICE;
    case EOVERFLOW:
      return ErrorCode::OVERFLOW;
    case EPERM:
      return ErrorCode::NOT_PERMITTED;
    case EPIPE:
      return ErrorCode::PIPE;
    case EROFS:
      return ErrorCode::READ_ONLY;
    case ESPIPE:
      return ErrorCode::INVALID_SEEK;
    case ETXTBSY:
      return ErrorCode::TEXT_FILE_BUSY;
    case EXDEV:
      return ErrorCode::CROSS_DEVICE;
    default:
      return ErrorCode::IO;
  }
}

DescriptorType toType(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFBLK:
      return DescriptorType::BLOCK_DEVICE;
    case S_IFCHR:
      return DescriptorType::CHARACTER_DEVICE;
    case S_IFDIR:
      return DescriptorType::DIRECTORY;
    case S_IFIFO:
      return DescriptorType::FIFO;
    case S_IFLNK:
      return DescriptorType::SYMBOLIC_LINK;
    case S_IFREG:
      return DescriptorType::REGULAR_FILE;
    case S_IFSOCK:
      return DescriptorType::SOCKET;
    default:
      return DescriptorType::UNKNOWN;
  }
}

DescriptorStat toStat(const struct stat& status) {
  return {.type = toType(status.st_mode),
          .linkCount = status.st_nlink,
          .size = static_cast<uint64_t>(status.st_size),
          .dataAccessTimestamp = toDatetime(status.st_atim),
          .dataModificationTimestamp = toDatetime(status.st_mtim),
          .statusChangeTimestamp = toDatetime(status.st_ctim)};
}

}  // namespace tenon::wasi::filesystem
