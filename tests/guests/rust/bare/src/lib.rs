//! What a guest needs in the place of the standard library, so that its component has no WASI
//! imports: wasi-libc's allocator and a panic that traps. With the feature `std` this crate is empty.
#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(not(feature = "std"))]
mod without_std {
    use core::alloc::{GlobalAlloc, Layout};

    #[link(name = "c")]
    unsafe extern "C" {
        fn aligned_alloc(alignment: usize, size: usize) -> *mut u8;
        fn malloc(size: usize) -> *mut u8;
        fn realloc(pointer: *mut u8, size: usize) -> *mut u8;
        fn free(pointer: *mut u8);
    }

    /// What `malloc` aligns to on wasm32.
    const MALLOC_ALIGNMENT: usize = 16;

    struct Libc;

    unsafe impl GlobalAlloc for Libc {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            unsafe {
                if layout.align() <= MALLOC_ALIGNMENT {
                    malloc(layout.size())
                } else {
                    aligned_alloc(layout.align(), layout.size().next_multiple_of(layout.align()))
                }
            }
        }

        unsafe fn dealloc(&self, pointer: *mut u8, _: Layout) {
            unsafe { free(pointer) }
        }

        unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            unsafe {
                if layout.align() <= MALLOC_ALIGNMENT {
                    return realloc(pointer, size);
                }
                let grown = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
                if !grown.is_null() {
                    core::ptr::copy_nonoverlapping(pointer, grown, size.min(layout.size()));
                    free(pointer);
                }
                grown
            }
        }
    }

    #[global_allocator]
    static ALLOCATOR: Libc = Libc;

    /// The canonical ABI's allocator. wasi-libc has one, which the linker takes only
    /// along with code that does I/O.
    #[unsafe(export_name = "cabi_realloc")]
    extern "C" fn cabi_realloc(
        old: *mut u8,
        old_size: usize,
        alignment: usize,
        size: usize,
    ) -> *mut u8 {
        let got = unsafe {
            if size == 0 {
                return alignment as *mut u8;
            } else if old_size == 0 {
                ALLOCATOR.alloc(Layout::from_size_align_unchecked(size, alignment))
            } else {
                ALLOCATOR.realloc(old, Layout::from_size_align_unchecked(old_size, alignment), size)
            }
        };
        if got.is_null() {
            core::arch::wasm32::unreachable()
        }
        got
    }

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo) -> ! {
        core::arch::wasm32::unreachable()
    }
}
