#include "component/program/dump.h"

#include <string>
#include <variant>

namespace tenon::component {
namespace {

std::string text(const CoreItem& item) {
  switch (item.kind) {
    case CoreItem::Kind::INSTANCE_EXPORT:
      return "step " + std::to_string(item.index) + " \"" + item.name + "\"";
    case CoreItem::Kind::TRAMPOLINE:
      return "trampoline " + std::to_string(item.index);
    case CoreItem::Kind::ADAPTER:
      return "adapter " + std::to_string(item.index);
  }
  return "?";
}

std::string text(const Options& options) {
  std::string out = "(instance " + std::to_string(options.instance);
  switch (options.encoding) {
    case StringEncoding::UTF8:
      out += " utf8";
      break;
    case StringEncoding::UTF16:
      out += " utf16";
      break;
    case StringEncoding::LATIN1_UTF16:
      out += " latin1+utf16";
      break;
  }
  auto slot = [&](const char* name, uint32_t index) {
    if (index != NONE) out += std::string(" ") + name + " " + std::to_string(index);
  };
  slot("memory", options.memory);
  slot("realloc", options.realloc);
  slot("post-return", options.postReturn);
  slot("callback", options.callback);
  if (options.async) out += " async";
  return out + ")";
}

std::string text(const Trampoline& trampoline) {
  std::string out;
  switch (trampoline.kind) {
    case Trampoline::Kind::LOWER_IMPORT:
      out = "lower import " + std::to_string(trampoline.import) + " " + text(trampoline.options);
      break;
    case Trampoline::Kind::RESOURCE_NEW:
      out = "resource.new " + std::to_string(trampoline.resource);
      break;
    case Trampoline::Kind::RESOURCE_REP:
      out = "resource.rep " + std::to_string(trampoline.resource);
      break;
    case Trampoline::Kind::RESOURCE_DROP:
      out = "resource.drop " + std::to_string(trampoline.resource);
      break;
    case Trampoline::Kind::BUILTIN:
      out = std::string("builtin ") + toString(trampoline.canon) + " " + text(trampoline.options);
      break;
    case Trampoline::Kind::NEVER_CALLED:
      out = "never called";
      break;
    default:
      out = "helper of kind " + std::to_string(static_cast<int>(trampoline.kind));
      break;
  }
  out +=
      " for instance " + std::to_string(trampoline.instance) + " " + toString(trampoline.signature);
  if (trampoline.lateBound) {
    out += " bound after " + std::to_string(trampoline.boundAfter) + " steps";
  }
  return out;
}

void dumpExports(const std::vector<ProgramExport>& exports, const std::string& indent,
                 std::string& out) {
  for (const ProgramExport& entry : exports) {
    out += indent + "export \"" + entry.name + "\" ";
    if (const auto* lifted = std::get_if<LiftedFunction>(&entry.item)) {
      out +=
          toString(lifted->type) + " lifts " + text(lifted->callee) + " " + text(lifted->options);
    } else if (const auto* import = std::get_if<ReexportedImport>(&entry.item)) {
      out += "import " + std::to_string(import->import);
    } else if (const auto* type = std::get_if<ExportedType>(&entry.item)) {
      if (type->type) {
        out += "type " + toString(*type->type);
      } else if (type->resource != NONE) {
        out += "resource " + std::to_string(type->resource);
      } else {
        out += "type";
      }
    } else if (const auto* instance = std::get_if<ExportedInstance>(&entry.item)) {
      out += "instance\n";
      dumpExports(instance->exports, indent + "  ", out);
      continue;
    } else {
      out += std::holds_alternative<ExportedModule>(entry.item) ? "core module" : "component";
    }
    out += "\n";
  }
}

}  // namespace

std::string dump(const Program& program) {
  std::string out;
  auto line = [&](const char* what, size_t index, const std::string& rest) {
    out += std::string(what) + " " + std::to_string(index) + ": " + rest + "\n";
  };
  for (size_t i = 0; i < program.instances.size(); ++i) {
    const InstanceInfo& info = program.instances[i];
    std::string in = info.parent == NONE ? "" : " in " + std::to_string(info.parent);
    line("instance", i, "\"" + info.name + "\"" + in);
  }
  for (size_t i = 0; i < program.imports.size(); ++i) {
    const ImportedFunction& import = program.imports[i];
    line("import", i,
         "\"" + import.interface + "\" \"" + import.name + "\" " + toString(import.type));
  }
  for (size_t i = 0; i < program.resources.size(); ++i) {
    const ResourceInfo& info = program.resources[i];
    std::string origin = info.imported ? "imported from \"" + info.interface + "\""
                                       : "of instance " + std::to_string(info.instance);
    if (info.dtor != NONE) origin += " dtor " + std::to_string(info.dtor);
    line("resource", i, "\"" + info.name + "\" " + origin);
  }
  for (size_t i = 0; i < program.modules.size(); ++i) {
    line("module", i,
         program.modules[i].name + ", " + std::to_string(program.modules[i].bytes.size()) +
             " bytes");
  }
  for (size_t i = 0; i < program.steps.size(); ++i) {
    const InstantiateStep& step = program.steps[i];
    line(
        "step", i,
        "module " + std::to_string(step.module) + " for instance " + std::to_string(step.instance));
    for (const CoreArg& arg : step.args) {
      out += "  \"" + arg.module + "\" \"" + arg.name + "\" = " + text(arg.item) +
             (arg.late ? " late\n" : "\n");
    }
  }
  for (size_t i = 0; i < program.memories.size(); ++i) line("memory", i, text(program.memories[i]));
  for (size_t i = 0; i < program.functions.size(); ++i) {
    line("function", i, text(program.functions[i]));
  }
  for (size_t i = 0; i < program.trampolines.size(); ++i) {
    line("trampoline", i, text(program.trampolines[i]));
  }
  for (size_t i = 0; i < program.adapters.size(); ++i) {
    const Adapter& adapter = program.adapters[i];
    line("adapter", i,
         toString(adapter.type) + " from " + text(adapter.caller) + " to " +
             text(adapter.callee.callee) + " " + text(adapter.callee.options));
  }
  for (const InstanceCall& call : program.calls) {
    out += "calls: instance " + std::to_string(call.caller) + " -> " + std::to_string(call.callee) +
           "\n";
  }
  if (program.control) out += "control: " + text(*program.control) + "\n";
  dumpExports(program.exports, "", out);
  return out;
}

}  // namespace tenon::component
