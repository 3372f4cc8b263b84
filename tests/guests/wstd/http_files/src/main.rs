//! Serves the files below its first directory, each as a stream that is read while it is sent. What
//! leads out of the directory is the host's to refuse.

use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{
    DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};
use wstd::http::{Body, Error, Method, Request, Response, StatusCode};
use wstd::io::AsyncInputStream;

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

fn short(status: StatusCode) -> Result<Response<Body>, Error> {
    Ok(Response::builder().status(status).body(format!("{status}\n").into())?)
}

#[wstd::http_server]
async fn main(request: Request<Body>) -> Result<Response<Body>, Error> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return short(StatusCode::METHOD_NOT_ALLOWED);
    }
    let path = request.uri().path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    let Some((directory, _)) = get_directories().into_iter().next() else {
        return short(StatusCode::SERVICE_UNAVAILABLE);
    };
    let opened = directory.open_at(
        PathFlags::SYMLINK_FOLLOW,
        path,
        OpenFlags::empty(),
        DescriptorFlags::READ,
    );
    let file = match opened {
        Ok(file) => file,
        Err(ErrorCode::NotPermitted | ErrorCode::Access) => return short(StatusCode::FORBIDDEN),
        Err(_) => return short(StatusCode::NOT_FOUND),
    };
    let stat = file.stat()?;
    if stat.type_ != DescriptorType::RegularFile {
        return short(StatusCode::NOT_FOUND);
    }
    let response = Response::builder()
        .header("content-type", media_type(path))
        .header("content-length", stat.size);
    if request.method() == Method::HEAD {
        return Ok(response.body(Body::empty())?);
    }
    Ok(response.body(AsyncInputStream::new(file.read_via_stream(0)?).into())?)
}
