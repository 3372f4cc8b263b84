#pragma once

// What `tenon serve` writes for each request: a line of text or of JSON.

#include <tenon/result.h>
#include <tenon/server.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace tenon::cli {

enum class LogFormat : uint8_t { TEXT, JSON, NONE };

// Errors: INVALID_ARGUMENT.
Result<LogFormat> parseLogFormat(std::string_view text);

// One line, its end included; the details of a failure follow, indented.
std::string formatText(const RequestRecord& record);
std::string formatJson(const RequestRecord& record);

// A file that lines are collected for, so that not each request costs a write. Never waits for a
// reader: what it cannot write for long is lost, and counted. Safe on any thread.
class AccessLog {
 public:
  // `path` "-": standard error. Errors: IO, PERMISSION.
  static Result<std::unique_ptr<AccessLog>> open(const std::string& path, LogFormat format);
  // Writes what is left; waits a second for a reader.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  void add(const RequestRecord& record);
  void flush();

 private:
  AccessLog(int fd, LogFormat format) : fd_(fd), format_(format) {}
  // `patience`: milliseconds for each wait. Under the lock.
  void writeOut(int patience);

  const int fd_;
  const LogFormat format_;
  std::mutex mutex_;
  std::string lines_;     // guarded by mutex_
  uint64_t lost_ = 0;     // guarded by mutex_: lines, since it was last said
  bool failing_ = false;  // guarded by mutex_
};

}  // namespace tenon::cli
