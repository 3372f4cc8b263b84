#include "base/utf8.h"
#include "component/wit/wave.h"
#include "component/wit/wave_lexer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <type_traits>

namespace tenon::component {
namespace {

class Printer {
 public:
  void value(const Value& value) {
    std::visit([this](const auto& content) { print(content); }, value.storage());
  }

  std::string take() && { return std::move(out_); }

 private:
  void print(bool value) { out_ += value ? "true" : "false"; }

  template <std::integral T>
    requires(!std::same_as<T, bool>)
  void print(T value) {
    number(value);
  }

  template <std::floating_point T>
  void print(T value) {
    if (std::isnan(value)) {
      out_ += "nan";
    } else if (std::isinf(value)) {
      out_ += value < 0 ? "-inf" : "inf";
    } else {
      number(value);
    }
  }

  // The shortest text that reads back as the same number.
  template <typename T>
  void number(T value) {
    std::array<char, 32> buffer;
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    static_cast<void>(error);  // 32 bytes are enough for every number
    out_.append(buffer.data(), end);
  }

  void print(const Char& value) {
    out_ += '\'';
    character(value.code, U'\'');
    out_ += '\'';
  }

  // Bytes that are not UTF-8 (a guest cannot make them, an embedder can) print as U+FFFD.
  void print(const std::string& value) {
    out_ += '"';
    std::string_view rest = value;
    while (!rest.empty()) {
      const Scalar scalar = decodeScalar(rest).value_or(Scalar{0xfffd, 1});
      character(scalar.code, U'"');
      rest.remove_prefix(scalar.length);
    }
    out_ += '"';
  }

  void character(char32_t code, char32_t quote) {
    switch (code) {
      case U'\t':
        out_ += "\\t";
        return;
      case U'\n':
        out_ += "\\n";
        return;
      case U'\r':
        out_ += "\\r";
        return;
      case U'\\':
        out_ += "\\\\";
        return;
      default:
        break;
    }
    if (code == quote) {
      out_ += '\\';
      out_ += static_cast<char>(quote);
    } else if (isHidden(code)) {
      appendEscape(out_, code);
    } else {
      appendScalar(out_, code);
    }
  }

  void items(const std::vector<Value>& items, char open, char close) {
    out_ += open;
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += ", ";
      value(items[i]);
    }
    out_ += close;
  }

  void print(const List& list) { items(list.items, '[', ']'); }
  void print(const Tuple& tuple) { items(tuple.items, '(', ')'); }

  // A field that is `none` is left out.
  void print(const Record& record) {
    out_ += '{';
    bool first = true;
    for (const Field& field : record.fields) {
      const auto* option = field.value.find<Option>();
      if (option != nullptr && !option->value) continue;
      if (!first) out_ += ", ";
      first = false;
      out_ += field.name;
      out_ += ": ";
      value(field.value);
    }
    if (first) out_ += ':';
    out_ += '}';
  }

  void payload(const Box& box) {
    if (!box) return;
    out_ += '(';
    value(*box);
    out_ += ')';
  }

  void caseLabel(const std::string& label) {
    if (isWaveKeyword(label)) out_ += '%';
    out_ += label;
  }

  void print(const Variant& variant) {
    caseLabel(variant.label);
    payload(variant.payload);
  }

  void print(const Enum& value) { caseLabel(value.label); }

  void print(const Option& option) {
    out_ += option.value ? "some" : "none";
    payload(option.value);
  }

  void print(const ResultValue& result) {
    out_ += result.isError ? "err" : "ok";
    payload(result.payload);
  }

  void print(const Flags& flags) {
    out_ += '{';
    for (size_t i = 0; i < flags.labels.size(); ++i) {
      if (i > 0) out_ += ", ";
      out_ += flags.labels[i];
    }
    out_ += '}';
  }

  void print(const Resource& resource) {
    if (resource.handle == nullptr) {
      out_ += "#none";
      return;
    }
    out_ += '#';
    out_ += resource.handle->typeName();
    out_ += '-';
    number(resource.handle->id());
  }

  std::string out_;
};

}  // namespace

std::string printWave(const Value& value) {
  Printer printer;
  printer.value(value);
  return std::move(printer).take();
}

}  // namespace tenon::component
