#pragma once

// Text on its way to a file, pipe or terminal that may stop taking it: a pipe that nobody reads, a
// terminal that was halted, a disk that hangs.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tenon::cli {

// Whether text in two descriptors goes to the same place, so that its order matters.
bool isSameFile(int one, int other);

// Writes what is added from a thread of its own, so that whoever adds never waits. What there is no
// room for is lost, and counted. Safe on any thread.
class Outlet {
 public:
  // Most bytes that wait to be written: lines of which there are many, and rare ones besides.
  static constexpr size_t ROOM = 256 * 1024;
  static constexpr size_t ROOM_FOR_RARE = 272 * 1024;
  enum class Lines : uint8_t { MANY, RARE };

  struct Options {
    // The line that says how much was lost, written as soon as there is room again.
    std::function<std::string(uint64_t lost)> describeLoss;
    // Called once when writing fails, with `errno`, until it has worked again; on the thread that
    // writes, and with a lock: it must not use this outlet.
    std::function<void(int problem)> onFailure;
    // Opens the file anew, for `reopen`: a descriptor, or -1 with `errno`. Empty: there is none.
    std::function<int()> open;
  };

  // Does not close `fd`, unless `options.open` is there.
  Outlet(int fd, Options options);
  // Writes what is left, as far as somebody takes it within a second.
  ~Outlet();
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  // Adds whole lines. False: there was no room, and they are lost.
  bool add(std::string_view lines, Lines kind = Lines::MANY);
  // Whether there is room for much more: who can wait, should wait for that.
  bool hasRoom() const;
  // What was added before goes to the file as it is, what comes after it to one that is opened
  // anew: for those who rotate logs by renaming.
  void reopen();

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the thread, which may never come back
};

}  // namespace tenon::cli
