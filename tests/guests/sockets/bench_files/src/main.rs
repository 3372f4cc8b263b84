//! Reads and writes files by Rust's standard library, and prints how many nanoseconds it took: what
//! fs/read-1g and fs/small-files measure.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::time::Instant;

const USAGE: &str = "usage: bench_files COMMAND
  read PATH       read a file to its end, 64 KiB at a time
  small DIR N     write N files of 1 KiB, list them, read them, remove them";

fn main() -> io::Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let begin = Instant::now();
    match words[..] {
        ["read", path] => read(path)?,
        ["small", dir, number] => small(dir, number.parse().unwrap())?,
        _ => panic!("{USAGE}"),
    }
    println!("{}", begin.elapsed().as_nanos());
    Ok(())
}

fn read(path: &str) -> io::Result<()> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut buffer = vec![0; 65536];
    let mut total = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        total += count as u64;
    }
    assert_eq!(total, size);
    Ok(())
}

fn small(dir: &str, number: usize) -> io::Result<()> {
    let content = [b'x'; 1024];
    let name = |i: usize| format!("{dir}/f{i}");
    for i in 0..number {
        fs::write(name(i), content)?;
    }
    assert_eq!(fs::read_dir(dir)?.count(), number);
    for i in 0..number {
        assert_eq!(fs::read(name(i))?.len(), content.len());
    }
    for i in 0..number {
        fs::remove_file(name(i))?;
    }
    Ok(())
}
