//! Starts a chain of components: calls the first link in a loop.
#![cfg_attr(not(feature = "std"), no_std)]
extern crate bare;

wit_bindgen::generate!({ path: "../../wit/bench", world: "chain" });

struct Component;
export!(Component);

impl exports::tenon::bench::run_step::Guest for Component {
    fn run_inc(iterations: u32) -> u32 {
        (0..iterations).fold(0, |v, _| tenon::bench::step::inc(v))
    }
}
