//! Works on files with `std::fs`, and tries to get out of the directory that it was granted.

use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::{env, process};

const USAGE: &str = "usage: sockets_files COMMAND [ARG...]
  sparse PATH            write behind 5 GiB, read it back, print the size
  count DIR              print how many entries a directory has
  make DIR N             make N files
  escape DIR SECRET      try every way out of DIR to the file SECRET; print what was reached
  copy FROM TO           copy a file by reading and writing
  all DIR                make, rename, link, list, truncate, remove
  kind PATH FLAGS        open (r, w, c, x, t, a) and print `ok` or the kind of error";

type Done = Result<(), Box<dyn Error>>;

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["sparse", path] => sparse(path),
        ["count", dir] => count(dir),
        ["make", dir, number] => make(dir, number.parse().unwrap()),
        ["escape", dir, secret] => escape(dir, secret),
        ["copy", from, to] => copy(from, to),
        ["all", dir] => all(dir),
        ["kind", path, flags] => kind(path, flags),
        _ => Err(USAGE.into()),
    };
    if let Err(error) = done {
        println!("{error}");
        process::exit(1);
    }
}

fn sparse(path: &str) -> Done {
    const FAR: u64 = (5 << 30) + 3;
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
    file.seek(SeekFrom::Start(FAR))?;
    file.write_all(b"far")?;
    file.seek(SeekFrom::Start(FAR - 1))?;
    let mut back = String::new();
    file.read_to_string(&mut back)?;
    assert_eq!(back, "\0far");
    println!("{}", file.metadata()?.len());
    Ok(())
}

fn count(dir: &str) -> Done {
    let mut number = 0;
    for entry in fs::read_dir(dir)? {
        entry?;
        number += 1;
    }
    println!("{number}");
    Ok(())
}

fn make(dir: &str, number: usize) -> Done {
    for i in 0..number {
        fs::write(format!("{dir}/f{i}"), format!("{i}"))?;
    }
    Ok(())
}

/// Everything that must fail. What it gets hold of, it prints.
fn escape(dir: &str, secret: &str) -> Done {
    let tell = |how: &str, got: io::Result<Vec<u8>>| {
        if let Ok(bytes) = got {
            println!("{how}: {}", String::from_utf8_lossy(&bytes));
        }
    };
    // Links that the host made, and paths.
    let name = secret.rsplit('/').next().unwrap();
    for path in [
        secret.to_string(),
        format!("{dir}/../outside/{name}"),
        format!("{dir}/sub/../../outside/{name}"),
        format!("{dir}/./../outside/{name}"),
        format!("{dir}/absolute"),
        format!("{dir}/relative"),
        format!("{dir}/folder/{name}"),
        format!("{dir}/folder/../outside/{name}"),
        format!("{dir}/chain/{name}"),
    ] {
        tell(&path, fs::read(&path));
        tell(&format!("write {path}"), fs::write(&path, "overwritten").map(|()| b"done".to_vec()));
        tell(&format!("link {path}"), fs::hard_link(&path, format!("{dir}/stolen")).and_then(|()| fs::read(format!("{dir}/stolen"))));
        tell(&format!("move {path}"), fs::rename(&path, format!("{dir}/stolen")).and_then(|()| fs::read(format!("{dir}/stolen"))));
    }
    for path in [format!("{dir}/folder/new"), format!("{dir}/../outside/new"), format!("{dir}/dangling")] {
        tell(&format!("create {path}"), fs::write(&path, "new").map(|()| b"done".to_vec()));
        tell(&format!("mkdir {path}"), fs::create_dir(&path).map(|()| b"done".to_vec()));
    }
    println!("tried");
    Ok(())
}

fn copy(from: &str, to: &str) -> Done {
    let count = io::copy(&mut File::open(from)?, &mut File::create(to)?)?;
    println!("{count} bytes");
    Ok(())
}

fn all(dir: &str) -> Done {
    let at = |name: &str| format!("{dir}/{name}");
    fs::create_dir_all(at("a/b"))?;
    fs::write(at("a/one"), "one")?;
    OpenOptions::new().append(true).open(at("a/one"))?.write_all(b" more")?;
    fs::rename(at("a/one"), at("a/b/two"))?;
    fs::hard_link(at("a/b/two"), at("a/three"))?;
    assert_eq!(fs::read_to_string(at("a/three"))?, "one more");
    let file = OpenOptions::new().write(true).open(at("a/three"))?;
    file.set_len(3)?;
    file.sync_all()?;
    assert_eq!(fs::read_to_string(at("a/b/two"))?, "one");
    let mut names: Vec<_> = fs::read_dir(at("a"))?.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    println!("{}", names.join(" "));
    fs::remove_file(at("a/three"))?;
    fs::remove_file(at("a/b/two"))?;
    fs::remove_dir(at("a/b"))?;
    fs::remove_dir(at("a"))?;
    Ok(())
}

fn kind(path: &str, flags: &str) -> Done {
    let has = |flag: char| flags.contains(flag);
    let opened = OpenOptions::new()
        .read(has('r'))
        .write(has('w'))
        .create(has('c'))
        .create_new(has('x'))
        .truncate(has('t'))
        .append(has('a'))
        .open(path);
    match opened {
        Ok(_) => println!("ok"),
        Err(error) => println!("{:?}", error.kind()),
    }
    Ok(())
}
