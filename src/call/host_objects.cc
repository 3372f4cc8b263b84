#include "call/host_objects.h"

namespace tenon::call {

bool HostObjects::drop(uint32_t rep) {
  if (!slots_.find(rep)) return false;
  // Out of the table first: a destructor may look at the table.
  Entry entry = slots_.take(rep);
  recount();
  return true;
}

}  // namespace tenon::call
