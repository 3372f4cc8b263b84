//! Exports a function for every type, each returning its argument: for `tenon call` and for the
//! canonical ABI's tests.
#![cfg_attr(not(feature = "std"), no_std)]
extern crate alloc;
extern crate bare;

use alloc::{format, string::String, vec, vec::Vec};
use core::cell::Cell;
use core::hint::black_box;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

wit_bindgen::generate!({ path: "../../wit/types", world: "types" });

use exports::tenon::types::{basic, echo, faults};

struct Component;
export!(Component);

impl Guest for Component {
    fn add(a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }

    fn greet(name: String) -> String {
        format!("Hello, {name}!")
    }
}

/// Functions that return their one argument.
macro_rules! echo {
    ($($name:ident: $type:ty;)*) => { $(fn $name(v: $type) -> $type { v })* };
}

impl basic::Guest for Component {
    echo! {
        echo_bool: bool;
        echo_u32: u32;
        echo_s64: i64;
        echo_f64: f64;
        echo_char: char;
        echo_string: String;
        echo_bytes: Vec<u8>;
        echo_strings: Vec<String>;
        echo_person: basic::Person;
        echo_people: Vec<basic::Person>;
        echo_tuple: (u32, String);
        echo_shape: basic::Shape;
        echo_color: basic::Color;
        echo_option: Option<String>;
        echo_result: Result<u32, String>;
    }
}

static LIVE: AtomicU32 = AtomicU32::new(0);

struct Counter(Cell<u32>);

impl Counter {
    fn with(start: u32) -> Counter {
        LIVE.fetch_add(1, Relaxed);
        Counter(Cell::new(start))
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Relaxed);
    }
}

impl echo::GuestCounter for Counter {
    fn new(start: u32) -> Counter {
        Counter::with(start)
    }

    fn increment(&self, by: u32) -> u32 {
        self.0.set(self.0.get().wrapping_add(by));
        self.0.get()
    }

    fn value(&self) -> u32 {
        self.0.get()
    }

    fn merge(a: echo::Counter, b: echo::Counter) -> echo::Counter {
        let sum = a.get::<Counter>().0.get().wrapping_add(b.get::<Counter>().0.get());
        echo::Counter::new(Counter::with(sum))
    }
}

impl echo::Guest for Component {
    type Counter = Counter;

    fn nop() {}

    echo! {
        echo_bool: bool;
        echo_s8: i8;
        echo_u8: u8;
        echo_s16: i16;
        echo_u16: u16;
        echo_s32: i32;
        echo_u32: u32;
        echo_s64: i64;
        echo_u64: u64;
        echo_f32: f32;
        echo_f64: f64;
        echo_char: char;
        echo_string: String;
        echo_bytes: Vec<u8>;
        echo_bools: Vec<bool>;
        echo_chars: Vec<char>;
        echo_u32s: Vec<u32>;
        echo_u64s: Vec<u64>;
        echo_f64s: Vec<f64>;
        echo_strings: Vec<String>;
        echo_points: Vec<echo::Point>;
        echo_mixeds: Vec<echo::Mixed>;
        echo_wides: Vec<echo::Wide>;
        echo_lists: Vec<Vec<u16>>;
        echo_tuples: Vec<(u8, u64, String)>;
        echo_point: echo::Point;
        echo_mixed: echo::Mixed;
        echo_line: echo::Line;
        echo_big: echo::Big;
        echo_tuple: (u8, String, f64);
        echo_tuple1: (u32,);
        echo_narrow: echo::Narrow;
        echo_wide: echo::Wide;
        echo_color: echo::Color;
        echo_option: Option<u32>;
        echo_option_string: Option<String>;
        echo_option_option: Option<Option<u32>>;
        echo_result: Result<u32, String>;
        echo_result_ok: Result<u32, ()>;
        echo_result_err: Result<(), String>;
        echo_result_none: Result<(), ()>;
        echo_result_point: Result<echo::Point, echo::Color>;
        echo_flags3: echo::Flags3;
        echo_flags9: echo::Flags9;
        echo_flags32: echo::Flags32;
        echo_counter: echo::Counter;
    }

    #[rustfmt::skip]
    fn echo_16(
        a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32,
        i: u32, j: u32, k: u32, l: u32, m: u32, n: u32, o: u32, p: u32,
    ) -> Vec<u32> {
        vec![a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }

    #[rustfmt::skip]
    fn echo_17(
        a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32,
        i: u32, j: u32, k: u32, l: u32, m: u32, n: u32, o: u32, p: u32, q: u32,
    ) -> Vec<u32> {
        vec![a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]
    }

    fn peek(c: echo::CounterBorrow<'_>) -> u32 {
        c.get::<Counter>().0.get()
    }

    fn sum(v: Vec<echo::CounterBorrow<'_>>) -> u32 {
        v.iter().fold(0, |sum, c| sum.wrapping_add(c.get::<Counter>().0.get()))
    }

    fn counters(n: u32) -> Vec<echo::Counter> {
        (0..n).map(|start| echo::Counter::new(Counter::with(start))).collect()
    }

    fn live() -> u32 {
        LIVE.load(Relaxed)
    }
}

impl faults::Guest for Component {
    fn trap() {
        core::arch::wasm32::unreachable()
    }

    fn spin() {
        loop {
            black_box(0);
        }
    }

    fn recurse() -> u32 {
        #[inline(never)]
        #[allow(unconditional_recursion)]
        fn deeper(depth: u32) -> u32 {
            black_box(deeper(black_box(depth) + 1)) + 1
        }
        deeper(0)
    }

    fn allocate(mib: u32) -> u32 {
        for got in 0..mib {
            let mut block = Vec::new();
            if block.try_reserve_exact(1 << 20).is_err() {
                return got;
            }
            block.resize(1 << 20, 1u8);
            core::mem::forget(black_box(block));
        }
        mib
    }

    fn load(address: u32) -> u8 {
        unsafe { (address as *const u8).read_volatile() }
    }
}
