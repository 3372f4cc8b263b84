// Answers HTTP requests from C++, by the C bindings of wit-bindgen: "/" greets, "/upper" gives the
// request's body back in capitals while it arrives, "/method" names the method.

#include "web.h"

#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using Request = wasi_http_types_own_incoming_request_t;
using Outparam = wasi_http_types_own_response_outparam_t;

// Bindings take text that they do not change, but say so nowhere.
uint8_t* bytesOf(std::string_view text) {
  return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
}

std::string take(web_string_t text) {
  std::string copy(reinterpret_cast<char*>(text.ptr), text.len);
  web_string_free(&text);
  return copy;
}

class Response {
 public:
  Response(Outparam outparam, uint16_t status, std::string_view type) {
    std::string_view name = "content-type";
    wasi_http_types_tuple2_field_name_field_value_t field{{bytesOf(name), name.size()},
                                                          {bytesOf(type), type.size()}};
    wasi_http_types_list_tuple2_field_name_field_value_t fields{&field, 1};
    wasi_http_types_own_fields_t headers;
    wasi_http_types_header_error_t invalid;
    if (!wasi_http_types_static_fields_from_list(&fields, &headers, &invalid)) std::abort();
    wasi_http_types_result_own_outgoing_response_error_code_t result{};
    result.val.ok = wasi_http_types_constructor_outgoing_response(headers);
    auto response = wasi_http_types_borrow_outgoing_response(result.val.ok);
    if (!wasi_http_types_method_outgoing_response_set_status_code(response, status)) std::abort();
    if (!wasi_http_types_method_outgoing_response_body(response, &body_)) std::abort();
    auto body = wasi_http_types_borrow_outgoing_body(body_);
    if (!wasi_http_types_method_outgoing_body_write(body, &stream_)) std::abort();
    wasi_http_types_static_response_outparam_set(outparam, &result);
  }

  // False: nobody takes it any more.
  bool write(std::string_view text) {
    constexpr size_t MOST = 4096;  // of one blocking write
    auto stream = wasi_io_streams_borrow_output_stream(stream_);
    while (!text.empty()) {
      std::string_view part = text.substr(0, MOST);
      web_list_u8_t bytes{bytesOf(part), part.size()};
      wasi_io_streams_stream_error_t error;
      if (!wasi_io_streams_method_output_stream_blocking_write_and_flush(stream, &bytes, &error)) {
        wasi_io_streams_stream_error_free(&error);
        return false;
      }
      text.remove_prefix(part.size());
    }
    return true;
  }

  void finish() {
    wasi_io_streams_output_stream_drop_own(stream_);
    wasi_http_types_error_code_t error;
    if (!wasi_http_types_static_outgoing_body_finish(body_, nullptr, &error)) std::abort();
  }

 private:
  wasi_http_types_own_outgoing_body_t body_;
  wasi_io_streams_own_output_stream_t stream_;
};

// Calls `use` with each piece of the body as it arrives, until that returns false. False: the body
// broke off.
template <typename Use>
bool readBody(Request request, Use use) {
  wasi_http_types_own_incoming_body_t body;
  wasi_io_streams_own_input_stream_t stream;
  if (!wasi_http_types_method_incoming_request_consume(
          wasi_http_types_borrow_incoming_request(request), &body) ||
      !wasi_http_types_method_incoming_body_stream(wasi_http_types_borrow_incoming_body(body),
                                                   &stream)) {
    std::abort();
  }
  bool whole = false;
  while (true) {
    web_list_u8_t bytes;
    wasi_io_streams_stream_error_t error;
    if (!wasi_io_streams_method_input_stream_blocking_read(
            wasi_io_streams_borrow_input_stream(stream), 65536, &bytes, &error)) {
      whole = error.tag == WASI_IO_STREAMS_STREAM_ERROR_CLOSED;
      wasi_io_streams_stream_error_free(&error);
      break;
    }
    std::string piece(reinterpret_cast<char*>(bytes.ptr), bytes.len);
    web_list_u8_free(&bytes);
    if (!use(piece)) break;
  }
  wasi_io_streams_input_stream_drop_own(stream);
  wasi_http_types_incoming_body_drop_own(body);
  return whole;
}

std::string methodOf(Request request) {
  constexpr const char* NAMES[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                   "CONNECT", "OPTIONS", "TRACE", "PATCH"};
  wasi_http_types_method_t method;
  wasi_http_types_method_incoming_request_method(wasi_http_types_borrow_incoming_request(request),
                                                 &method);
  if (method.tag < std::size(NAMES)) return NAMES[method.tag];
  return take(method.val.other);
}

}  // namespace

void exports_wasi_http_incoming_handler_handle(Request request, Outparam outparam) {
  web_string_t target{};
  std::string path;
  if (wasi_http_types_method_incoming_request_path_with_query(
          wasi_http_types_borrow_incoming_request(request), &target)) {
    path = take(target);
  }
  if (path == "/upper") {
    Response response(outparam, 200, "text/plain");
    bool whole = readBody(request, [&](std::string& piece) {
      for (char& c : piece) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
      return response.write(piece);
    });
    if (whole) response.finish();
  } else {
    bool known = path == "/" || path == "/method";
    Response response(outparam, known ? 200 : 404, "text/plain");
    bool written = response.write(path == "/"         ? "Hello from C++\n"
                                  : path == "/method" ? methodOf(request) + "\n"
                                                      : "there is no such path\n");
    if (written) response.finish();
  }
  wasi_http_types_incoming_request_drop_own(request);
}
