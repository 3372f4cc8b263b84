//! The page of a shop: a line for each article that the path names (`/tea,cake`), with its price or
//! why there is none. Prices come from another component, which may fail: the page goes on.

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::*;

wit_bindgen::generate!({ path: "../wit", world: "page", generate_all });

use shop::pricing::quote;

const ARTICLES: &str = "tea,cursed,maze,cake";

struct Page;

fn line(article: &str) -> String {
    match quote::price(article) {
        Ok(cents) => format!("{article}: {}.{:02}\n", cents / 100, cents % 100),
        Err(error) => format!("{article}: no price, {}\n", error.to_debug_string()),
    }
}

impl Guest for Page {
    fn handle(request: IncomingRequest, outparam: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let asked = target.trim_start_matches('/');
        let articles = if asked.is_empty() { ARTICLES } else { asked };
        let content: String = articles.split(',').take(20).map(line).collect();
        let headers = [("content-type".to_string(), b"text/plain; charset=utf-8".to_vec())];
        let response = OutgoingResponse::new(Fields::from_list(&headers).unwrap());
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
}

wasip2::http::proxy::export!(Page);
