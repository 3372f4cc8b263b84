//! The calling half of the benchmarks of links: each export calls one import in a loop.
#![cfg_attr(not(feature = "std"), no_std)]
extern crate alloc;
extern crate bare;

use alloc::{string::String, vec, vec::Vec};
use core::hint::black_box;

wit_bindgen::generate!({ path: "../../wit/bench", world: "caller" });

use tenon::bench::api;

struct Component;
export!(Component);

fn text(size: u32) -> String {
    "0123456789abcdef".chars().cycle().take(size as usize).collect()
}

fn sum(iterations: u32, mut call: impl FnMut() -> u64) -> u64 {
    let mut sum = 0u64;
    for _ in 0..iterations {
        sum = sum.wrapping_add(call());
    }
    sum
}

impl exports::tenon::bench::run::Guest for Component {
    fn run_nothing(iterations: u32, _: u32) -> u64 {
        sum(iterations, || black_box(1))
    }

    fn run_inc(iterations: u32, _: u32) -> u64 {
        let mut v = 0;
        sum(iterations, || {
            v = api::inc(v);
            v.into()
        })
    }

    fn run_len(iterations: u32, size: u32) -> u64 {
        let v = text(size);
        sum(iterations, || api::len(&v).into())
    }

    fn run_echo_string(iterations: u32, size: u32) -> u64 {
        let v = text(size);
        sum(iterations, || api::echo_string(&v).len() as u64)
    }

    fn run_bytes(iterations: u32, size: u32) -> u64 {
        let v = vec![7u8; size as usize];
        sum(iterations, || api::bytes(&v).into())
    }

    fn run_echo_bytes(iterations: u32, size: u32) -> u64 {
        let v = vec![7u8; size as usize];
        sum(iterations, || api::echo_bytes(&v).len() as u64)
    }

    fn run_numbers(iterations: u32, size: u32) -> u64 {
        let v: Vec<u32> = (0..size).collect();
        sum(iterations, || api::numbers(&v).into())
    }

    fn run_samples(iterations: u32, size: u32) -> u64 {
        let v: Vec<api::Sample> = (0..size)
            .map(|i| api::Sample { id: i.into(), value: 0.5, weight: 2.0, low: i, high: !i })
            .collect();
        sum(iterations, || api::samples(&v).into())
    }

    fn run_strings(iterations: u32, size: u32) -> u64 {
        let v: Vec<String> = (0..size).map(|_| text(16)).collect();
        sum(iterations, || api::strings(&v).into())
    }

    fn run_place(iterations: u32, size: u32) -> u64 {
        let v = api::Order { item: text(size), customer: text(size) };
        sum(iterations, || match api::place(&v) {
            Ok(receipt) => receipt.number,
            Err(_) => 0,
        })
    }

    fn run_meter_add(iterations: u32, _: u32) -> u64 {
        let meter = api::Meter::new(0);
        sum(iterations, || meter.add(1).into())
    }

    fn run_meter_new(iterations: u32, _: u32) -> u64 {
        sum(iterations, || {
            drop(api::Meter::new(1));
            1
        })
    }
}
