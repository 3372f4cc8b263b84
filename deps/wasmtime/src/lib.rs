//! The static library that Tenon's engine part links. It adds nothing to Wasmtime's C API, except, with
//! the feature `oracle`, the validator of wasm-tools as one C function.

pub use wasmtime_c_api::*;

#[cfg(feature = "oracle")]
mod oracle;
