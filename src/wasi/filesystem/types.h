#pragma once

// The types of wasi:filesystem/types. Plain values.

#include "call/host_call.h"
#include "wasi/clocks/clocks.h"
#include "wasi/error_of.h"

#include <tenon/typed.h>

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace tenon::wasi::filesystem {

enum class ErrorCode : uint8_t {
  ACCESS,
  WOULD_BLOCK,
  ALREADY,
  BAD_DESCRIPTOR,
  BUSY,
  DEADLOCK,
  QUOTA,
  EXIST,
  FILE_TOO_LARGE,
  ILLEGAL_BYTE_SEQUENCE,
  IN_PROGRESS,
  INTERRUPTED,
  INVALID,
  IO,
  IS_DIRECTORY,
  LOOP,
  TOO_MANY_LINKS,
  MESSAGE_SIZE,
  NAME_TOO_LONG,
  NO_DEVICE,
  NO_ENTRY,
  NO_LOCK,
  INSUFFICIENT_MEMORY,
  INSUFFICIENT_SPACE,
  NOT_DIRECTORY,
  NOT_EMPTY,
  NOT_RECOVERABLE,
  UNSUPPORTED,
  NO_TTY,
  NO_SUCH_DEVICE,
  OVERFLOW,
  NOT_PERMITTED,
  PIPE,
  READ_ONLY,
  INVALID_SEEK,
  TEXT_FILE_BUSY,
  CROSS_DEVICE,
};

enum class DescriptorType : uint8_t {
  UNKNOWN,
  BLOCK_DEVICE,
  CHARACTER_DEVICE,
  DIRECTORY,
  FIFO,
  SYMBOLIC_LINK,
  REGULAR_FILE,
  SOCKET,
};

enum class DescriptorFlags : uint32_t {
  NONE = 0,
  READ = 1,
  WRITE = 2,
  FILE_INTEGRITY_SYNC = 4,
  DATA_INTEGRITY_SYNC = 8,
  REQUESTED_WRITE_SYNC = 16,
  MUTATE_DIRECTORY = 32,
};
enum class PathFlags : uint32_t { NONE = 0, SYMLINK_FOLLOW = 1 };
enum class OpenFlags : uint32_t {
  NONE = 0,
  CREATE = 1,
  DIRECTORY = 2,
  EXCLUSIVE = 4,
  TRUNCATE = 8
};

template <typename T>
constexpr bool has(T flags, T flag) {
  return (static_cast<uint32_t>(flags) & static_cast<uint32_t>(flag)) != 0;
}
constexpr DescriptorFlags operator|(DescriptorFlags a, DescriptorFlags b) {
  return static_cast<DescriptorFlags>(static_cast<uint32_t>(a) | static_cast<uint32_t>(b));
}

enum class Advice : uint8_t { NORMAL, SEQUENTIAL, RANDOM, WILL_NEED, DONT_NEED, NO_REUSE };

struct DescriptorStat {
  DescriptorType type = DescriptorType::UNKNOWN;
  uint64_t linkCount = 0;
  uint64_t size = 0;
  std::optional<Datetime> dataAccessTimestamp;
  std::optional<Datetime> dataModificationTimestamp;
  std::optional<Datetime> statusChangeTimestamp;
};

// No change, now, a time.
using NewTimestamp = std::variant<std::monostate, std::monostate, Datetime>;

struct DirectoryEntry {
  DescriptorType type = DescriptorType::UNKNOWN;
  std::string name;
};

struct MetadataHashValue {
  uint64_t lower = 0;
  uint64_t upper = 0;
  bool operator==(const MetadataHashValue&) const = default;
};

template <typename T>
using FileResult = Expected<T, ErrorCode>;

// For an `errno`.
ErrorCode toErrorCode(int systemError);
inline Unexpected<ErrorCode> systemFailure(int systemError) { return {toErrorCode(systemError)}; }

// The error of a function in which a library threw.
inline ErrorCode errorOf(call::HostCall&, const std::string&, ErrorOf<ErrorCode>) {
  return ErrorCode::IO;
}

DescriptorType toType(mode_t mode);
DescriptorStat toStat(const struct stat& status);

}  // namespace tenon::wasi::filesystem

TENON_ENUM(tenon::wasi::filesystem::ErrorCode, ACCESS, WOULD_BLOCK, ALREADY, BAD_DESCRIPTOR, BUSY,
           DEADLOCK, QUOTA, EXIST, FILE_TOO_LARGE, ILLEGAL_BYTE_SEQUENCE, IN_PROGRESS, INTERRUPTED,
           INVALID, IO, IS_DIRECTORY, LOOP, TOO_MANY_LINKS, MESSAGE_SIZE, NAME_TOO_LONG, NO_DEVICE,
           NO_ENTRY, NO_LOCK, INSUFFICIENT_MEMORY, INSUFFICIENT_SPACE, NOT_DIRECTORY, NOT_EMPTY,
           NOT_RECOVERABLE, UNSUPPORTED, NO_TTY, NO_SUCH_DEVICE, OVERFLOW, NOT_PERMITTED, PIPE,
           READ_ONLY, INVALID_SEEK, TEXT_FILE_BUSY, CROSS_DEVICE)
TENON_ENUM(tenon::wasi::filesystem::DescriptorType, UNKNOWN, BLOCK_DEVICE, CHARACTER_DEVICE,
           DIRECTORY, FIFO, SYMBOLIC_LINK, REGULAR_FILE, SOCKET)
TENON_FLAGS(tenon::wasi::filesystem::DescriptorFlags, READ, WRITE, FILE_INTEGRITY_SYNC,
            DATA_INTEGRITY_SYNC, REQUESTED_WRITE_SYNC, MUTATE_DIRECTORY)
TENON_FLAGS(tenon::wasi::filesystem::PathFlags, SYMLINK_FOLLOW)
TENON_FLAGS(tenon::wasi::filesystem::OpenFlags, CREATE, DIRECTORY, EXCLUSIVE, TRUNCATE)
TENON_ENUM(tenon::wasi::filesystem::Advice, NORMAL, SEQUENTIAL, RANDOM, WILL_NEED, DONT_NEED,
           NO_REUSE)
TENON_RECORD(tenon::wasi::filesystem::DescriptorStat, type, linkCount, size, dataAccessTimestamp,
             dataModificationTimestamp, statusChangeTimestamp)
TENON_RECORD(tenon::wasi::filesystem::DirectoryEntry, type, name)
TENON_RECORD(tenon::wasi::filesystem::MetadataHashValue, lower, upper)
