addEventListener("fetch", (event) => event.respondWith(answer(event.request)));
async function answer(request) {
  const url = new URL(request.url);
  if (url.pathname === "/json") {
    const body = await request.json();
    return Response.json({ hello: body.name, method: request.method });
  }
  if (url.pathname === "/fetch") {
    const response = await fetch(url.searchParams.get("url"));
    return new Response(await response.text(), { status: response.status, headers: { "x-through": "js" } });
  }
  return new Response("Hello from JavaScript\n", { headers: { "content-type": "text/plain" } });
}
