//! The kernel: world, front, operations, trace, faults.

pub mod reply;
