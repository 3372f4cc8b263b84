//! A program that keeps blobs and does not know where: all that it has is `wasi:blobstore`.

use std::io::{Read, Write};
use std::process::ExitCode;
use std::time::Instant;

wit_bindgen::generate!({ path: "../wit", world: "importer", generate_all });

use wasi::blobstore::blobstore;
use wasi::blobstore::container::Container;
use wasi::blobstore::types::{IncomingValue, ObjectId, OutgoingValue};
use wasi::io::streams::{OutputStream, StreamError};

const HELP: &str = "\
put CONTAINER NAME [TEXT]   stores a text, or standard input
get CONTAINER NAME          prints a blob
range CONTAINER NAME A B    prints the bytes from A to B, both included
list CONTAINER              prints names and sizes
copy CONTAINER NAME AS      duplicates a blob
move CONTAINER NAME AS      renames a blob
remove CONTAINER NAME...    deletes blobs
destroy CONTAINER           deletes a container and what it holds
tour                        some of all that, for a demonstration
look PATH                   tries to list a directory, past the store
time [CALLS]                what a call into the store costs
";

/// As much as a stream's `blocking-write-and-flush` takes.
const CHUNK: usize = 4096;

type Outcome<T> = Result<T, String>;

fn open(name: &str) -> Outcome<Container> {
    if blobstore::container_exists(name)? {
        blobstore::get_container(name)
    } else {
        blobstore::create_container(name)
    }
}

fn existing(name: &str) -> Outcome<Container> {
    blobstore::get_container(name)
}

fn failed(error: StreamError) -> String {
    match error {
        StreamError::LastOperationFailed(error) => error.to_debug_string(),
        StreamError::Closed => "the stream was closed".into(),
    }
}

fn write_all(stream: &OutputStream, bytes: &[u8]) -> Outcome<()> {
    bytes.chunks(CHUNK).try_for_each(|part| stream.blocking_write_and_flush(part).map_err(failed))
}

fn put(container: &Container, name: &str, bytes: &[u8]) -> Outcome<()> {
    let value = OutgoingValue::new_outgoing_value();
    let stream = value.outgoing_value_write_body().map_err(|()| "there is no body to write")?;
    container.write_data(name, &value)?;
    write_all(&stream, bytes)?;
    drop(stream);
    OutgoingValue::finish(value)
}

/// Goes through a stream, so that no blob is ever in memory as a whole.
fn print(container: &Container, name: &str, start: u64, end: u64) -> Outcome<()> {
    let value = container.get_data(name, start, end)?;
    let stream = IncomingValue::incoming_value_consume_async(value)?;
    let mut out = std::io::stdout().lock();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(bytes) => out.write_all(&bytes).map_err(|e| e.to_string())?,
            Err(StreamError::Closed) => return out.flush().map_err(|e| e.to_string()),
            Err(error) => return Err(failed(error)),
        }
    }
}

fn list(container: &Container) -> Outcome<()> {
    let mut names = Vec::new();
    let stream = container.list_objects()?;
    loop {
        let (mut some, last) = stream.read_stream_object_names(100)?;
        names.append(&mut some);
        if last {
            break;
        }
    }
    names.sort();
    for name in names {
        let info = container.object_info(&name)?;
        println!("{:>8}  {}/{}", info.size, info.container, info.name);
    }
    Ok(())
}

fn tour() -> Outcome<()> {
    let poems = open("poems")?;
    put(
        &poems,
        "haiku",
        b"An old silent pond...\nA frog jumps into the pond,\nsplash! Silence again.\n",
    )?;
    put(&poems, "long/epic.txt", "Sing, O goddess, ".repeat(1000).as_bytes())?;
    println!("stored in the container {}:", poems.info()?.name);
    list(&poems)?;
    println!("haiku, from the store:");
    print(&poems, "haiku", 0, u64::MAX)?;
    poems.delete_object("long/epic.txt")?;
    println!("after deleting the epic:");
    list(&poems)
}

fn look(path: &str) -> Outcome<()> {
    let entries = std::fs::read_dir(path).map_err(|error| format!("{path}: {error}"))?;
    for entry in entries.flatten() {
        println!("{}", entry.file_name().display());
    }
    Ok(())
}

/// Nanoseconds for one call, in the best of ten rounds: the machine may have other things to do.
fn measure(calls: u32, mut call: impl FnMut()) -> f64 {
    let round = calls.div_ceil(10).max(1);
    let mut best = f64::INFINITY;
    for _ in 0..10 {
        let start = Instant::now();
        for _ in 0..round {
            call();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(round));
    }
    best
}

fn time(calls: u32) -> Outcome<()> {
    let container = open("timing")?;
    put(&container, "blob", b"0123456789")?;
    let value = container.get_data("blob", 0, u64::MAX)?;
    let size = measure(calls, || assert_eq!(std::hint::black_box(&value).size(), 10));
    let name = measure(calls, || assert!(std::hint::black_box(&container).name().is_ok()));
    drop(value);
    drop(container);
    blobstore::delete_container("timing")?;
    println!(
        "A call from this component into the store, with the store's own work ({calls} calls):"
    );
    println!("{size:>8.1} ns  incoming-value.size   a number comes back");
    println!("{name:>8.1} ns  container.name        a string comes back");
    Ok(())
}

fn run(words: &[&str]) -> Outcome<()> {
    let number = |word: &str| word.parse().map_err(|_| format!("'{word}' is no number"));
    match *words {
        ["put", container, name, text] => put(&open(container)?, name, text.as_bytes()),
        ["put", container, name] => {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).map_err(|error| error.to_string())?;
            put(&open(container)?, name, &bytes)
        }
        ["get", container, name] => print(&existing(container)?, name, 0, u64::MAX),
        ["range", container, name, start, end] => {
            print(&existing(container)?, name, number(start)?, number(end)?)
        }
        ["list", container] => list(&existing(container)?),
        ["copy" | "move", container, name, target] => {
            let object = |name: &str| ObjectId { container: container.into(), object: name.into() };
            let (from, to) = (object(name), object(target));
            if words[0] == "copy" {
                blobstore::copy_object(&from, &to)
            } else {
                blobstore::move_object(&from, &to)
            }
        }
        ["remove", container, ref names @ ..] => {
            let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
            existing(container)?.delete_objects(&names)
        }
        ["destroy", container] => blobstore::delete_container(container),
        ["tour"] => tour(),
        ["look", path] => look(path),
        ["time"] => time(1_000_000),
        ["time", calls] => time(number(calls)? as u32),
        _ => Err(format!("do what?\n{HELP}")),
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("importer: {}", error.trim_end());
            ExitCode::FAILURE
        }
    }
}
