#pragma once

// Text from outside as text for people. Names in a component, what a guest says went wrong, a
// peer's request, the name of a file: whoever made them decides what is in them, and on a terminal
// they could move the cursor, colour or hide what stands around them, or make a line of a log that
// nobody wrote. Everything of that kind that Tenon's command prints, and what an embedder prints of
// an `Error`, goes through here.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tenon {

// What ends a line: in ONE, line ends and tabs are escaped as well.
enum class Lines : uint8_t { ONE, SEVERAL };

// How much of a name is shown, and of a sentence; the rest is counted.
inline constexpr size_t MOST_OF_A_NAME = 256;
inline constexpr size_t MOST_OF_A_SENTENCE = 4096;

// `text` with what does not show itself, or changes how other text shows, as an escape: controls
// (C0, C1, DEL), marks of direction, invisible characters and line separators as "\n", "\t", "\r"
// or "\u{1b}", bytes that are not UTF-8 as "\xff". Everything else stays, backslashes too, so that
// doing it again changes nothing. Of a result that would be longer than `most` bytes, the part that
// fits is followed by "... (123 bytes more)", which counts bytes of `text`. Takes time that is
// linear in the smaller of both.
std::string printable(std::string_view text, Lines lines = Lines::ONE, size_t most = SIZE_MAX);

// The begin of `text`, at most `most` bytes and whole characters; of a longer one, the same mark
// follows. Escapes nothing: for what is escaped in another way.
std::string shortened(std::string_view text, size_t most);

// JSON text that means the same, with such characters as JSON's escapes.
std::string printableJson(std::string_view json);

}  // namespace tenon
