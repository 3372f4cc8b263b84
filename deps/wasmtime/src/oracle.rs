//! The validator of wasm-tools, for tests that compare accept and refuse.

use std::ffi::c_char;
use wasmparser::{Validator, WasmFeatures};

/// Validates `len` bytes at `bytes` as a component or core module.
///
/// `all_features` 0 takes wasmparser's default features, anything else all of them but nested names (what
/// the official component-model suite is checked with). Returns 0 if the bytes are valid. Otherwise returns
/// 1, writes the offset of the error to `offset`, and a message of at most `message_len` bytes, NUL included,
/// to `message`.
///
/// # Safety
/// `bytes` points to `len` readable bytes, `message` to `message_len` writable ones, `offset` to one u64.
#[no_mangle]
pub unsafe extern "C" fn tenon_oracle_validate(
    bytes: *const u8,
    len: usize,
    all_features: i32,
    offset: *mut u64,
    message: *mut c_char,
    message_len: usize,
) -> i32 {
    let input = if len == 0 { &[][..] } else { std::slice::from_raw_parts(bytes, len) };
    let features = if all_features == 0 {
        WasmFeatures::default()
    } else {
        WasmFeatures::all().difference(WasmFeatures::CM_NESTED_NAMES)
    };
    match Validator::new_with_features(features).validate_all(input) {
        Ok(_) => 0,
        Err(error) => {
            *offset = error.offset() as u64;
            if message_len > 0 {
                let text = error.message().as_bytes();
                let count = text.len().min(message_len - 1);
                std::ptr::copy_nonoverlapping(text.as_ptr(), message.cast::<u8>(), count);
                *message.add(count) = 0;
            }
            1
        }
    }
}
