#include "call/host_call.h"

#include <tenon/caller.h>

namespace tenon {

std::string_view Caller::component() const {
  return part_ ? std::string_view(part_->component) : std::string_view();
}

std::any* Caller::data() const { return part_ ? part_->userData : nullptr; }

}  // namespace tenon
