#pragma once

// From a component's elaborated imports and exports to WIT. An import or export under a name like
// `wasi:io/streams@0.2.0` becomes an interface of a package of that name; what several imports and
// exports show of one interface is put together. A type that another one was made from becomes an
// alias, or a `use` when the two are in different interfaces.
//
// The result, its order included, is that of `wit-parser` 0.263.0.

#include "component/wit/elaborate.h"
#include "component/wit/model.h"

#include <tenon/result.h>

namespace tenon::component::wit {

// `elaborated` may be dropped after; the names of the model borrow from the component's bytes.
// Errors: UNSUPPORTED when WIT has no way to write it; LIMIT_EXCEEDED; INVALID for a name that is
// none.
Result<Model> decodeWit(const Elaborated& elaborated);

}  // namespace tenon::component::wit
