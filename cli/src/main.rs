//! The `chatnio` command.
fn main() {}
