//! Adds up what items cost. Whoever loads it says where the prices come from.

wit_bindgen::generate!({ path: "../wit", world: "cart" });

use demo::shop::prices;

struct Cart;
export!(Cart);

impl Guest for Cart {
    fn total(items: Vec<String>) -> Result<u32, String> {
        let mut sum = 0;
        for item in items {
            match prices::find(&item) {
                Some(offer) => sum += offer.cents,
                None => return Err(item),
            }
        }
        Ok(sum)
    }

    fn watch(item: String) {
        loop {
            prices::find(&item);
        }
    }
}
