#include "component/validate/validator.h"

#include "component/validate/validation.h"

namespace tenon::component {

Result<void> validate(const Component& component, const Features& features) {
  typed::Arena arena;
  typed::Validation validation(arena, features);
  auto type = validation.component(component);
  if (!type) return std::move(type).error();
  return {};
}

}  // namespace tenon::component
