//! Tells the component that calls it what is in its own context: arguments, environment, files,
//! streams, configuration; and takes numbers for handles.

use std::cell::Cell;
use std::io::{Read, Write};

wit_bindgen::generate!({ path: "../../wit/context", world: "probing", generate_all });

use exports::tenon::context::probe::Guest;
use wasi::config::store;

struct Component;
export!(Component);

thread_local! {
    static COUNT: Cell<u32> = const { Cell::new(0) };
}

#[link(wasm_import_module = "wasi:filesystem/types@0.2.6")]
unsafe extern "C" {
    #[link_name = "[method]descriptor.get-type"]
    fn descriptor_get_type(handle: u32, result: *mut [u8; 2]);
}

impl Guest for Component {
    fn arguments() -> Vec<String> {
        std::env::args().collect()
    }

    fn environment() -> Vec<(String, String)> {
        std::env::vars().collect()
    }

    fn configuration() -> Vec<(String, String)> {
        store::get_all().unwrap()
    }

    fn read(path: String) -> Result<String, String> {
        std::fs::read_to_string(path).map_err(|error| error.to_string())
    }

    fn write(path: String, text: String) -> Result<(), String> {
        std::fs::write(path, text).map_err(|error| error.to_string())
    }

    fn say(text: String) {
        print!("{text}");
        std::io::stdout().flush().unwrap();
    }

    fn complain(text: String) {
        eprint!("{text}");
    }

    fn listen() -> String {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).unwrap();
        text
    }

    fn use_handle(number: u32) -> String {
        let mut result = [0; 2];
        unsafe { descriptor_get_type(number, &mut result) };
        format!("{result:?}")
    }

    fn count() -> u32 {
        COUNT.with(|count| {
            count.set(count.get() + 1);
            count.get()
        })
    }

    fn quit(code: u8) {
        std::process::exit(code.into());
    }

    fn trap() {
        std::process::abort();
    }
}
