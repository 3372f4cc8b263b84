#include "component/wit/wit.h"

#include "component/wit/decode_wit.h"
#include "component/wit/elaborate.h"
#include "component/wit/package_docs.h"
#include "component/wit/wit_json.h"
#include "component/wit/wit_printer.h"

#include <utility>

namespace tenon::component {
namespace {

Result<wit::Model> modelOf(const Component& component) {
  TENON_TRY(const wit::Elaborated elaborated, wit::elaborate(component));
  TENON_TRY(wit::Model model, wit::decodeWit(elaborated));
  const CustomSection* docs = nullptr;
  for (const Definition& definition : component.definitions) {
    const auto* section = std::get_if<CustomSection>(&definition.def);
    if (section == nullptr || section->name != "package-docs") continue;
    if (docs != nullptr) {
      return Error(ErrorCode::MALFORMED, "two package-docs sections", definition.offset);
    }
    docs = section;
    TENON_CHECK(wit::addPackageDocs(section->bytes, model));
  }
  return model;
}

}  // namespace

Result<std::string> printWit(const Component& component) {
  TENON_TRY(const wit::Model model, modelOf(component));
  return wit::WitPrinter(model).print();
}

Result<std::string> printWitJson(const Component& component) {
  TENON_TRY(const wit::Model model, modelOf(component));
  return wit::printJson(model);
}

}  // namespace tenon::component
