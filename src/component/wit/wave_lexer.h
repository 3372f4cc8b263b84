#pragma once

// The tokens of WAVE text. Source: the WAVE grammar of the crate `wasm-wave`; `#label-12`, a
// handle, is Tenon's own.

#include <tenon/result.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tenon::component {

enum class WaveTokenKind : uint8_t {
  BRACE_OPEN,
  BRACE_CLOSE,
  PAREN_OPEN,
  PAREN_CLOSE,
  BRACKET_OPEN,
  BRACKET_CLOSE,
  COLON,
  COMMA,
  NUMBER,            // also `-inf`; not `inf` and `nan`, which are words
  WORD,              // a label or keyword, with its `%` if it has one
  CHAR,              // with its quotes
  STRING,            // with its quotes
  MULTILINE_STRING,  // with its triple quotes
  HANDLE,            // with its `#`
  END,               // of the text; empty
};

// `text` borrows from the lexed text.
struct WaveToken {
  WaveTokenKind kind = WaveTokenKind::END;
  std::string_view text;
  size_t offset = 0;  // bytes from the start of the lexed text

  // A word that is neither escaped nor anything but this keyword.
  bool isKeyword(std::string_view keyword) const {
    return kind == WaveTokenKind::WORD && text == keyword;
  }
  // "the number 12", "a list", "the end of the text": for messages, cut when long.
  std::string describe() const;
};

// true, false, inf, nan, some, none, ok, err: labels that are written with a `%` where a value
// begins.
bool isWaveKeyword(std::string_view label);

// Goes through a text one token at a time, over spaces and `//` comments. Borrows the text.
class WaveLexer {
 public:
  explicit WaveLexer(std::string_view text) : text_(text) {}

  // Again and again END at the end. Errors: MALFORMED with the offset of what is no token.
  Result<WaveToken> next();

 private:
  void skipSpace();
  WaveToken token(WaveTokenKind kind, size_t end);
  Result<WaveToken> number();
  Result<WaveToken> word(WaveTokenKind kind);
  Result<WaveToken> quoted(char quote);
  Result<WaveToken> multilineString();

  std::string_view text_;
  size_t position_ = 0;
};

// The content of a CHAR, STRING or MULTILINE_STRING token: escapes replaced, indentation taken off.
// Always valid UTF-8. Errors: MALFORMED, with the offset in the lexed text, for an unknown escape,
// an escape that is no Unicode scalar value, bytes that are not UTF-8, or a multiline string whose
// lines are indented less than its end.
Result<std::string> decodeWaveString(const WaveToken& token);
// A CHAR. Errors: as above; MALFORMED when it holds no or several characters.
Result<char32_t> decodeWaveChar(const WaveToken& token);

}  // namespace tenon::component
