//! Tests of the emulator through its public surface, in one binary.
#![allow(clippy::unwrap_used)]

mod clock;
mod faults;
mod fuzz;
mod mappings;
mod queue_scenarios;
mod sdk;
mod stream_mappings;
mod support;
