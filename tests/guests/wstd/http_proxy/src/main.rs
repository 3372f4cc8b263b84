//! Passes every request on to the server that UPSTREAM names (http://HOST:PORT) and its answer back.
//! Bodies are streams both ways: nothing is collected.

use wstd::http::{Body, Client, Error, Request, Response, StatusCode, Uri};

#[wstd::http_server]
async fn main(request: Request<Body>) -> Result<Response<Body>, Error> {
    let upstream = std::env::var("UPSTREAM").expect("UPSTREAM names the server behind");
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let uri: Uri = format!("{upstream}{path}").parse()?;
    let (parts, body) = request.into_parts();
    let mut onward = Request::builder().method(parts.method).uri(uri);
    onward.headers_mut().unwrap().extend(parts.headers);
    let answer = match Client::new().send(onward.body(body)?).await {
        Ok(answer) => answer,
        Err(error) => {
            eprintln!("proxy: {error:#}");
            let response = Response::builder().status(StatusCode::BAD_GATEWAY);
            return Ok(response.body(format!("{error}\n").into())?);
        }
    };
    let (parts, body) = answer.into_parts();
    let mut response = Response::builder().status(parts.status).header("via", "1.1 tenon");
    response.headers_mut().unwrap().extend(parts.headers);
    Ok(response.body(body)?)
}
