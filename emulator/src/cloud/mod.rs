//! The kernel: world, front, operations, trace, faults.
