//! Hands a call on to the next component: a chain of any length is made of it.
#![cfg_attr(not(feature = "std"), no_std)]
extern crate bare;

wit_bindgen::generate!({ path: "../../wit/bench", world: "relay" });

struct Component;
export!(Component);

impl exports::tenon::bench::step::Guest for Component {
    fn inc(v: u32) -> u32 {
        tenon::bench::step::inc(v)
    }
}
