//! A page with notes, and its JSON API: GET and POST /api/notes, DELETE /api/notes/ID. What keeps
//! the notes is another component.

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::*;
use wasip2::io::streams::StreamError;

wit_bindgen::generate!({ path: "../wit", world: "front" });

use webapp::notes::notes::{self, Note};

const PAGE: &str = include_str!("page.html");
const MAX_TEXT: usize = 10_000;

struct Front;

/// `text` as a JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            c if c < ' ' => out += &format!("\\u{:04x}", c as u32),
            c => out.push(c),
        }
    }
    out + "\""
}

fn json(note: &Note) -> String {
    format!("{{\"id\": {}, \"text\": {}}}", note.id, quoted(&note.text))
}

/// The body of a request as text; `Err` is a status.
fn read(request: &IncomingRequest) -> Result<String, u16> {
    let body = request.consume().map_err(|_| 400u16)?;
    let stream = body.stream().map_err(|_| 400u16)?;
    let mut content = Vec::new();
    loop {
        match stream.blocking_read(16 * 1024) {
            Ok(bytes) => content.extend(bytes),
            Err(StreamError::Closed) => break,
            Err(_) => return Err(400),
        }
        if content.len() > MAX_TEXT {
            return Err(413);
        }
    }
    String::from_utf8(content).map_err(|_| 400)
}

fn respond(outparam: ResponseOutparam, status: u16, kind: &str, content: &str) {
    let headers = [("content-type".to_string(), kind.as_bytes().to_vec())];
    let response = OutgoingResponse::new(Fields::from_list(&headers).unwrap());
    response.set_status_code(status).unwrap();
    let body = response.body().unwrap();
    ResponseOutparam::set(outparam, Ok(response));
    let stream = body.write().unwrap();
    for chunk in content.as_bytes().chunks(4096) {
        if stream.blocking_write_and_flush(chunk).is_err() {
            return; // the client has gone
        }
    }
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}

/// Status, kind and content.
fn answer(request: &IncomingRequest) -> (u16, &'static str, String) {
    const JSON: &str = "application/json";
    const TEXT: &str = "text/plain; charset=utf-8";
    let target = request.path_with_query().unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    match (request.method(), path) {
        (Method::Get, "/") => (200, "text/html; charset=utf-8", PAGE.into()),
        (Method::Get, "/api/notes") => {
            let all: Vec<String> = notes::all().iter().map(json).collect();
            (200, JSON, format!("[{}]", all.join(", ")))
        }
        (Method::Post, "/api/notes") => match read(request) {
            Ok(text) if text.trim().is_empty() => (400, TEXT, "a note needs a text\n".into()),
            Ok(text) => match notes::add(text.trim()) {
                Ok(note) => (201, JSON, json(&note)),
                Err(error) => (507, TEXT, error + "\n"),
            },
            Err(status) => (status, TEXT, "this is no text\n".into()),
        },
        (Method::Delete, path) if path.starts_with("/api/notes/") => {
            let id = path["/api/notes/".len()..].parse().unwrap_or(0);
            match notes::remove(id) {
                true => (200, JSON, format!("{{\"removed\": {id}}}")),
                false => (404, TEXT, "there is no such note\n".into()),
            }
        }
        _ => (404, TEXT, "there is no such page\n".into()),
    }
}

impl Guest for Front {
    fn handle(request: IncomingRequest, outparam: ResponseOutparam) {
        let (status, kind, content) = answer(&request);
        respond(outparam, status, kind, &content);
    }
}

wasip2::http::proxy::export!(Front);
