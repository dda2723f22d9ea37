//! One refresh: each table read, checked, and written.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::date_time::{DateTime, Format};
use serde::Serialize;

use super::error::Error;
use super::settings::Settings;
use super::table;
use crate::failure::reason;

/// The largest table, in bytes: it is held in memory, of which the function has 512 MB.
const MAX_TABLE: i64 = 128 * 1024 * 1024;
/// A day, in seconds.
const DAY: i64 = 86_400;

/// What a refresh needs.
#[derive(Clone, Debug)]
pub struct Refresh {
    /// The settings.
    pub settings: Settings,
    /// S3.
    pub s3: Client,
    /// The time.
    pub time: SharedTimeSource,
}

/// What a refresh reports, as the function's result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The day whose tables were taken, `2026-03-01`.
    pub date: String,
    /// Each table, in the order of the settings.
    pub tables: Vec<Report>,
}

/// What became of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Its name.
    pub table: String,
    /// What was done.
    #[serde(flatten)]
    pub status: Status,
}

/// What was done with a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum Status {
    /// It was copied.
    Refreshed {
        /// Rows, the header not among them.
        rows: u64,
    },
    /// The partner has delivered none; the former copy stays.
    Missing,
    /// It cannot be used; the former copy stays.
    Malformed {
        /// Why.
        reason: String,
    },
}

impl Refresh {
    /// Refreshes every table.
    pub async fn run(&self) -> Result<Outcome, Error> {
        let date = self.yesterday();
        let (mut tables, mut failures) = (Vec::new(), Vec::new());
        for name in &self.settings.tables {
            match self.refresh(name, &date).await {
                Ok(status) => {
                    match &status {
                        Status::Refreshed { rows } => tracing::info!(table = name, rows, "refreshed"),
                        Status::Missing => tracing::warn!(table = name, date, "the partner delivered no table"),
                        Status::Malformed { reason } => tracing::warn!(table = name, date, reason, "malformed table"),
                    }
                    tables.push(Report { table: name.clone(), status });
                }
                Err(reason) => {
                    tracing::error!(table = name, date, reason, "not refreshed");
                    failures.push(format!("{name}: {reason}"));
                }
            }
        }
        if failures.is_empty() {
            return Ok(Outcome { date, tables });
        }
        Err(Error::TablesUnavailable { total: self.settings.tables.len(), failures })
    }

    /// The UTC day before today.
    fn yesterday(&self) -> String {
        let now = DateTime::from(self.time.now()).secs();
        let text = DateTime::from_secs(now - DAY).fmt(Format::DateTime).unwrap_or_default();
        text.split('T').next().unwrap_or_default().to_owned()
    }

    async fn refresh(&self, table: &str, date: &str) -> Result<Status, String> {
        let bytes = match self.read(&format!("{table}/{date}.csv")).await? {
            Read::Bytes(bytes) => bytes,
            Read::Missing => return Ok(Status::Missing),
            Read::TooLarge(size) => {
                return Ok(Status::Malformed { reason: format!("{size} bytes, more than {MAX_TABLE}") });
            }
        };
        let rows = match table::check(&bytes) {
            Ok(rows) => rows,
            Err(malformed) => return Ok(Status::Malformed { reason: malformed.to_string() }),
        };
        let request = self.s3.put_object().bucket(&self.settings.dest_bucket).key(format!("dados_{table}.csv"));
        let written = request.content_type("text/csv").body(ByteStream::from(bytes)).send().await;
        written.map_err(|error| reason(&error))?;
        Ok(Status::Refreshed { rows })
    }

    async fn read(&self, key: &str) -> Result<Read, String> {
        let object = match self.s3.get_object().bucket(&self.settings.source_bucket).key(key).send().await {
            Ok(object) => object,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(Read::Missing),
            Err(error) => return Err(reason(&error)),
        };
        match object.content_length() {
            Some(size) if size > MAX_TABLE => return Ok(Read::TooLarge(size)),
            Some(_) => {}
            None => return Err("S3 answered without Content-Length".to_owned()),
        }
        let body = object.body.collect().await.map_err(|error| error.to_string())?;
        Ok(Read::Bytes(body.to_vec()))
    }
}

/// What is at a key.
enum Read {
    Bytes(Vec<u8>),
    Missing,
    TooLarge(i64),
}
