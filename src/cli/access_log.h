#pragma once

// What `tenon serve` writes: a line of text or of JSON for each request, for each line of a guest,
// and for what the operator should know besides.

#include "cli/outlet.h"

#include <tenon/result.h>
#include <tenon/server.h>

#include <chrono>
#include <cstdint>
#include <map>
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

// How many warnings of one kind are written in a second.
inline constexpr uint32_t WARNINGS_A_SECOND = 5;

// Never waits for a reader: what nobody takes is lost, and counted. Safe on any thread.
class AccessLog {
 public:
  struct Options {
    std::string path = "-";  // for requests; "-": standard error
    LogFormat format = LogFormat::TEXT;
    bool prefixes = true;  // text: whether time, request and component precede a guest's lines
  };

  // Errors: IO, PERMISSION.
  static Result<std::unique_ptr<AccessLog>> open(const Options& options);
  // Writes what is left, as far as somebody takes it within a second.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  void request(const RequestRecord& record);
  // To the standard stream that the guest wrote to. As ServerOptions::onLine.
  bool line(const GuestLine& line);

  // To standard error: what the operator should know. Too many of a kind, which begin alike, are
  // counted only.
  void warn(std::string_view text);
  // What is going on: that the server serves, or stops.
  void say(std::string_view text);
  // Why it does not serve.
  void fail(const Error& error);
  // To be called some times a second.
  void tick();

  // Opens the file anew, if it is one. Can be called from a thread that must not wait.
  void reopen();

 private:
  struct Kind {
    uint32_t written = 0;  // in this second
    uint64_t left = 0;     // not written in this second
  };

  explicit AccessLog(const Options& options) : options_(options) {}
  std::unique_ptr<Outlet> newOutlet(int fd, std::function<int()> open);
  std::string message(std::string_view level, std::string_view text, std::string_view details = {});
  // Under the lock.
  void endSecond(std::chrono::steady_clock::time_point now);
  void tellLeftOut();

  const Options options_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point second_;       // guarded by mutex_
  std::map<std::string, Kind, std::less<>> warnings_;  // guarded by mutex_: of this second
  // One for each file; the others are null.
  std::unique_ptr<Outlet> forError_;
  std::unique_ptr<Outlet> forOutput_;
  std::unique_ptr<Outlet> forRequests_;
  Outlet* error_ = nullptr;
  Outlet* output_ = nullptr;
  Outlet* requests_ = nullptr;
};

}  // namespace tenon::cli
