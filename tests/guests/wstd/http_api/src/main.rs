//! A JSON API: `GET /books`, `GET /books?author=NAME`, `GET /books/ID`, and `POST /statistics` with
//! `{"values": [1, 2, 3]}`. Errors are JSON too.

use serde::{Deserialize, Serialize};
use wstd::http::{Body, Error, Method, Request, Response, StatusCode};

#[derive(Serialize)]
struct Book {
    id: u32,
    author: &'static str,
    title: &'static str,
}

const BOOKS: [Book; 3] = [
    Book { id: 1, author: "Lovelace", title: "Notes on the Analytical Engine" },
    Book { id: 2, author: "Hopper", title: "The Education of a Computer" },
    Book { id: 3, author: "Lovelace", title: "Letters" },
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Series {
    values: Vec<f64>,
}

#[derive(Serialize)]
struct Statistics {
    count: usize,
    sum: f64,
    mean: Option<f64>,
}

#[derive(Serialize)]
struct Failure {
    error: String,
}

fn json<T: Serialize>(status: StatusCode, value: &T) -> Result<Response<Body>, Error> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    Ok(response.body(serde_json::to_vec(value)?.into())?)
}

fn fail(status: StatusCode, error: impl Into<String>) -> Result<Response<Body>, Error> {
    json(status, &Failure { error: error.into() })
}

async fn statistics(mut request: Request<Body>) -> Result<Response<Body>, Error> {
    let series: Series = match serde_json::from_slice(request.body_mut().contents().await?) {
        Ok(series) => series,
        Err(error) => return fail(StatusCode::BAD_REQUEST, error.to_string()),
    };
    let (count, sum) = (series.values.len(), series.values.iter().sum::<f64>());
    let mean = (count > 0).then(|| sum / count as f64);
    json(StatusCode::OK, &Statistics { count, sum, mean })
}

#[wstd::http_server]
async fn main(request: Request<Body>) -> Result<Response<Body>, Error> {
    let uri = request.uri().clone();
    let author = uri.query().and_then(|query| query.strip_prefix("author="));
    match (request.method(), uri.path()) {
        (&Method::GET, "/books") => {
            let found: Vec<&Book> = BOOKS
                .iter()
                .filter(|book| author.is_none_or(|wanted| book.author == wanted))
                .collect();
            json(StatusCode::OK, &found)
        }
        (&Method::GET, path) if path.starts_with("/books/") => {
            let id = path["/books/".len()..].parse::<u32>().ok();
            match BOOKS.iter().find(|book| Some(book.id) == id) {
                Some(book) => json(StatusCode::OK, book),
                None => fail(StatusCode::NOT_FOUND, "there is no such book"),
            }
        }
        (&Method::POST, "/statistics") => statistics(request).await,
        (_, "/books" | "/statistics") => {
            fail(StatusCode::METHOD_NOT_ALLOWED, "this method is not allowed here")
        }
        _ => fail(StatusCode::NOT_FOUND, "there is no such path"),
    }
}
