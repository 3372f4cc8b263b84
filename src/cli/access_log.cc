#include "cli/access_log.h"

#include "cli/report.h"

#include <tenon/text.h>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace tenon::cli {
namespace {

// By how much of their beginning warnings are told apart.
constexpr size_t KIND = 16;
constexpr size_t MOST_KINDS = 64;

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

std::string now() { return timeText(std::chrono::system_clock::now()); }

std::string dump(const nlohmann::ordered_json& line) {
  return line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

double milliseconds(std::chrono::nanoseconds duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

void appendCode(std::string& out, char c) {
  char code[8];
  std::snprintf(code, sizeof(code), "\\x%02x", static_cast<unsigned char>(c));
  out += code;
}

// What a client sent must not be able to fake a line or move a terminal's cursor.
void appendQuoted(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c < ' ' || c == '\x7f' || static_cast<unsigned char>(c) >= 0x80) {
      appendCode(out, c);
    } else {
      out += c;
    }
  }
  out += '"';
}

// Lines, each indented by two.
void appendIndented(std::string& out, std::string_view text) {
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    out.append("  ").append(text.substr(0, end)).append("\n");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
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
  appendIndented(line, printable(record.details, Lines::SEVERAL, MOST_OF_DETAILS));
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

// -- AccessLog ------------------------------------------------------------------------------------

Result<std::unique_ptr<AccessLog>> AccessLog::open(const Options& options) {
  auto open = [path = options.path]() {
    return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  };
  int file = options.path == "-" ? STDERR_FILENO : open();
  if (file < 0) {
    return Error(errno == EACCES ? ErrorCode::PERMISSION : ErrorCode::IO,
                 "the log " + options.path + " cannot be opened: " + std::strerror(errno));
  }
  auto log = std::unique_ptr<AccessLog>(new AccessLog(options));
  log->forError_ = log->newOutlet(STDERR_FILENO, {});
  log->error_ = log->output_ = log->requests_ = log->forError_.get();
  if (!isSameFile(STDOUT_FILENO, STDERR_FILENO)) {
    log->forOutput_ = log->newOutlet(STDOUT_FILENO, {});
    log->output_ = log->forOutput_.get();
  }
  bool known = false;
  for (auto [fd, outlet] : {std::pair(STDERR_FILENO, log->error_), {STDOUT_FILENO, log->output_}}) {
    if (file == STDERR_FILENO || !isSameFile(file, fd)) continue;
    log->requests_ = outlet;
    known = true;
  }
  if (known) {
    ::close(file);
  } else if (file != STDERR_FILENO) {
    log->forRequests_ = log->newOutlet(file, open);
    log->requests_ = log->forRequests_.get();
  }
  return log;
}

AccessLog::~AccessLog() {
  std::lock_guard lock(mutex_);
  tellLeftOut();
}

std::unique_ptr<Outlet> AccessLog::newOutlet(int fd, std::function<int()> open) {
  Outlet::Options options;
  options.describeLoss = [format = options_.format](uint64_t lost) {
    if (format != LogFormat::JSON) {
      return "# " + std::to_string(lost) + " lines were lost\n";
    }
    nlohmann::ordered_json line;
    line["time"] = now();
    line["lost"] = lost;
    return dump(line);
  };
  if (open) {
    options.onFailure = [this](int problem) {
      warn(std::string("the access log cannot be written: ") + std::strerror(problem));
    };
  }
  options.open = std::move(open);
  return std::make_unique<Outlet>(fd, std::move(options));
}

void AccessLog::request(const RequestRecord& record) {
  if (options_.format == LogFormat::NONE) return;
  requests_->add(options_.format == LogFormat::JSON ? formatJson(record) : formatText(record));
}

bool AccessLog::line(const GuestLine& line) {
  bool toError = line.stream == GuestLine::Stream::ERROR;
  Outlet& outlet = toError ? *error_ : *output_;
  if (!line.last && !outlet.hasRoom()) return false;
  std::string text;
  if (options_.format == LogFormat::JSON) {
    nlohmann::ordered_json fields;
    fields["time"] = now();
    fields["id"] = line.id;
    if (!line.component.empty()) fields["component"] = line.component;
    fields[toError ? "stderr" : "stdout"] = line.text;
    text = dump(fields);
  } else if (!options_.prefixes) {
    text = std::string(line.text) + "\n";
  } else {
    if (options_.format == LogFormat::TEXT) text = now() + " id=" + std::string(line.id) + " ";
    if (!line.component.empty()) text += std::string(line.component) + " ";
    if (!text.empty()) text += "| ";
    text += printable(line.text, Lines::SEVERAL) + "\n";  // tabs stay
  }
  return outlet.add(text);
}

std::string AccessLog::message(std::string_view level, std::string_view text,
                               std::string_view details) {
  if (options_.format == LogFormat::JSON) {
    nlohmann::ordered_json line;
    line["time"] = now();
    line["level"] = level;
    line["message"] = text;
    if (!details.empty()) line["details"] = details;
    return dump(line);
  }
  std::string line = "tenon: ";
  if (level == "warning") line += "warning: ";
  line += printable(text) + "\n";
  appendIndented(line, printable(details, Lines::SEVERAL));
  return line;
}

void AccessLog::warn(std::string_view text) {
  std::lock_guard lock(mutex_);
  endSecond(std::chrono::steady_clock::now());
  std::string kind(text.substr(0, KIND));
  if (warnings_.size() >= MOST_KINDS && !warnings_.contains(kind)) kind.clear();
  Kind& known = warnings_[kind];
  if (known.written == WARNINGS_A_SECOND) {
    ++known.left;
    return;
  }
  ++known.written;
  error_->add(message("warning", text), Outlet::Lines::RARE);
}

void AccessLog::endSecond(std::chrono::steady_clock::time_point now) {
  if (now - second_ < std::chrono::seconds(1)) return;
  second_ = now;
  tellLeftOut();
}

void AccessLog::tellLeftOut() {
  for (const auto& [kind, known] : warnings_) {
    if (known.left == 0) continue;
    std::string text = std::to_string(known.left) + " more warnings were left out";
    if (!kind.empty()) text += " that begin with '" + kind + "'";
    error_->add(message("warning", text), Outlet::Lines::RARE);
  }
  warnings_.clear();
}

void AccessLog::say(std::string_view text) {
  error_->add(message("info", text), Outlet::Lines::RARE);
}

void AccessLog::fail(const Error& error) {
  error_->add(message("error", error.text(), error.details), Outlet::Lines::RARE);
}

void AccessLog::tick() {
  std::lock_guard lock(mutex_);
  endSecond(std::chrono::steady_clock::now());
}

void AccessLog::reopen() { requests_->reopen(); }

}  // namespace tenon::cli
