//! Does what its path says, good and bad, for the tests in tests/http.

use std::sync::atomic::{AtomicU32, Ordering};

use wasip2::clocks::monotonic_clock;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::outgoing_handler;
use wasip2::http::types::*;
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

struct Web;

static SERVED: AtomicU32 = AtomicU32::new(0);

const MILLISECOND: u64 = 1_000_000;

fn fields(pairs: &[(&str, &str)]) -> Fields {
    let list: Vec<_> = pairs.iter().map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect();
    Fields::from_list(&list).unwrap()
}

/// Begins a response; the rest is up to the caller.
fn begin(outparam: ResponseOutparam, status: u16, headers: Fields) -> (OutgoingBody, OutputStream) {
    let response = OutgoingResponse::new(headers);
    response.set_status_code(status).unwrap();
    let body = response.body().unwrap();
    ResponseOutparam::set(outparam, Ok(response));
    let stream = body.write().unwrap();
    (body, stream)
}

fn write_all(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        let permit = stream.check_write()? as usize;
        if permit == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, later) = bytes.split_at(bytes.len().min(permit));
        stream.write(now)?;
        bytes = later;
    }
    Ok(())
}

fn text(outparam: ResponseOutparam, status: u16, content: &str) {
    let (body, stream) = begin(outparam, status, fields(&[("content-type", "text/plain")]));
    write_all(&stream, content.as_bytes()).unwrap();
    drop(stream);
    OutgoingBody::finish(body, None).unwrap();
}

fn read_all(stream: &InputStream) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    loop {
        match stream.blocking_read(65536) {
            Ok(bytes) => all.extend(bytes),
            Err(StreamError::Closed) => return Ok(all),
            Err(StreamError::LastOperationFailed(e)) => {
                let code = http_error_code(&e);
                return Err(format!("{code:?}"));
            }
        }
    }
}

fn copy(from: &InputStream, to: &OutputStream) -> Result<u64, String> {
    let mut total = 0;
    loop {
        match to.blocking_splice(from, 1 << 20) {
            Ok(count) => total += count,
            Err(StreamError::Closed) => return Ok(total),
            Err(e) => return Err(format!("{e:?}")),
        }
    }
}

fn mark_of(value: u64) -> u64 {
    value.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Fills 1 MiB, which stays; returns how many marks those are.
fn mark(value: u64) -> usize {
    let marks = vec![mark_of(value); 1 << 17];
    std::hint::black_box(marks).leak().len()
}

/// How many marks are anywhere in the memory.
fn search(value: u64) -> usize {
    // The mark itself is nowhere.
    let wanted = std::hint::black_box(mark_of(value).wrapping_mul(3));
    let words = std::arch::wasm32::memory_size(0) * 65536 / 8;
    (1..words)
        .map(|word| unsafe { std::ptr::read_volatile((word * 8) as *const u64) })
        .filter(|word| word.wrapping_mul(3) == wanted)
        .count()
}

/// "name=value" of a query.
fn parameter(query: &str, name: &str) -> Option<String> {
    let found = query.split('&').find_map(|item| item.strip_prefix(&format!("{name}=")))?;
    Some(found.replace("%2F", "/").replace("%3A", ":").replace("%3F", "?"))
}

fn number(query: &str, name: &str, default: u64) -> u64 {
    parameter(query, name).and_then(|v| v.parse().ok()).unwrap_or(default)
}

fn sleep(milliseconds: u64) {
    monotonic_clock::subscribe_duration(milliseconds * MILLISECOND).block();
}

fn show_fields(fields: &Fields) -> String {
    let mut lines: Vec<String> = fields
        .entries()
        .into_iter()
        .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(&value)))
        .collect();
    lines.sort();
    lines.concat()
}

fn trailers_of(body: IncomingBody) -> String {
    let future = IncomingBody::finish(body);
    loop {
        match future.get() {
            None => future.subscribe().block(),
            Some(Ok(Ok(Some(trailers)))) => return show_fields(&trailers),
            Some(Ok(Ok(None))) => return String::new(),
            Some(other) => return format!("{:?}", other.map(|r| r.map(|_| ()))),
        }
    }
}

/// Asks another server; `url` is http://host:port/path.
fn fetch(method: &Method, url: &str, query: &str, request_body: Option<&InputStream>)
    -> Result<IncomingResponse, ErrorCode> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let request = OutgoingRequest::new(fields(&[("x-from", "tenon")]));
    request.set_method(method).unwrap();
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    request.set_scheme(Some(&scheme)).unwrap();
    request.set_authority(Some(authority)).unwrap();
    request.set_path_with_query(Some(path)).unwrap();
    let options = RequestOptions::new();
    let milliseconds = |name| match number(query, name, 0) {
        0 => None,
        n => Some(n * MILLISECOND),
    };
    options.set_connect_timeout(milliseconds("connect")).unwrap();
    options.set_first_byte_timeout(milliseconds("first")).unwrap();
    options.set_between_bytes_timeout(milliseconds("between")).unwrap();
    let body = request.body().unwrap();
    let response = outgoing_handler::handle(request, Some(options))?;
    {
        let stream = body.write().unwrap();
        if let Some(source) = request_body {
            let _ = copy(source, &stream);
        }
    }
    let trailers = parameter(query, "trailer").map(|t| fields(&[("x-trailer", &t)]));
    OutgoingBody::finish(body, trailers)?;
    loop {
        match response.get() {
            None => response.subscribe().block(),
            Some(result) => return result.unwrap(),
        }
    }
}

fn proxy(request: IncomingRequest, outparam: ResponseOutparam, query: &str) {
    let url = parameter(query, "url").unwrap();
    let incoming = request.consume().unwrap();
    let source = incoming.stream().unwrap();
    let response = match fetch(&request.method(), &url, query, Some(&source)) {
        Ok(response) => response,
        Err(code) if query.contains("pass") => return ResponseOutparam::set(outparam, Err(code)),
        Err(code) => return text(outparam, 502, &format!("{code:?}\n")),
    };
    let headers = response.headers().clone();
    let _ = headers.set("x-proxy", &[b"tenon".to_vec()]);
    let answer = response.consume().unwrap();
    let (body, stream) = begin(outparam, response.status(), headers);
    let from = answer.stream().unwrap();
    let copied = copy(&from, &stream);
    drop(from);
    let trailers = trailers_of(answer);
    if let Err(error) = copied {
        eprintln!("proxy: {error}");
        return; // the response breaks off
    }
    drop(stream);
    let trailers = match trailers.as_str() {
        "" => None,
        all => Some(fields(&[("x-upstream-trailers", all.trim())])),
    };
    OutgoingBody::finish(body, trailers).unwrap();
}

impl Guest for Web {
    fn handle(request: IncomingRequest, outparam: ResponseOutparam) {
        let served = SERVED.fetch_add(1, Ordering::Relaxed) + 1;
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        match path {
            "/" => text(outparam, 200, "Hello from the web\n"),
            "/request" => {
                let shown = format!(
                    "{:?} {target}\nscheme {:?}\nauthority {:?}\n{}",
                    request.method(),
                    request.scheme(),
                    request.authority(),
                    show_fields(&request.headers())
                );
                text(outparam, 200, &shown);
            }
            "/status" => text(outparam, number(query, "code", 200) as u16, "status\n"),
            "/served" => text(outparam, 200, &format!("{served}\n")),
            "/echo" => {
                let incoming = request.consume().unwrap();
                let source = incoming.stream().unwrap();
                let (body, stream) = begin(outparam, 200, Fields::new());
                let copied = copy(&source, &stream);
                drop(source);
                drop(stream);
                if let Err(error) = copied {
                    eprintln!("echo: {error}");
                    return;
                }
                let trailers = trailers_of(incoming);
                let trailers = match trailers.as_str() {
                    "" => None,
                    all => Some(fields(&[("x-trailers", all.trim())])),
                };
                OutgoingBody::finish(body, trailers).unwrap();
            }
            "/length" => {
                let incoming = request.consume().unwrap();
                let answer = match read_all(&incoming.stream().unwrap()) {
                    Ok(bytes) => format!("{} bytes\n", bytes.len()),
                    Err(error) => format!("{error}\n"),
                };
                text(outparam, 200, &answer);
            }
            "/bytes" => {
                let mut left = number(query, "n", 1000);
                let (body, stream) = begin(outparam, 200, Fields::new());
                let chunk = vec![b'x'; 65536];
                while left > 0 {
                    let count = left.min(chunk.len() as u64) as usize;
                    if write_all(&stream, &chunk[..count]).is_err() {
                        return;
                    }
                    left -= count as u64;
                }
                drop(stream);
                OutgoingBody::finish(body, None).unwrap();
            }
            "/ticks" => {
                let (body, stream) = begin(outparam, 200, Fields::new());
                for i in 0..number(query, "n", 3) {
                    stream.blocking_write_and_flush(format!("tick {i}\n").as_bytes()).unwrap();
                    sleep(number(query, "ms", 50));
                }
                drop(stream);
                OutgoingBody::finish(body, None).unwrap();
            }
            "/trailers" => {
                let (body, stream) = begin(outparam, 200, fields(&[("trailer", "x-sum")]));
                write_all(&stream, b"content\n").unwrap();
                drop(stream);
                OutgoingBody::finish(body, Some(fields(&[("x-sum", "42")]))).unwrap();
            }
            "/sleep" => {
                sleep(number(query, "ms", 100));
                text(outparam, 200, "slept\n");
            }
            "/early" => text(outparam, 200, "did not read\n"),
            "/after" => {
                text(outparam, 200, "answered\n");
                sleep(number(query, "ms", 100));
                eprintln!("after the answer");
            }
            "/stdout" => {
                println!("to stdout");
                eprintln!("to stderr");
                text(outparam, 200, "written\n");
            }
            "/noise" => {
                eprintln!("{}", "\x1b".repeat(number(query, "n", 1) as usize));
                text(outparam, 200, "written\n");
            }
            "/print" => {
                for i in 0..number(query, "n", 1) {
                    eprintln!("line {i} {}", "x".repeat(50));
                }
                text(outparam, 200, "written\n");
            }
            "/env" => {
                let mut all: Vec<_> = std::env::vars().map(|(k, v)| format!("{k}={v}\n")).collect();
                all.sort();
                text(outparam, 200, &all.concat());
            }
            "/file" => {
                let name = parameter(query, "name").unwrap();
                match std::fs::read_to_string(&name) {
                    Ok(content) => text(outparam, 200, &content),
                    Err(error) => text(outparam, 404, &format!("{error}\n")),
                }
            }
            "/write" => {
                let name = parameter(query, "name").unwrap();
                let result = std::fs::write(&name, vec![b'x'; number(query, "n", 1) as usize]);
                match result {
                    Ok(()) => text(outparam, 200, "written\n"),
                    Err(error) => text(outparam, 507, &format!("{error}\n")),
                }
            }
            "/open" => {
                let name = parameter(query, "name").unwrap();
                let mut open = Vec::new();
                let mut shown = "all open\n".to_string();
                for _ in 0..number(query, "n", 1) {
                    match std::fs::File::open(&name) {
                        Ok(file) => open.push(file),
                        Err(error) => {
                            shown = format!("{error}\n");
                            break;
                        }
                    }
                }
                text(outparam, 200, &shown);
            }
            "/mark" => {
                let count = mark(number(query, "value", 1));
                text(outparam, 200, &format!("{count} marks\n"));
            }
            "/search" => {
                let count = search(number(query, "value", 1));
                text(outparam, 200, &format!("{count} marks\n"));
            }
            // -- What goes wrong
            "/mark-and-trap" => {
                mark(number(query, "value", 1));
                panic!("on purpose");
            }
            "/drop" => drop(outparam),
            "/return" => std::mem::forget(outparam),
            "/error" => ResponseOutparam::set(
                outparam,
                Err(ErrorCode::InternalError(Some("on purpose".into()))),
            ),
            "/error-timeout" => ResponseOutparam::set(outparam, Err(ErrorCode::ConnectionTimeout)),
            "/trap" => panic!("on purpose"),
            "/trap-after-begin" => {
                let (_body, stream) = begin(outparam, 200, Fields::new());
                let _ = stream.blocking_write_and_flush(b"half");
                panic!("on purpose");
            }
            "/trap-in-body" => {
                let (_body, stream) = begin(outparam, 200, Fields::new());
                let _ = stream.blocking_write_and_flush(b"half");
                sleep(50);
                panic!("on purpose");
            }
            "/trap-after-end" => {
                text(outparam, 200, "all of it\n");
                panic!("on purpose");
            }
            "/unfinished" => {
                let (_body, stream) = begin(outparam, 200, Fields::new());
                let _ = stream.blocking_write_and_flush(b"half");
                sleep(20);
            }
            "/too-long" => {
                let (body, stream) = begin(outparam, 200, fields(&[("content-length", "5")]));
                sleep(20);
                let result = write_all(&stream, b"too much");
                eprintln!("too-long: {}", result.is_err());
                drop(stream);
                let _ = OutgoingBody::finish(body, None);
            }
            "/too-short" => {
                let (body, stream) = begin(outparam, 200, fields(&[("content-length", "50")]));
                write_all(&stream, b"little").unwrap();
                drop(stream);
                sleep(20);
                eprintln!("too-short: {:?}", OutgoingBody::finish(body, None));
            }
            "/spin" => loop {
                std::hint::black_box(served);
            },
            "/never" => sleep(1 << 40),
            "/allocate" => {
                let mut all: Vec<Vec<u8>> = Vec::new();
                loop {
                    all.push(vec![1; 1 << 20]);
                    std::hint::black_box(&all);
                }
            }
            "/twice" => {
                let (body, _stream) = {
                    // The handle is used again although it was given away.
                    let handle = outparam.handle();
                    let pair = begin(outparam, 200, Fields::new());
                    let again = unsafe { ResponseOutparam::from_handle(handle) };
                    ResponseOutparam::set(again, Ok(OutgoingResponse::new(Fields::new())));
                    pair
                };
                drop(body);
            }
            "/overdraw" => {
                let (_body, stream) = begin(outparam, 200, Fields::new());
                // More than was permitted: nothing was asked.
                let _ = stream.write(b"overdrawn");
            }
            // Parents that go before their children.
            "/orphan-headers" => {
                let headers = request.headers();
                drop(request);
                drop(headers);
            }
            "/orphan-stream" => {
                let incoming = request.consume().unwrap();
                let stream = incoming.stream().unwrap();
                let future = IncomingBody::finish(incoming);
                drop((stream, future));
            }
            "/orphan-body" => {
                let response = OutgoingResponse::new(Fields::new());
                let body = response.body().unwrap();
                let stream = body.write().unwrap();
                drop(body);
                drop((stream, response));
            }
            "/bare" => {
                // Nothing is set but what has no default; the answer is looked at twice.
                let request = OutgoingRequest::new(Fields::new());
                request.set_scheme(Some(&Scheme::Http)).unwrap();
                request.set_authority(parameter(query, "authority").as_deref()).unwrap();
                let body = request.body().unwrap();
                let future = outgoing_handler::handle(request, None).unwrap();
                OutgoingBody::finish(body, None).unwrap();
                let early = future.get().is_some();
                let pollable = future.subscribe();
                pollable.block();
                let ready = pollable.ready();
                let status = future.get().unwrap().unwrap().map(|r| r.status());
                let again = future.get().map(|r| r.is_err());
                text(outparam, 200, &format!("{early} {ready} {status:?} {again:?}\n"));
            }
            "/casing" => {
                let headers = fields(&[("X-cASE", "1"), ("x-Case", "2"), ("ETag", "\"3\"")]);
                let (body, stream) = begin(outparam, 200, headers);
                drop(stream);
                OutgoingBody::finish(body, Some(fields(&[("X-tRAILER", "4")]))).unwrap();
            }
            "/exit" => std::process::exit(3),
            "/forbidden" => {
                let headers = Fields::new();
                let mut shown = String::new();
                for (name, value) in [
                    ("connection", "close"), ("transfer-encoding", "chunked"), ("host", "x"),
                    ("bad name", "x"), ("x-ok", "bad\nvalue"), ("x-ok", "good"),
                ] {
                    let result = headers.append(name, value.as_bytes());
                    shown += &format!("{name}: {result:?}\n");
                }
                let immutable = request.headers().append("x", b"y");
                shown += &format!("immutable: {immutable:?}\n");
                text(outparam, 200, &shown);
            }
            "/proxy" => proxy(request, outparam, query),
            _ => text(outparam, 404, "there is no such path\n"),
        }
    }
}

wasip2::http::proxy::export!(Web);
