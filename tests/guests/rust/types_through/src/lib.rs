//! Imports the interface `echo` and exports the same one: every value crosses this
//! component twice in each direction, and its counters wrap the imported ones.
#![cfg_attr(not(feature = "std"), no_std)]
extern crate alloc;
extern crate bare;

use alloc::{string::String, vec::Vec};

wit_bindgen::generate!({
    path: "../../wit/types",
    world: "types-through",
    merge_structurally_equal_types: true,
});

use exports::tenon::types::echo::{self, Guest};
use tenon::types::echo as inner;

struct Component;
export!(Component);

struct Counter(inner::Counter);

impl echo::GuestCounter for Counter {
    fn new(start: u32) -> Counter {
        Counter(inner::Counter::new(start))
    }

    fn increment(&self, by: u32) -> u32 {
        self.0.increment(by)
    }

    fn value(&self) -> u32 {
        self.0.value()
    }

    fn merge(a: echo::Counter, b: echo::Counter) -> echo::Counter {
        wrap(inner::Counter::merge(unwrap(a), unwrap(b)))
    }
}

fn wrap(counter: inner::Counter) -> echo::Counter {
    echo::Counter::new(Counter(counter))
}

fn unwrap(counter: echo::Counter) -> inner::Counter {
    counter.into_inner::<Counter>().0
}

/// Functions that hand their one argument on: `ref` where the import borrows it.
macro_rules! forward {
    ($($name:ident: $type:ty;)*) => { $(fn $name(v: $type) -> $type { inner::$name(v) })* };
    (ref $($name:ident: $type:ty;)*) => { $(fn $name(v: $type) -> $type { inner::$name(&v) })* };
}

impl Guest for Component {
    type Counter = Counter;

    fn nop() {
        inner::nop()
    }

    forward! {
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
        echo_point: echo::Point;
        echo_narrow: echo::Narrow;
        echo_color: echo::Color;
        echo_tuple1: (u32,);
        echo_option: Option<u32>;
        echo_option_option: Option<Option<u32>>;
        echo_result_ok: Result<u32, ()>;
        echo_result_none: Result<(), ()>;
        echo_result_point: Result<echo::Point, echo::Color>;
        echo_flags3: echo::Flags3;
        echo_flags9: echo::Flags9;
        echo_flags32: echo::Flags32;
    }

    forward! { ref
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
        echo_mixed: echo::Mixed;
        echo_line: echo::Line;
        echo_big: echo::Big;
        echo_wide: echo::Wide;
    }

    fn echo_tuple(v: (u8, String, f64)) -> (u8, String, f64) {
        inner::echo_tuple((v.0, &v.1, v.2))
    }

    fn echo_option_string(v: Option<String>) -> Option<String> {
        inner::echo_option_string(v.as_deref())
    }

    fn echo_result(v: Result<u32, String>) -> Result<u32, String> {
        inner::echo_result(v.as_ref().map(|v| *v).map_err(String::as_str))
    }

    fn echo_result_err(v: Result<(), String>) -> Result<(), String> {
        inner::echo_result_err(v.as_ref().map(|_| ()).map_err(String::as_str))
    }

    #[rustfmt::skip]
    fn echo_16(
        a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32,
        i: u32, j: u32, k: u32, l: u32, m: u32, n: u32, o: u32, p: u32,
    ) -> Vec<u32> {
        inner::echo_16(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
    }

    #[rustfmt::skip]
    fn echo_17(
        a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32,
        i: u32, j: u32, k: u32, l: u32, m: u32, n: u32, o: u32, p: u32, q: u32,
    ) -> Vec<u32> {
        inner::echo_17(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q)
    }

    fn peek(c: echo::CounterBorrow<'_>) -> u32 {
        inner::peek(&c.get::<Counter>().0)
    }

    fn sum(v: Vec<echo::CounterBorrow<'_>>) -> u32 {
        let borrowed: Vec<&inner::Counter> = v.iter().map(|c| &c.get::<Counter>().0).collect();
        inner::sum(&borrowed)
    }

    fn echo_counter(c: echo::Counter) -> echo::Counter {
        wrap(inner::echo_counter(unwrap(c)))
    }

    fn counters(n: u32) -> Vec<echo::Counter> {
        inner::counters(n).into_iter().map(wrap).collect()
    }

    fn live() -> u32 {
        inner::live()
    }
}
