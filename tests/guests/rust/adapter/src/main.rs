//! Prints an adapter from WASI preview 1 to 0.2: `adapter command` or `adapter reactor`. They come as
//! a crate, so that the lock file pins them.

use std::env;
use std::io::{self, Write};
use wasi_preview1_component_adapter_provider as provider;

fn main() -> io::Result<()> {
    let adapter = match env::args().nth(1).as_deref() {
        Some("command") => provider::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
        Some("reactor") => provider::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        _ => return Err(io::Error::other("usage: adapter command|reactor")),
    };
    io::stdout().write_all(adapter)
}
