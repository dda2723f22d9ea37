//! SQS through the front door, as its clients meet it.
#![allow(clippy::unwrap_used)]
