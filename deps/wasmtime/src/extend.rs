//! What Wasmtime's Rust API has and its C API has not, as C functions; declared and documented in
//! `include/tenon_wasmtime.h`. Only thin wrappers: nothing here may know more than both APIs do.
//!
//! The structs of the C API keep the Rust value in a private field. They are read through a cast, in `inner`
//! below and nowhere else.

use std::mem::MaybeUninit;
use wasmtime_c_api::wasmtime::{
    Enabled, Extern, Func, Instance, Linker, Module, ModuleExport, PoolingAllocationConfig, ResourceLimiter,
    Result, Store,
};
use wasmtime_c_api::{
    wasmtime_extern_t, wasmtime_linker_t, wasmtime_module_t, wasmtime_pooling_allocation_config_t,
    wasmtime_store_t, WasmtimeStoreContextMut, WasmtimeStoreData,
};

mod inner {
    use super::*;

    /// The struct `Outer` of the C API has one field, of type `Inner` (true of all below, in the pinned
    /// version: `deps/pins`). When both have one size, that field is at offset 0 and fills the struct, whatever
    /// representation Rust chose: a pointer to the struct is a pointer to the field. That the sizes are the
    /// same is checked when this is compiled.
    const fn same_layout<Outer, Inner>() {
        assert!(size_of::<Outer>() == size_of::<Inner>());
        assert!(align_of::<Outer>() == align_of::<Inner>());
    }

    const _: () = same_layout::<wasmtime_pooling_allocation_config_t, PoolingAllocationConfig>();
    pub fn pool(config: &mut wasmtime_pooling_allocation_config_t) -> &mut PoolingAllocationConfig {
        // SAFETY: see `same_layout`.
        unsafe {
            &mut *(config as *mut wasmtime_pooling_allocation_config_t).cast::<PoolingAllocationConfig>()
        }
    }

    const _: () = same_layout::<wasmtime_module_t, Module>();
    pub fn module(module: &wasmtime_module_t) -> &Module {
        // SAFETY: see `same_layout`.
        unsafe { &*(module as *const wasmtime_module_t).cast::<Module>() }
    }

    const _: () = same_layout::<wasmtime_linker_t, Linker<WasmtimeStoreData>>();
    pub fn linker(linker: &wasmtime_linker_t) -> &Linker<WasmtimeStoreData> {
        // SAFETY: see `same_layout`.
        unsafe { &*(linker as *const wasmtime_linker_t).cast::<Linker<WasmtimeStoreData>>() }
    }

    const _: () = same_layout::<wasmtime_store_t, Store<WasmtimeStoreData>>();
    pub fn store(store: &mut wasmtime_store_t) -> &mut Store<WasmtimeStoreData> {
        // SAFETY: see `same_layout`.
        unsafe { &mut *(store as *mut wasmtime_store_t).cast::<Store<WasmtimeStoreData>>() }
    }
}

#[no_mangle]
pub extern "C" fn tenon_wasmtime_pool_scan_pages(config: &mut wasmtime_pooling_allocation_config_t) -> bool {
    let available = PoolingAllocationConfig::is_pagemap_scan_available();
    inner::pool(config).pagemap_scan(if available { Enabled::Auto } else { Enabled::No });
    available
}

/// # Safety
/// `name` points to `name_len` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn tenon_wasmtime_module_export(
    module: &wasmtime_module_t,
    name: *const u8,
    name_len: usize,
) -> Option<Box<ModuleExport>> {
    let name = if name_len == 0 { &[][..] } else { std::slice::from_raw_parts(name, name_len) };
    let name = std::str::from_utf8(name).ok()?;
    inner::module(module).get_export_index(name).map(Box::new)
}

#[no_mangle]
pub extern "C" fn tenon_wasmtime_module_export_delete(_: Option<Box<ModuleExport>>) {}

#[no_mangle]
pub extern "C" fn tenon_wasmtime_instance_item(
    store: WasmtimeStoreContextMut<'_>,
    instance: &Instance,
    export: &ModuleExport,
    item: &mut MaybeUninit<wasmtime_extern_t>,
) -> bool {
    match instance.get_module_export(store, export) {
        Some(found) => {
            item.write(found.into());
            true
        }
        None => false,
    }
}

/// # Safety
/// `functions` points to `count` writable functions.
#[no_mangle]
pub unsafe extern "C" fn tenon_wasmtime_linker_functions(
    linker: &wasmtime_linker_t,
    store: WasmtimeStoreContextMut<'_>,
    functions: *mut MaybeUninit<Func>,
    count: usize,
) -> usize {
    let mut written = 0;
    for (_, name, item) in inner::linker(linker).iter(store) {
        let (Ok(at), Extern::Func(function)) = (name.parse::<usize>(), item) else { continue };
        if at < count {
            (*functions.add(at)).write(function);
            written += 1;
        }
    }
    written
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct tenon_wasmtime_limits_t {
    bytes: u64,
    table_elements: u64,
    instances: u32,
    tables: u32,
    memories: u32,
}

struct Limits {
    given: tenon_wasmtime_limits_t,
    /// Of `given.bytes`, what is not taken yet.
    left: u64,
}

impl Limits {
    fn take(&mut self, bytes: u64) -> bool {
        let enough = bytes <= self.left;
        if enough {
            self.left -= bytes;
        }
        enough
    }
}

// The engine says when it refuses a growth that was allowed here, but also when it refuses one that was never
// asked for here, and neither time how large: so such a growth, which needs a system without memory, stays
// counted. What the type forbids is refused here first.
impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        Ok(maximum.is_none_or(|maximum| desired <= maximum) && self.take((desired - current) as u64))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let bytes = ((desired - current) as u64).saturating_mul(size_of::<usize>() as u64);
        Ok(maximum.is_none_or(|maximum| desired <= maximum)
            && desired as u64 <= self.given.table_elements
            && self.take(bytes))
    }

    fn instances(&self) -> usize {
        self.given.instances as usize
    }

    fn tables(&self) -> usize {
        self.given.tables as usize
    }

    fn memories(&self) -> usize {
        self.given.memories as usize
    }
}

/// What a store's limiter is asked through: a closure cannot lend what it owns, so it lends through a pointer.
struct OwnLimits(*mut Limits);

// SAFETY: only the thread that uses the store reaches it, through the store.
unsafe impl Send for OwnLimits {}
unsafe impl Sync for OwnLimits {}

impl OwnLimits {
    fn lend<'a>(&mut self, _: &'a mut WasmtimeStoreData) -> &'a mut dyn ResourceLimiter {
        // SAFETY: made by `Box::into_raw`, freed with the closure, which lives in the store; the store is
        // borrowed as long as what is returned.
        unsafe { &mut *self.0 }
    }
}

impl Drop for OwnLimits {
    fn drop(&mut self) {
        // SAFETY: made by `Box::into_raw`, and nothing is lent any more.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

#[no_mangle]
pub extern "C" fn tenon_wasmtime_store_limit(store: &mut wasmtime_store_t, limits: &tenon_wasmtime_limits_t) {
    let mut own = OwnLimits(Box::into_raw(Box::new(Limits { given: *limits, left: limits.bytes })));
    inner::store(store).limiter(move |data| own.lend(data));
}
