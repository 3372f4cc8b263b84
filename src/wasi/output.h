#pragma once

#include <memory>

namespace tenon::net {
class OutputSink;
}  // namespace tenon::net

namespace tenon::wasi {

class Context;

// From now on the component's standard output and error go there; null: where they went before.
// `context`: of newContext, or a copy of one.
void setOutput(Context& context, std::shared_ptr<net::OutputSink> output,
               std::shared_ptr<net::OutputSink> error);

}  // namespace tenon::wasi
