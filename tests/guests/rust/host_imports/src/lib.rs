//! Calls every function and the resource of an interface that an embedder implements: for
//! embedding tests and figures.
#![cfg_attr(not(feature = "std"), no_std)]
extern crate alloc;
extern crate bare;

use alloc::{format, string::String, vec::Vec};
use core::cell::RefCell;

wit_bindgen::generate!({ path: "../../wit/host", world: "host-imports" });

use demo::host::api;

struct Component;
export!(Component);

/// What `hold-tickets` keeps. A component has one thread.
struct Held(RefCell<Vec<api::Ticket>>);
unsafe impl Sync for Held {}
static HELD: Held = Held(RefCell::new(Vec::new()));

fn text(size: u32) -> String {
    "0123456789abcdef".chars().cycle().take(size as usize).collect()
}

impl Guest for Component {
    fn run_all() -> Vec<String> {
        let mut lines = Vec::new();
        api::log("run-all");
        let (before, after) = (api::now(), api::now());
        lines.push(format!("now is monotonic: {}", after >= before));
        lines.push(format!("add(2, 3) = {}", api::add(2, 3)));
        lines.push(format!("inc(41) = {}", api::inc(41)));
        lines.push(format!("length(\"héllo\") = {}", api::length("héllo")));
        lines.push(format!("echo-string(\"héllo\") = {}", api::echo_string("héllo")));
        lines.push(format!("sum([1, 2, 4294967295]) = {}", api::sum(&[1, 2, u32::MAX])));
        lines.push(format!("bytes(3) = {:?}", api::bytes(3)));
        let user = api::User { name: "Ada".into(), age: 36, tags: ["x".into(), "y".into()].into() };
        lines.push(format!("describe = {}", api::describe(&user)));
        lines.push(match api::find("Ada") {
            Ok(user) => format!("find(\"Ada\") = {} {} {:?}", user.name, user.age, user.tags),
            Err(message) => format!("find(\"Ada\") failed: {message}"),
        });
        lines.push(match api::find("") {
            Ok(user) => format!("find(\"\") = {}", user.name),
            Err(message) => format!("find(\"\") failed: {message}"),
        });
        let (a, b) = (api::Ticket::new(7), api::Ticket::new(8));
        lines.push(format!("ticket.id = {}", a.id()));
        lines.push(format!("ticket.note = {:?}", a.note("first")));
        lines.push(format!("ticket.note = {:?}", a.note("second")));
        lines.push(format!("check = {}", api::check(&b)));
        let joined = api::Ticket::join(a, b);
        lines.push(format!("ticket.join = {}", joined.id()));
        lines
    }

    fn call_add(n: u32) -> u32 {
        (0..n).fold(0, |_, i| api::add(i, 1))
    }

    fn call_inc(n: u32) -> u32 {
        (0..n).fold(0, |v, _| api::inc(v))
    }

    fn call_length(n: u32, size: u32) -> u64 {
        let v = text(size);
        (0..n).fold(0, |sum, _| sum + u64::from(api::length(&v)))
    }

    fn call_echo_string(n: u32, size: u32) -> u64 {
        let v = text(size);
        (0..n).fold(0, |sum, _| sum + api::echo_string(&v).len() as u64)
    }

    fn hold_tickets(n: u32) -> u32 {
        let tickets: Vec<_> = (0..n).map(api::Ticket::new).collect();
        let sum = tickets.iter().fold(0u32, |sum, ticket| sum.wrapping_add(ticket.id()));
        HELD.0.replace(tickets);
        sum
    }
}
