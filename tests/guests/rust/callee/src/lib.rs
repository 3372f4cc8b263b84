//! The called half of the benchmarks of links: does as little as it can, so that the
//! crossing is what is measured.
#![cfg_attr(not(feature = "std"), no_std)]
extern crate alloc;
extern crate bare;

use alloc::{string::String, vec::Vec};
use core::cell::Cell;

wit_bindgen::generate!({ path: "../../wit/bench", world: "callee" });

use exports::tenon::bench::{api, step};

struct Component;
export!(Component);

struct Meter(Cell<u32>);

impl api::GuestMeter for Meter {
    fn new(start: u32) -> Meter {
        Meter(Cell::new(start))
    }

    fn add(&self, by: u32) -> u32 {
        self.0.set(self.0.get().wrapping_add(by));
        self.0.get()
    }
}

impl api::Guest for Component {
    type Meter = Meter;

    fn inc(v: u32) -> u32 {
        v.wrapping_add(1)
    }

    fn len(v: String) -> u32 {
        v.len() as u32
    }

    fn echo_string(v: String) -> String {
        v
    }

    fn bytes(v: Vec<u8>) -> u32 {
        v.len() as u32
    }

    fn echo_bytes(v: Vec<u8>) -> Vec<u8> {
        v
    }

    fn numbers(v: Vec<u32>) -> u32 {
        v.len() as u32
    }

    fn samples(v: Vec<api::Sample>) -> u32 {
        v.len() as u32
    }

    fn strings(v: Vec<String>) -> u32 {
        v.len() as u32
    }

    fn place(v: api::Order) -> Result<api::Receipt, String> {
        if v.item.is_empty() {
            return Err("the order names no item".into());
        }
        Ok(api::Receipt { number: 1, item: v.item, customer: v.customer })
    }
}

impl step::Guest for Component {
    fn inc(v: u32) -> u32 {
        v.wrapping_add(1)
    }
}
