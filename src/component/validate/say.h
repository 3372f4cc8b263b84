#pragma once

// Builds the sentences of error messages out of pieces: text and integers.

#include <concepts>
#include <string>
#include <string_view>

namespace tenon::component {

template <typename Piece>
void sayPiece(std::string& out, const Piece& piece) {
  if constexpr (std::integral<Piece>) {
    out += std::to_string(piece);
  } else {
    out += std::string_view(piece);
  }
}

template <typename... Pieces>
std::string say(const Pieces&... pieces) {
  std::string out;
  (sayPiece(out, pieces), ...);
  return out;
}

}  // namespace tenon::component
