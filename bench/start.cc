// start/...: whole processes, from fork to exit.

#include "bench.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

extern char** environ;

namespace tenon::bench {
namespace {

// Runs the command with its output thrown away; its peak resident memory in KiB.
long runProcess(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  if (posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ) != 0) {
    fail("cannot run " + words[0]);
  }
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail(words[0] + " failed");
  return usage.ru_maxrss;
}

}  // namespace

void benchStart(const Wanted& wanted, std::vector<Row>& rows) {
  if (!wanted("start/hello")) return;
  std::vector<std::string> command = {TENON_COMMAND, "run", guestPath("hello")};
  long resident = runProcess(command);  // the first run fills the cache
  double best = bestOf([&](uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) resident = std::max(resident, runProcess(command));
  });
  rows.push_back({.name = "start/hello",
                  .tenon = best,
                  .wasmtime = std::nullopt,
                  .more = {{"resident-kib", static_cast<double>(resident)}},
                  .goal = "<= 5 ms"});
}

}  // namespace tenon::bench
