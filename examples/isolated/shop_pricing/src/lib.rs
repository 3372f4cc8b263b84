//! Prices of articles. It has two bugs: it traps on one article, and never comes back from another.

wit_bindgen::generate!({ path: "../wit", world: "pricing", generate_all });

use exports::shop::pricing::quote::{Error, Guest};

const PRICES: [(&str, u32); 2] = [("tea", 250), ("cake", 420)];

struct Pricing;
export!(Pricing);

impl Guest for Pricing {
    fn price(article: String) -> Result<u32, Error> {
        let mut at = 0;
        if article == "maze" {
            while PRICES[at % 2].0 != article {
                at = std::hint::black_box(at + 1);
            }
        }
        // Beyond the end for an article that is not there.
        while PRICES[at].0 != article {
            at += 1;
        }
        Ok(PRICES[at].1)
    }
}
