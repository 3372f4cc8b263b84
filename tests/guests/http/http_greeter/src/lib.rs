wit_bindgen::generate!({ path: "../../wit/greeter", world: "store" });

use exports::tenon::greeter::greeting::Guest;

struct Store;
export!(Store);

impl Guest for Store {
    fn get(path: String) -> String {
        if path == "/" { "Hello, world!\n".to_string() } else { format!("{path}?\n") }
    }
}
