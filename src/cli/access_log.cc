#include "cli/access_log.h"

#include "cli/report.h"

#include <tenon/text.h>

#include <fcntl.h>
#include <limits.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace tenon::cli {
namespace {

// Lines are written out when there is so much of them, and at each tick.
constexpr size_t BUFFERED = 32 * 1024;

// What is kept for a reader that does not read.
constexpr size_t MOST_KEPT = 256 * 1024;

// How long the end waits for it, in milliseconds.
constexpr int LAST_PATIENCE = 1000;

// How much of what others chose is written, so that no request can have a line that is too long to
// be kept.
constexpr size_t MOST_OF_A_METHOD = 64;
constexpr size_t MOST_OF_A_TARGET = 2048;
constexpr size_t MOST_OF_A_HOST = 256;
constexpr size_t MOST_OF_AN_ERROR = 2048;
constexpr size_t MOST_OF_DETAILS = 16 * 1024;

// "2026-11-21T12:00:00.123Z"
std::string timeText(std::chrono::system_clock::time_point when) {
  auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
  auto seconds = static_cast<time_t>(milliseconds / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[80];
  size_t size = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + size, sizeof(text) - size, ".%03dZ", static_cast<int>(milliseconds % 1000));
  return text;
}

double milliseconds(std::chrono::nanoseconds duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

// What a client sent must not be able to fake a line or move a terminal's cursor.
void appendQuoted(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c < ' ' || c == '\x7f' || static_cast<unsigned char>(c) >= 0x80) {
      char code[8];
      std::snprintf(code, sizeof(code), "\\x%02x", static_cast<unsigned char>(c));
      out += code;
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

Result<LogFormat> parseLogFormat(std::string_view text) {
  if (text == "text") return LogFormat::TEXT;
  if (text == "json") return LogFormat::JSON;
  if (text == "none") return LogFormat::NONE;
  return Error(ErrorCode::INVALID_ARGUMENT,
               "'" + std::string(text) + "' is no format: write text, json or none");
}

std::string formatText(const RequestRecord& record) {
  std::string line = timeText(record.begin) + " " + std::string(record.client) + " ";
  std::string request = record.method.empty()
                            ? "-"
                            : shortened(record.method, MOST_OF_A_METHOD) + " " +
                                  shortened(record.target, MOST_OF_A_TARGET) + " HTTP/1." +
                                  std::to_string(record.minorVersion);
  appendQuoted(line, request);
  char numbers[96];
  std::snprintf(numbers, sizeof(numbers), " %u %llu %llu %.3fms", record.status,
                static_cast<unsigned long long>(record.received),
                static_cast<unsigned long long>(record.sent), milliseconds(record.duration));
  line += numbers;
  if (!record.error.empty()) {
    line += " error=";
    appendQuoted(line, shortened(record.error, MOST_OF_AN_ERROR));
  }
  if (!record.id.empty()) line += " id=" + std::string(record.id);
  line += '\n';
  std::string all = printable(record.details, Lines::SEVERAL, MOST_OF_DETAILS);
  std::string_view details = all;
  while (!details.empty()) {
    size_t end = std::min(details.find('\n'), details.size());
    line += "  " + std::string(details.substr(0, end)) + "\n";
    details.remove_prefix(std::min(end + 1, details.size()));
  }
  return line;
}

std::string formatJson(const RequestRecord& record) {
  nlohmann::ordered_json line;
  line["time"] = timeText(record.begin);
  line["client"] = record.client;
  if (!record.method.empty()) {
    line["method"] = shortened(record.method, MOST_OF_A_METHOD);
    line["target"] = shortened(record.target, MOST_OF_A_TARGET);
    line["host"] = shortened(record.host, MOST_OF_A_HOST);
    line["version"] = "HTTP/1." + std::to_string(record.minorVersion);
  }
  line["status"] = record.status;
  line["received"] = record.received;
  line["sent"] = record.sent;
  line["ms"] = milliseconds(record.duration);
  if (!record.error.empty()) line["error"] = shortened(record.error, MOST_OF_AN_ERROR);
  if (!record.id.empty()) line["id"] = record.id;
  if (!record.details.empty()) line["details"] = shortened(record.details, MOST_OF_DETAILS);
  return line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Result<std::unique_ptr<AccessLog>> AccessLog::open(const std::string& path, LogFormat format) {
  int fd = path == "-" ? STDERR_FILENO
                       : ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) {
    return Error(errno == EACCES ? ErrorCode::PERMISSION : ErrorCode::IO,
                 "the log " + path + " cannot be opened: " + std::strerror(errno));
  }
  return std::unique_ptr<AccessLog>(new AccessLog(fd, format));
}

AccessLog::~AccessLog() {
  {
    std::lock_guard lock(mutex_);
    writeOut(LAST_PATIENCE);
    writeOut(LAST_PATIENCE);  // how many were lost
  }
  if (fd_ != STDERR_FILENO) ::close(fd_);
}

void AccessLog::add(const RequestRecord& record) {
  if (format_ == LogFormat::NONE) return;
  std::string line = format_ == LogFormat::JSON ? formatJson(record) : formatText(record);
  std::lock_guard lock(mutex_);
  if (lines_.size() + line.size() > MOST_KEPT) {
    ++lost_;
    return;
  }
  lines_ += line;
  if (lines_.size() >= BUFFERED) writeOut(0);
}

void AccessLog::flush() {
  std::lock_guard lock(mutex_);
  writeOut(0);
}

// A log that nobody reads, or that cannot be written, loses lines rather than stop requests, and
// says so when it can again. What `poll` says there is room for does not block: a pipe has room for
// PIPE_BUF bytes then.
void AccessLog::writeOut(int patience) {
  std::string_view left = lines_;
  while (!left.empty()) {
    pollfd room{.fd = fd_, .events = POLLOUT, .revents = 0};
    int ready = ::poll(&room, 1, patience);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) break;
    ssize_t count = ::write(fd_, left.data(), std::min<size_t>(left.size(), PIPE_BUF));
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) {
      if (!std::exchange(failing_, true) && fd_ != STDERR_FILENO) {
        warn(std::string("the access log cannot be written: ") + std::strerror(errno));
      }
      left = {};
      break;
    }
    failing_ = false;
    left.remove_prefix(static_cast<size_t>(count));
  }
  lines_.erase(0, lines_.size() - left.size());
  if (lines_.empty() && lost_ != 0) {
    std::string count = std::to_string(std::exchange(lost_, 0));
    lines_ = format_ == LogFormat::JSON ? "{\"lost\":" + count + "}\n"
                                        : "# " + count + " lines were lost\n";
  }
}

}  // namespace tenon::cli
