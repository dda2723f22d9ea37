//! The `garoa` command.
fn main() {}
