#include "run/source.h"

#include "component/validate/validator.h"

#include <utility>

namespace tenon::run {

Result<std::shared_ptr<const Source>> Source::read(std::vector<std::byte> bytes,
                                                   const component::Features& features) {
  std::shared_ptr<Source> source(new Source(std::move(bytes)));
  TENON_TRY(source->definitions_, component::decode(source->bytes_, features));
  TENON_CHECK(component::validate(*source->definitions_, features));
  return std::shared_ptr<const Source>(std::move(source));
}

const engine::Digest::Value& Source::digest() const {
  std::call_once(digested_, [this] {
    engine::Digest digest;
    digest.add(bytes_);
    digest_ = digest.finish();
  });
  return digest_;
}

}  // namespace tenon::run
