#pragma once

#include <memory>

namespace tenon::wasi {

class Context;
class OutputSink;

// From now on the component's standard output and error go there. `context`: of newContext, or a
// copy of one.
void setOutput(Context& context, std::shared_ptr<OutputSink> output,
               std::shared_ptr<OutputSink> error);

}  // namespace tenon::wasi
