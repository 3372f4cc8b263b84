#pragma once

// What `tenon serve` writes for each request: a line of text or of JSON.

#include <tenon/result.h>
#include <tenon/server.h>

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

// A file that lines are collected for, so that not each request costs a write. Safe on any thread.
class AccessLog {
 public:
  // `path` "-": standard error. Errors: IO, PERMISSION.
  static Result<std::unique_ptr<AccessLog>> open(const std::string& path, LogFormat format);
  // Writes what is left.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  void add(const RequestRecord& record);
  void flush();

 private:
  AccessLog(int fd, LogFormat format) : fd_(fd), format_(format) {}
  void writeOut();

  const int fd_;
  const LogFormat format_;
  std::mutex mutex_;
  std::string lines_;     // guarded by mutex_
  bool failing_ = false;  // guarded by mutex_
};

}  // namespace tenon::cli
