#include "base/suggest.h"

#include "base/edit_distance.h"

namespace tenon::base {

std::string shown(std::string_view text, size_t most) {
  if (text.size() <= most) return std::string(text);
  size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

void Nearest::offer(std::string_view name) {
  if (++seen_ > MOST_NAMES) return;
  size_t difference =
      name.size() > wanted_.size() ? name.size() - wanted_.size() : wanted_.size() - name.size();
  if (difference >= best_) return;
  size_t distance = editDistance(wanted_, name);
  if (distance >= best_) return;
  best_ = distance;
  name_ = name;
}

std::string Nearest::question() const {
  return name_.empty() ? std::string() : "; did you mean '" + std::string(name_) + "'?";
}

}  // namespace tenon::base
