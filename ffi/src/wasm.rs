//! What a host of the WebAssembly module needs besides the header: room in the module's memory for what it gives.
//!
//! Only in that module: see bindings/js. C programs have their own memory.

use std::alloc::{Layout, alloc, dealloc};
use std::ptr;

/// As the most that any struct of the header wants.
const ALIGN: usize = align_of::<u64>();

/// Makes room for `size` bytes, aligned for every struct of the header; NULL when `size` is 0 or there is no memory left.
/// Give it back by [`chatnio_wasm_free`].
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_wasm_alloc(size: usize) -> *mut u8 {
    match Layout::from_size_align(size, ALIGN) {
        // SAFETY: the size is not 0.
        Ok(layout) if size != 0 => unsafe { alloc(layout) },
        _ => ptr::null_mut(),
    }
}

/// Gives back the room for `size` bytes that [`chatnio_wasm_alloc`] has made; NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_wasm_free(data: *mut u8, size: usize) {
    if let Ok(layout) = Layout::from_size_align(size, ALIGN)
        && !data.is_null()
    {
        // SAFETY: the caller vouches that it is room of this size, and not given back yet.
        unsafe { dealloc(data, layout) };
    }
}
