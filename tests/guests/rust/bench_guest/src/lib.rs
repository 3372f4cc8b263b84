//! What the benchmarks call from the host: the cheapest functions that move a number, bytes and
//! a string.
#![cfg_attr(not(feature = "std"), no_std)]
extern crate alloc;
extern crate bare;

use alloc::{string::String, vec::Vec};

wit_bindgen::generate!({ path: "../../wit/bench", world: "bench-guest" });

struct Component;
export!(Component);

impl exports::tenon::bench::guest::Guest for Component {
    fn inc(v: u32) -> u32 {
        v.wrapping_add(1)
    }

    fn echo_bytes(v: Vec<u8>) -> Vec<u8> {
        v
    }

    fn echo_string(v: String) -> String {
        v
    }
}
