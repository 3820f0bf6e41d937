//! Proves that `chatnio-core` and all that it depends on need no std, and with it no clock, socket, file or thread.
//!
//! A static library is where a program's one panic handler and one allocator have to be settled. This one brings its
//! own, so it cannot build once std, which brings them too, is anywhere in the tree: "duplicate lang item".

#![no_std]

use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;
use core::time::Duration;

use chatnio_core::transcript::{EventLog, Replay, Transcript};
use chatnio_core::{Auth, Config, Session, rest};

/// Uses the core from end to end, so that all of it is compiled and linked.
///
/// Never called: it is here to be built.
// SAFETY: no other symbol of this name is linked; the library is never linked into anything.
#[unsafe(no_mangle)]
pub extern "C" fn chatnio_no_std_check() -> bool {
    let Ok(transcript) = Transcript::parse("< RECV {\"message\":\"hi\"}\n") else { return false };
    let (replay, _) = Replay::new(&transcript);
    let Ok(mut session) = Session::new(Auth::anonymous(), Config::default(), Duration::ZERO) else { return false };
    let mut log = EventLog::new();
    let mut out = Default::default();
    replay.run(&mut session, Duration::ZERO, |replayed| log.replayed(&replayed, &mut out));
    !out.is_empty() && rest::conversations().decode(200, out.as_bytes()).is_ok()
}

/// Has no memory to give: nothing runs here.
struct NoMemory;

// SAFETY: null is how an allocator says that it has no memory, and so there is nothing to give back.
unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: NoMemory = NoMemory;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}
