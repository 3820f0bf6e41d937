//! Structs that the caller makes and the library fills, which may grow in a later version.

use std::mem::MaybeUninit;
use std::ptr;

use crate::failure::Failure;

/// No version will be as large: such a size was not set.
const LARGEST: usize = 1 << 16;

/// A struct that begins with its size in bytes, as its owner's compiler knows it.
///
/// # Safety
/// It is `repr(C)`, and its first field is that size, a `usize`.
pub(crate) unsafe trait Growing: Copy {
    /// The size in version 1, which every caller has.
    const V1: usize;
}

/// A caller's struct, found to be usable before anything is done.
pub(crate) struct Target<T> {
    out: *mut T,
    size: usize,
}

impl<T: Growing> Target<T> {
    /// # Errors
    /// For NULL, and for a size that is too small.
    pub(crate) fn new(out: *mut T) -> Result<Self, Failure> {
        Ok(Target { out, size: size_of_given(out)? })
    }

    /// One of several that lie `stride` bytes apart, which is also their size.
    ///
    /// # Errors
    /// For NULL, and for a stride that is too small, too large, or leaves one of them unaligned.
    #[cfg(feature = "connection")]
    pub(crate) fn at(first: *mut T, index: usize, stride: usize) -> Result<Self, Failure> {
        if first.is_null() || !(T::V1..=LARGEST).contains(&stride) || !stride.is_multiple_of(align_of::<T>()) {
            return Err(Failure::invalid("the structs are NULL, or the stride is not their size"));
        }
        // The caller vouches for all of them: `fill` writes there.
        Ok(Target { out: first.wrapping_byte_add(index * stride), size: stride })
    }

    /// What a caller shows, with zeros for what its version does not have.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    #[cfg(feature = "session")]
    pub(crate) fn given(given: *const T) -> Result<T, Failure> {
        let size = size_of_given(given)?;
        let mut value = MaybeUninit::<T>::zeroed();
        // SAFETY: the caller vouches for `size` bytes; no more are read, and no more are written than there are.
        unsafe { ptr::copy_nonoverlapping(given.cast::<u8>(), value.as_mut_ptr().cast(), size.min(size_of::<T>())) };
        // SAFETY: version 1 is whole, and what follows is zero or what this library wrote: numbers and pointers.
        Ok(unsafe { value.assume_init() })
    }

    /// Fills it: as much as fits, and zeros where the caller knows more.
    #[inline]
    pub(crate) fn fill(self, value: T) {
        self.fill_by(|| value);
    }

    /// [`fill`](Self::fill) by what is made now: in its place, if the caller is of this version.
    #[inline(always)]
    pub(crate) fn fill_by(self, make: impl FnOnce() -> T) {
        let mut aside = MaybeUninit::uninit();
        let is_of_this_version = self.size == size_of::<T>();
        let place = if is_of_this_version { self.out } else { aside.as_mut_ptr() };
        // SAFETY: the caller vouches for `size` bytes at `out`, which is a `T` of its own; `aside` is one of ours.
        unsafe { place.write(make()) };
        if !is_of_this_version {
            self.fill_other(&aside);
        }
    }

    /// For a caller of another version.
    #[cold]
    fn fill_other(self, value: &MaybeUninit<T>) {
        let bytes = self.out.cast::<u8>();
        let known = self.size.min(size_of::<T>());
        // SAFETY: the caller vouches for `size` bytes at `out`.
        unsafe { ptr::copy_nonoverlapping(value.as_ptr().cast::<u8>(), bytes, known) };
        // SAFETY: as above: `known` is at most `size`.
        let rest = unsafe { bytes.add(known) };
        // SAFETY: as above.
        unsafe { rest.write_bytes(0, self.size - known) };
        // The value came with the library's own size.
        // SAFETY: the first field is the size, and version 1 has it.
        unsafe { self.out.cast::<usize>().write(self.size) };
    }
}

fn size_of_given<T: Growing>(given: *const T) -> Result<usize, Failure> {
    if given.is_null() {
        return Err(Failure::invalid("the struct is NULL"));
    }
    // SAFETY: the first field is the size, which the caller has set.
    let size = unsafe { given.cast::<usize>().read() };
    if !(T::V1..=LARGEST).contains(&size) {
        return Err(Failure::invalid("the struct's size is not set, or not that of any version"));
    }
    Ok(size)
}
