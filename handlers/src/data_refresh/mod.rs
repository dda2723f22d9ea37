//! data-refresh: takes over yesterday's tables of the partner, each day.
//!
//! ```text
//! schedule ─▶ for each table: s3://source/{table}/{yesterday}.csv ─▶ checked as CSV ─▶ s3://destination/dados_{table}.csv
//! ```
//! [`table`] says what a table has to be and is pure. [`run`] reads and writes. A table that is missing or malformed is told in
//! the result and the log, its former copy stays, and the others go on; what only a retry can mend fails the invocation, after
//! every table has had its turn.

pub mod error;
pub mod run;
pub mod service;
pub mod settings;
pub mod table;

pub use error::Error;
pub use service::{DataRefresh, service};
