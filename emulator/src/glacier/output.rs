//! `GetJobOutput`: what a job got, or some bytes of it.
//!
//! <https://docs.aws.amazon.com/amazonglacier/latest/dev/api-job-output-get.html>

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::jobs::{Task, job};
use super::tree_hash::{self, Hash, LEAF};
use super::{Vaults, find, invalid, on};
use crate::Result;
use crate::cloud::{Cx, Service};

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Vaults>) -> Service<Vaults> {
    service.op("GetJobOutput", |at, i: &GetOutput| on(at, &i.vault_name), get)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetOutput {
    account_id: String,
    vault_name: String,
    job_id: String,
    range: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_range: Option<String>,
    accept_ranges: &'static str,
    content_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    archive_description: Option<Arc<str>>,
}

impl Task {
    /// The tree hash of some bytes of an archive, which is told where the range is a whole part of its tree.
    /// <https://docs.aws.amazon.com/amazonglacier/latest/dev/checksum-calculations-range.html>
    pub(super) fn hash(&self, range: &Range<u64>) -> Option<Hash> {
        let Self::Archive { archive, .. } = self else { return None };
        if *range == (0..archive.size) {
            return Some(archive.hash);
        }
        let leaf = LEAF as u64;
        let length = range.end - range.start;
        let leaves = length.div_ceil(leaf).next_power_of_two();
        // Below a node are as many leaves as a power of two says, the first of them a multiple of that; the last may be short.
        let is_whole = length == leaves * leaf || range.end == archive.size;
        let is_node = is_whole && range.start.is_multiple_of(leaves * leaf);
        is_node.then(|| tree_hash::of(&archive.bytes(range)))
    }
}

/// The bytes that a header asks for, of so many.
fn asked(header: &str, size: u64) -> Result<Range<u64>> {
    let ends = header.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let ends = ends.and_then(|(first, last)| {
        let last = if last.is_empty() { u64::MAX - 1 } else { last.parse::<u64>().ok()? };
        Some((first.parse::<u64>().ok()?, last))
    });
    let (first, last) =
        ends.filter(|(first, last)| first <= last).ok_or_else(|| invalid(format!("Invalid range: {header}")))?;
    if first >= size {
        return Err(invalid(format!("The start of the range is larger than size of retrieved data: {header}")));
    }
    Ok(first..last.saturating_add(1).min(size))
}

fn get(cx: &mut Cx<Vaults>, input: GetOutput) -> Result<Output> {
    let vault = find(cx, &input.account_id, &input.vault_name)?;
    let job = job(vault, &input.job_id)?;
    if job.completed.is_none() {
        return Err(invalid(format!("The job is not currently available for download: {}", input.job_id)));
    }
    let size = match &job.task {
        Task::Archive { range, .. } => range.end - range.start,
        Task::Inventory { text, .. } => text.as_ref().map_or(0, |text| text.len() as u64),
    };
    let part = input.range.as_deref().map(|header| asked(header, size)).transpose()?;
    let content_range = part.as_ref().map(|part| format!("bytes {}-{}/{size}", part.start, part.end - 1));
    let status = if part.is_some() { 206 } else { 200 };
    let part = part.unwrap_or(0..size);
    let (body, checksum, content_type, archive_description) = match &job.task {
        Task::Archive { archive, range, .. } => {
            let bytes = range.start + part.start..range.start + part.end;
            let hash = job.task.hash(&bytes).map(hex::encode);
            (archive.bytes(&bytes), hash, "application/octet-stream", archive.description.clone())
        }
        Task::Inventory { csv, text, .. } => {
            let text = text.as_deref().unwrap_or_default();
            let at = |place: u64| usize::try_from(place).unwrap_or_default();
            let bytes = text.as_bytes().get(at(part.start)..at(part.end)).unwrap_or_default();
            let kind = if *csv { "text/csv" } else { "application/json" };
            (Bytes::copy_from_slice(bytes), None, kind, None)
        }
    };
    cx.answer_body(body);
    Ok(Output { status, checksum, content_range, accept_ranges: "bytes", content_type, archive_description })
}
