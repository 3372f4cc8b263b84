#pragma once

// What messages count as in the budget of the instance that the host keeps them for. Bound to the
// store's thread.

#include "call/memory_budget.h"
#include "http/body_reader.h"
#include "http/message.h"

#include <cstdint>
#include <memory>

namespace tenon::http {

// Counted for each field, beside its name and its value.
inline constexpr uint64_t FIELD_COST = 64;
// What a list counts as.
uint64_t sizeOf(const FieldList& fields);
// A list that a peer sent, charged to `budget` as long as it lives; may go beyond it. `budget`
// null: as it is.
std::shared_ptr<FieldList> chargeFields(std::shared_ptr<call::MemoryBudget> budget,
                                        std::shared_ptr<FieldList> list);

// What a request in flight counts as, and a response until nobody reads its body any more: the
// connection's buffer, and what is made for the request. And a body of which nothing more comes.
inline constexpr uint64_t EXCHANGE_COST = 64 * 1024;
inline constexpr uint64_t READ_BODY_COST = 1024;
// A body that a peer sends, charged to `budget` as long as it lives; may go beyond it. `budget`
// null: as it is.
std::shared_ptr<BodyReader> chargeBody(std::shared_ptr<call::MemoryBudget> budget,
                                       std::shared_ptr<BodyReader> body, uint64_t bytes);

}  // namespace tenon::http
