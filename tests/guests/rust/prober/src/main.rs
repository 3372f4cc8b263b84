//! Does what its first argument says here, in its own context, and there, in the component that it
//! is linked to; and prints both.

use std::io::{Read, Write};

wit_bindgen::generate!({ path: "../../wit/context", world: "prober", generate_all });

use tenon::context::probe;
use wasi::config::store;

#[link(wasm_import_module = "wasi:filesystem/types@0.2.6")]
unsafe extern "C" {
    #[link_name = "[method]descriptor.get-type"]
    fn descriptor_get_type(handle: u32, result: *mut [u8; 2]);
}

fn show(what: impl std::fmt::Debug, there: impl std::fmt::Debug) {
    println!("here: {what:?}\nthere: {there:?}");
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let word = |index: usize| words.get(index).cloned().unwrap_or_default();
    match word(1).as_str() {
        "args" => show(&words, probe::arguments()),
        "env" => show(std::env::vars().collect::<Vec<_>>(), probe::environment()),
        "config" => show(store::get_all().unwrap(), probe::configuration()),
        "get" => println!("{:?}", store::get(&word(2)).unwrap()),
        "read" => show(
            std::fs::read_to_string(word(2)).map_err(|error| error.to_string()),
            probe::read(&word(2)),
        ),
        "write" => show(
            std::fs::write(word(2), "here").map_err(|error| error.to_string()),
            probe::write(&word(2), "there"),
        ),
        "say" => {
            print!("{}", word(2));
            std::io::stdout().flush().unwrap();
            probe::say(&word(3));
            println!("{}", word(4));
        }
        "complain" => {
            eprintln!("{}", word(2));
            probe::complain(&word(3));
        }
        "listen" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).unwrap();
            show(text, probe::listen());
        }
        // The component that is called has a file open when the number is tried.
        "handle" => {
            println!("there: {:?}", probe::read(&word(3)));
            let mut result = [0; 2];
            unsafe { descriptor_get_type(word(2).parse().unwrap(), &mut result) };
            println!("here: {result:?}");
        }
        "handle-there" => println!("there: {}", probe::use_handle(word(2).parse().unwrap())),
        "count" => println!("{} {}", probe::count(), probe::count()),
        "quit" => probe::quit(word(2).parse().unwrap()),
        "trap" => probe::trap(),
        other => panic!("what is '{other}'?"),
    }
}
