//! What three items cost.

wit_bindgen::generate!({ path: "../wit", world: "shelf" });

use exports::demo::shop::prices::{Guest, Offer};

struct Shelf;
export!(Shelf);

impl Guest for Shelf {
    fn find(item: String) -> Option<Offer> {
        let cents = match item.as_str() {
            "apple" => 50,
            "bread" => 320,
            "tea" => 899,
            _ => return None,
        };
        Some(Offer { cents, seller: "shelf".into() })
    }
}
