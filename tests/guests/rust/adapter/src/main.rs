//! Prints the adapter from WASI preview 1 to 0.2 for commands: it comes as a
//! crate, so that the lock file pins it.

use std::io::{self, Write};
use wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER;

fn main() -> io::Result<()> {
    io::stdout().write_all(WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER)
}
