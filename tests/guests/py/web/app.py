"""A web application in Python, on wasi:http itself: a page, JSON, an echo."""

import json

from componentize_py_types import Ok
from wit_world import exports
from wit_world.imports import wasi_http_types as types


def read(request):
    body = request.consume()
    stream = body.stream()
    content = b""
    while True:
        try:
            content += stream.blocking_read(65536)
        except Exception:  # closed: the end
            break
    stream.__exit__(None, None, None)
    types.IncomingBody.finish(body)
    return content


def answer(outparam, status, content, kind="text/plain"):
    response = types.OutgoingResponse(types.Fields.from_list([("content-type", kind.encode())]))
    response.set_status_code(status)
    body = response.body()
    types.ResponseOutparam.set(outparam, Ok(response))
    stream = body.write()
    for at in range(0, len(content), 4096):
        stream.blocking_write_and_flush(content[at:at + 4096])
    stream.__exit__(None, None, None)
    types.OutgoingBody.finish(body, None)


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request, response_out):
        path = request.path_with_query()
        if path == "/":
            answer(response_out, 200, b"Hello from Python\n")
        elif path == "/json":
            name = json.loads(read(request))["name"]
            answer(response_out, 200, json.dumps({"hello": name}).encode(), "application/json")
        elif path == "/echo":
            answer(response_out, 200, read(request))
        elif path == "/raise":
            raise ValueError("on purpose")
        else:
            answer(response_out, 404, b"there is no such path\n")
