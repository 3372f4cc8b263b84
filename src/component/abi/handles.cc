#include <tenon/abi/resources.h>

namespace tenon::abi::detail {
namespace {

constexpr const char* NO_HANDLES = "resource handles cannot be passed here";

}  // namespace

Resource liftHandle(Context& context, uint32_t index, const Type& type) {
  bool owned = type.kind == TypeKind::OWN;
  if (context.failed()) return {nullptr, owned};
  if (!context.handles) {
    context.fail(NO_HANDLES);
    return {nullptr, owned};
  }
  uint32_t rep =
      owned ? context.liftOwn(type.resource, index) : context.liftBorrow(type.resource, index);
  if (context.failed()) return {nullptr, owned};
  auto handle = owned ? context.handles->wrapOwn(type.resource, rep)
                      : context.handles->wrapBorrow(type.resource, rep);
  if (!handle) context.fail("a resource handle cannot be held by the host");
  return {std::move(handle), owned};
}

uint32_t lowerHandle(Context& context, const Resource& resource, const Type& type) {
  if (context.failed()) return 0;
  if (!context.handles) {
    context.fail(NO_HANDLES);
    return 0;
  }
  if (!resource.handle) {
    context.fail("a resource handle is empty");
    return 0;
  }
  bool own = type.kind == TypeKind::OWN;
  const char* refused = own && !resource.owned ? "a borrowed resource handle cannot be given away"
                        : own ? context.handles->refuseOwn(*resource.handle, type.resource)
                              : context.handles->refuseBorrow(*resource.handle, type.resource);
  if (refused) {
    context.fail(refused);
    return 0;
  }
  return own ? context.lowerOwn(type.resource, context.handles->takeOwn(*resource.handle))
             : context.lowerBorrow(type.resource, context.handles->borrow(*resource.handle));
}

}  // namespace tenon::abi::detail
