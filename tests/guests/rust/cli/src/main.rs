//! A program that does what its first argument says: each sub command tests one thing that
//! `tenon run` gives a guest.

use std::collections::hash_map::RandomState;
use std::error::Error;
use std::hash::BuildHasher;
use std::hint::black_box;
use std::io::{self, BufRead, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::process::{self, ExitCode};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, thread};

const USAGE: &str = "usage: cli COMMAND [ARG...]
  args [ARG...]          print the arguments, one a line
  env                    print the environment, sorted
  cat                    copy standard input to standard output
  lines                  print each line of standard input with its number, as it comes
  exit N                 exit with code N, of which WASI 0.2 keeps only success or failure
  exit-failure           return a failure from main
  return-error           return an error from main
  panic [TEXT]           panic
  trap                   execute `unreachable`
  stderr TEXT            print to standard error
  both                   print to standard output and to standard error
  sleep MS               sleep, then print `slept`
  clock MS               sleep; print how long by the monotonic clock, and the year
  random                 print two random numbers
  big-output N           print N bytes
  alloc MIB              allocate and touch MIB MiB, then print how many
  recurse                recurse without an end
  spin                   loop without an end
  read-file PATH         print a file
  write-file PATH TEXT   write a file
  list-dir PATH          print the names in a directory, sorted
  connect ADDRESS        connect by TCP; print `connected`, or the kind of error
  resolve NAME           look a host name up; print the addresses, or the kind of error";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args: Vec<String> = env::args().collect();
    let command = args.get(1).map_or("", String::as_str);
    let text = |index: usize| -> Result<&str, String> {
        args.get(index + 1)
            .map(String::as_str)
            .ok_or(format!("{command}: argument {index} is missing"))
    };
    let number = |index: usize| -> Result<u64, Box<dyn Error>> { Ok(text(index)?.parse()?) };

    match command {
        "args" => args.iter().skip(2).for_each(|arg| println!("{arg}")),
        "env" => {
            let mut variables: Vec<_> = env::vars().collect();
            variables.sort();
            variables.iter().for_each(|(name, value)| println!("{name}={value}"));
        }
        "cat" => {
            io::copy(&mut io::stdin().lock(), &mut io::stdout().lock())?;
        }
        "lines" => {
            for (index, line) in io::stdin().lock().lines().enumerate() {
                println!("{} {}", index + 1, line?);
            }
            println!("end");
        }
        "exit" => process::exit(number(1)? as i32),
        "exit-failure" => return Ok(ExitCode::FAILURE),
        "return-error" => return Err("this program was asked to fail".into()),
        "panic" => panic!("{}", text(1).unwrap_or("this program was asked to panic")),
        "trap" => trap(),
        "stderr" => eprintln!("{}", text(1)?),
        "both" => {
            println!("to standard output");
            eprintln!("to standard error");
        }
        "sleep" => {
            thread::sleep(Duration::from_millis(number(1)?));
            println!("slept");
        }
        "clock" => {
            let start = Instant::now();
            thread::sleep(Duration::from_millis(number(1)?));
            println!("monotonic {} ms", start.elapsed().as_millis());
            let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
            println!("year {}", 1970 + seconds / 31_556_952);
        }
        "random" => {
            println!("{}", RandomState::new().hash_one(1));
            println!("{}", RandomState::new().hash_one(2));
        }
        "big-output" => {
            let line = [b'x'; 1024];
            let mut left = number(1)? as usize;
            let mut out = io::stdout().lock();
            while left > 0 {
                left -= out.write(&line[..left.min(line.len())])?;
            }
            out.flush()?;
        }
        "alloc" => println!("{} MiB", allocate(number(1)? as usize)),
        "recurse" => println!("{}", recurse(0)),
        "spin" => loop {
            black_box(0);
        },
        "read-file" => {
            let mut content = Vec::new();
            fs::File::open(text(1)?)?.read_to_end(&mut content)?;
            io::stdout().write_all(&content)?;
        }
        "write-file" => fs::write(text(1)?, text(2)?)?,
        "list-dir" => {
            let mut names = Vec::new();
            for entry in fs::read_dir(text(1)?)? {
                names.push(entry?.file_name().to_string_lossy().into_owned());
            }
            names.sort();
            names.iter().for_each(|name| println!("{name}"));
        }
        "connect" => match TcpStream::connect(text(1)?) {
            Ok(_) => println!("connected"),
            Err(error) => println!("{:?}", error.kind()),
        },
        "resolve" => match (text(1)?, 0u16).to_socket_addrs() {
            Ok(addresses) => addresses.for_each(|address| println!("{}", address.ip())),
            Err(error) => println!("{:?}", error.kind()),
        },
        _ => {
            eprintln!("{USAGE}");
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Traps in a function with a name, which a backtrace should show.
#[inline(never)]
fn trap() {
    core::arch::wasm32::unreachable()
}

/// Writes to every page of `mib` MiB and returns `mib`.
fn allocate(mib: usize) -> usize {
    let mut blocks = Vec::new();
    for _ in 0..mib {
        let mut block = vec![0u8; 1 << 20];
        block.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
        blocks.push(black_box(block));
    }
    blocks.len()
}

#[inline(never)]
#[allow(unconditional_recursion)]
fn recurse(depth: u64) -> u64 {
    black_box(recurse(black_box(depth) + 1)) + 1
}
