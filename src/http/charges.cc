#include "http/charges.h"

#include <utility>

namespace tenon::http {
namespace {

// `object`, and a charge that lives as long as it.
template <typename T>
std::shared_ptr<T> charged(std::shared_ptr<call::MemoryBudget> budget, std::shared_ptr<T> object,
                           uint64_t bytes) {
  if (!object || !budget) return object;
  struct Charged {
    Charged(std::shared_ptr<call::MemoryBudget> budget, std::shared_ptr<T> object)
        : charge(std::move(budget)), object(std::move(object)) {}
    call::MemoryCharge charge;
    std::shared_ptr<T> object;
  };
  auto both = std::make_shared<Charged>(std::move(budget), std::move(object));
  both->charge.force(bytes);
  return {both, both->object.get()};
}

}  // namespace

uint64_t sizeOf(const FieldList& fields) {
  uint64_t size = 0;
  for (const Field& field : fields) size += field.name.size() + field.value.size() + FIELD_COST;
  return size;
}

std::shared_ptr<FieldList> chargeFields(std::shared_ptr<call::MemoryBudget> budget,
                                        std::shared_ptr<FieldList> list) {
  if (!list) return nullptr;
  uint64_t bytes = sizeOf(*list);
  return charged(std::move(budget), std::move(list), bytes);
}

std::shared_ptr<BodyReader> chargeBody(std::shared_ptr<call::MemoryBudget> budget,
                                       std::shared_ptr<BodyReader> body, uint64_t bytes) {
  return charged(std::move(budget), std::move(body), bytes);
}

}  // namespace tenon::http
