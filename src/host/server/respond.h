#pragma once

// How responses are framed and which status an error becomes. Pure functions.

#include "http/body_writer.h"
#include "http/exchange.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace tenon::host {

// What the connection decides about a response.
struct ResponseContext {
  bool toHead = false;
  int minorVersion = 1;
  bool keepAlive = true;  // in: whether it may stay open; out: whether it does
  std::string_view date;  // "Date: ...\r\n", set right before it is used
};

// Writes the head of a guest's answer. `body` null: there is none. What the body is framed by
// depends on how much of it is known.
http::BodyMode writeHead(std::string& out, const http::Answer& answer, ResponseContext& context);

// A response of the host's own: head and a short text. `retryAfter`: seconds; 0: none.
std::string shortResponse(uint16_t status, std::string_view text, ResponseContext& context,
                          uint32_t retryAfter = 0);

// The status that a guest's error stands for.
uint16_t statusOf(const http::ErrorCode& code);

// "Sat, 21 Nov 2026 12:00:00 GMT".
std::string httpDate(int64_t secondsSince1970);

}  // namespace tenon::host
