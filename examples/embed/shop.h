#pragma once

// The types of wit/shop.wit, for the programs of this folder.

#include <tenon/typed.h>

#include <cstdint>
#include <string>
#include <vector>

struct Offer {
  uint32_t cents = 0;
  std::string seller;
};
TENON_RECORD(Offer, cents, seller)

using Total = tenon::Expected<uint32_t, std::string>(std::vector<std::string>);
