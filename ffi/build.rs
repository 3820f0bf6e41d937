//! Gives the shared library the name that programs are bound to: that of its ABI, not of its version.

use std::env;

/// Raised when a program that was linked before would not run any more (see README.md, "ABI").
const ABI: u32 = 0;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is_whole = env::var_os("CARGO_FEATURE_CLIENT").is_some();
    let name = if is_whole { "chatnio" } else { "chatnio-session" };
    match env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("macos" | "ios") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/lib{name}.{ABI}.dylib");
        }
        Ok("linux" | "android" | "freebsd" | "netbsd" | "openbsd" | "dragonfly") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,lib{name}.so.{ABI}");
            // Threads may still hold destructors of its standard library when a host closes it.
            println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        }
        _ => {}
    }
}
