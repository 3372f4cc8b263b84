//! The static library that Tenon's engine part links: Wasmtime's C API, the few functions that it lacks
//! (`extend`), and, with the feature `oracle`, the validator of wasm-tools as one C function.

pub use wasmtime_c_api::*;

mod extend;

#[cfg(feature = "oracle")]
mod oracle;
