//! Notes in a directory, a file each: `7` holds the text of note 7. Each request has instances of
//! its own, so nothing is kept in memory.

use std::fs;
use std::io::Write;

wit_bindgen::generate!({ path: "../wit", world: "store" });

use exports::webapp::notes::notes::{Guest, Note};

const FOLDER: &str = "/notes";
const MAX_NOTES: usize = 1000;

struct Store;
export!(Store);

fn numbers() -> Vec<u32> {
    let entries = fs::read_dir(FOLDER).into_iter().flatten().flatten();
    let mut numbers: Vec<u32> =
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    numbers.sort();
    numbers
}

impl Guest for Store {
    fn all() -> Vec<Note> {
        let read = |id| Some(Note { id, text: fs::read_to_string(format!("{FOLDER}/{id}")).ok()? });
        numbers().into_iter().filter_map(read).collect()
    }

    fn add(text: String) -> Result<Note, String> {
        let taken = numbers();
        if taken.len() >= MAX_NOTES {
            return Err("there are too many notes".into());
        }
        let mut id = taken.last().map_or(1, |last| last + 1);
        loop {
            // Another request may take the number meanwhile.
            match fs::File::create_new(format!("{FOLDER}/{id}")) {
                Ok(mut file) => {
                    file.write_all(text.as_bytes()).map_err(|error| error.to_string())?;
                    return Ok(Note { id, text });
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => id += 1,
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    fn remove(id: u32) -> bool {
        fs::remove_file(format!("{FOLDER}/{id}")).is_ok()
    }
}
