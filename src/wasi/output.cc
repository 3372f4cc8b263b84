#include "wasi/output.h"

#include "wasi/context.h"

#include <utility>

namespace tenon::wasi {

void setOutput(Context& context, std::shared_ptr<net::OutputSink> output,
               std::shared_ptr<net::OutputSink> error) {
  auto& known = static_cast<ContextImpl&>(context);
  if (output) {
    known.output = std::move(output);
    known.outputIsTerminal = false;
  }
  if (error) {
    known.error = std::move(error);
    known.errorIsTerminal = false;
  }
}

}  // namespace tenon::wasi
