#include "call/handle_table.h"

#include <new>

namespace tenon::call {

bool Lends::addMore(uint32_t index) {
  try {
    more_.push_back(index);
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

void Lends::release(HandleTable& handles) {
  handles.lent_ -= count_;
  for (uint32_t i = 0; i < count_; ++i) {
    --handles.find(i < first_.size() ? first_[i] : more_[i - first_.size()])->lends;
  }
  count_ = 0;
  more_.clear();
}

}  // namespace tenon::call
