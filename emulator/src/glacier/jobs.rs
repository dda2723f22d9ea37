//! Jobs, by which archives and inventories come out: `InitiateJob`, `DescribeJob`, `ListJobs`.
//!
//! <https://docs.aws.amazon.com/amazonglacier/latest/dev/job-operations.html>

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::archives::Archive;
use super::inventory::{self, Range};
use super::tree_hash::LEAF;
use super::vaults::{Vault, location};
use super::{PAGE, Vaults, arn, find, find_mut, invalid, not_found, on, page, required, retrieval, settings};
use crate::cloud::{Cx, Scope, Service};
use crate::{Error, Result, Timestamp};

/// The events by which a job is done, and by which its output goes; their key is the vault's name and the job's id.
pub(super) const DONE: &str = "JobDone";
pub(super) const GONE: &str = "JobGone";
/// The output can be had for so long.
/// <https://docs.aws.amazon.com/amazonglacier/latest/dev/api-job-output-get.html>
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Characters of an id.
const ID: usize = 92;
/// How long the tiers take, in seconds: at least, and at most.
/// <https://docs.aws.amazon.com/amazonglacier/latest/dev/downloading-an-archive-two-steps.html#api-downloading-an-archive-two-steps-retrieval-options>
const TIERS: [(&str, u64, u64); 3] =
    [("Expedited", 60, 5 * 60), ("Standard", 3 * 3600, 5 * 3600), ("Bulk", 5 * 3600, 12 * 3600)];
const STANDARD: &str = "Standard";
pub(super) const IN_PROGRESS: &str = "InProgress";
const SUCCEEDED: &str = "Succeeded";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Vaults>) -> Service<Vaults> {
    service
        .op("InitiateJob", |at, i: &Initiate| on(at, &i.vault_name), initiate)
        .op("DescribeJob", |at, i: &OfJob| on(at, &i.vault_name), describe)
        .op("ListJobs", |at, i: &ListJobs| on(at, &i.vault_name), list)
}

/// A job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub description: Option<String>,
    pub created: Timestamp,
    pub completed: Option<Timestamp>,
    pub topic: Option<String>,
    pub task: Task,
}

/// What a job gets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Task {
    /// An archive, or some bytes of it. It is kept here, whatever becomes of it in the vault.
    Archive { id: String, archive: Archive, range: std::ops::Range<u64>, tier: String },
    /// An inventory, once it is written.
    Inventory { csv: bool, range: Range, text: Option<String> },
}

impl Job {
    fn status(&self) -> &'static str {
        if self.completed.is_some() { SUCCEEDED } else { IN_PROGRESS }
    }

    /// `GlacierJobDescription` of the API, which messages to topics are as well.
    pub fn shown(&self, scope: &Scope, vault: &str, id: &str) -> Value {
        let mut shown = json!({
            "JobId": id,
            "JobDescription": self.description,
            "VaultARN": arn(scope, vault),
            "CreationDate": self.created.to_iso_millis(),
            "Completed": self.completed.is_some(),
            "StatusCode": self.status(),
            "StatusMessage": self.completed.map(|_| SUCCEEDED),
            "CompletionDate": self.completed.map(Timestamp::to_iso_millis),
            "SNSTopic": self.topic,
        });
        let more = match &self.task {
            Task::Archive { id, archive, range, tier } => json!({
                "Action": "ArchiveRetrieval",
                "ArchiveId": id,
                "ArchiveSizeInBytes": archive.size,
                "ArchiveSHA256TreeHash": hex::encode(archive.hash),
                "SHA256TreeHash": self.task.hash(range).map(hex::encode),
                "RetrievalByteRange": format!("{}-{}", range.start, range.end - 1),
                "Tier": tier,
            }),
            Task::Inventory { csv, range, text } => {
                let mut parameters = json!({ "Format": if *csv { "CSV" } else { "JSON" } });
                merge(&mut parameters, serde_json::to_value(range).unwrap_or_default());
                json!({
                    "Action": "InventoryRetrieval",
                    "InventorySizeInBytes": text.as_ref().map(String::len),
                    "InventoryRetrievalParameters": parameters,
                })
            }
        };
        merge(&mut shown, more);
        if let Some(members) = shown.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        shown
    }
}

fn merge(into: &mut Value, more: Value) {
    if let (Some(into), Value::Object(more)) = (into.as_object_mut(), more) {
        into.extend(more);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Initiate {
    account_id: String,
    vault_name: String,
    job_parameters: Option<Parameters>,
}

/// `JobParameters` of the API.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameters {
    r#type: Option<String>,
    format: Option<String>,
    archive_id: Option<String>,
    description: Option<String>,
    #[serde(rename = "SNSTopic")]
    topic: Option<String>,
    retrieval_byte_range: Option<String>,
    tier: Option<String>,
    inventory_retrieval_parameters: Option<Range>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Initiated {
    location: String,
    job_id: String,
}

fn initiate(cx: &mut Cx<Vaults>, input: Initiate) -> Result<Initiated> {
    let vault = find(cx, &input.account_id, &input.vault_name)?;
    let parameters = input.job_parameters.ok_or_else(|| required("jobParameters"))?;
    super::check_description(parameters.description.as_deref())?;
    let kind = parameters.r#type.as_deref().ok_or_else(|| required("Type"))?;
    let (task, (least, most)) = match kind {
        "archive-retrieval" => archive_task(vault, &parameters)?,
        "inventory-retrieval" => (inventory_task(vault, &parameters)?, times(STANDARD)?),
        "select" => return Err(Error::not_implemented("jobs of S3 Glacier that select (the type select)")),
        other => return Err(invalid(format!("Invalid job type: {other}"))),
    };
    if let Task::Archive { range, .. } = &task {
        retrieval::allow(cx, range.end - range.start)?;
    }
    let id = cx.ids().mixed(ID);
    let done = cx.now + Duration::from_secs(least + cx.ids().below(most - least + 1));
    let (description, topic) = (parameters.description, parameters.topic);
    let job = Job { description, created: cx.now, completed: None, topic, task };
    find_mut(cx, "-", &input.vault_name)?.jobs.insert(id.clone(), job);
    cx.set_timer(DONE, format!("{}/{id}", input.vault_name), done);
    let location = location(cx.scope, &input.vault_name, format_args!("/jobs/{id}"));
    Ok(Initiated { location, job_id: id })
}

/// How long a tier takes.
fn times(tier: &str) -> Result<(u64, u64)> {
    let found = TIERS.iter().find(|(name, ..)| *name == tier).map(|(_, least, most)| (*least, *most));
    found.ok_or_else(|| invalid(format!("Invalid tier: {tier}")))
}

fn archive_task(vault: &Vault, parameters: &Parameters) -> Result<(Task, (u64, u64))> {
    if parameters.format.is_some() || parameters.inventory_retrieval_parameters.is_some() {
        return Err(invalid("Format and InventoryRetrievalParameters are for inventory-retrieval jobs alone."));
    }
    let id = parameters.archive_id.as_deref().ok_or_else(|| required("ArchiveId"))?;
    let archive = vault.archives.get(id).ok_or_else(|| not_found(format!("The archive ID was not found: {id}")))?;
    let range = match parameters.retrieval_byte_range.as_deref() {
        None => 0..archive.size,
        Some(text) => byte_range(text, archive.size)?,
    };
    let tier = parameters.tier.clone().unwrap_or_else(|| STANDARD.to_owned());
    let times = times(&tier)?;
    Ok((Task::Archive { id: id.to_owned(), archive: archive.clone(), range, tier }, times))
}

/// A range of whole mebibytes; the last may end with the archive.
/// <https://docs.aws.amazon.com/amazonglacier/latest/dev/downloading-an-archive.html#downloading-an-archive-range>
fn byte_range(text: &str, size: u64) -> Result<std::ops::Range<u64>> {
    let leaf = LEAF as u64;
    let ends = text.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse::<u64>().ok()?)));
    let fits = |(first, last): &(u64, u64)| {
        first <= last && *last < size && first % leaf == 0 && ((last + 1) % leaf == 0 || last + 1 == size)
    };
    let (first, last) = ends.filter(fits).ok_or_else(|| invalid(format!("Invalid retrieval byte range: {text}")))?;
    Ok(first..last + 1)
}

fn inventory_task(vault: &Vault, parameters: &Parameters) -> Result<Task> {
    if parameters.archive_id.is_some() || parameters.retrieval_byte_range.is_some() {
        return Err(invalid("ArchiveId and RetrievalByteRange are for archive-retrieval jobs alone."));
    }
    if parameters.tier.is_some() {
        return Err(Error::not_implemented("the tier of an inventory retrieval of S3 Glacier"));
    }
    let csv = match parameters.format.as_deref() {
        None | Some("JSON") => false,
        Some("CSV") => true,
        Some(other) => return Err(invalid(format!("Invalid format: {other}"))),
    };
    let range = parameters.inventory_retrieval_parameters.clone().unwrap_or_default();
    range.check()?;
    // The first inventory is taken within a day of the first archive.
    if vault.inventory.is_none() {
        return Err(not_found(format!("No inventory was taken yet of the vault: {}", vault.name)));
    }
    Ok(Task::Inventory { csv, range, text: None })
}

/// A job is done: its output can be had for a day, and topics are told.
pub(super) fn done(cx: &mut Cx<Vaults>, key: &str) -> Result<()> {
    let Some((name, id)) = key.split_once('/') else { return Ok(()) };
    let (now, scope) = (cx.now, cx.scope.clone());
    let Some(vault) = cx.state.vaults.get_mut(name) else { return Ok(()) };
    let Some(mut job) = vault.jobs.get(id).cloned() else { return Ok(()) };
    if let Task::Inventory { csv, range, text } = &mut job.task {
        let written = inventory::written(&scope, vault, *csv, range);
        let (found, next) = written.unwrap_or_default();
        *text = Some(found);
        range.marker = next;
    }
    job.completed = Some(now);
    vault.jobs.insert(id.to_owned(), job.clone());
    cx.set_timer(GONE, key, now + KEPT);
    settings::tell(cx, name, id, &job);
    Ok(())
}

pub(super) fn gone(cx: &mut Cx<Vaults>, key: &str) -> Result<()> {
    if let Some((vault, id)) = key.split_once('/')
        && let Some(vault) = cx.state.vaults.get_mut(vault)
    {
        vault.jobs.remove(id);
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfJob {
    account_id: String,
    vault_name: String,
    job_id: String,
}

/// The job of this id.
pub(super) fn job<'a>(vault: &'a Vault, id: &str) -> Result<&'a Job> {
    vault.jobs.get(id).ok_or_else(|| not_found(format!("The job ID was not found: {id}")))
}

fn describe(cx: &mut Cx<Vaults>, input: OfJob) -> Result<Value> {
    let vault = find(cx, &input.account_id, &input.vault_name)?;
    Ok(job(vault, &input.job_id)?.shown(cx.scope, &vault.name, &input.job_id))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListJobs {
    account_id: String,
    vault_name: String,
    limit: Option<String>,
    marker: Option<String>,
    statuscode: Option<String>,
    completed: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    job_list: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

fn list(cx: &mut Cx<Vaults>, input: ListJobs) -> Result<Listed> {
    let vault = find(cx, &input.account_id, &input.vault_name)?;
    let status = input.statuscode.as_deref();
    if let Some(other) = status.filter(|status| ![IN_PROGRESS, SUCCEEDED, "Failed"].contains(status)) {
        return Err(invalid(format!("Invalid status code: {other}")));
    }
    let completed = match input.completed.as_deref() {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(other) => return Err(invalid(format!("Invalid value for completed: {other}"))),
    };
    let wanted = |job: &Job| {
        status.is_none_or(|status| job.status() == status)
            && completed.is_none_or(|completed| job.completed.is_some() == completed)
    };
    let all = vault.jobs.iter().filter(|(_, job)| wanted(job));
    let all = all.map(|(id, job)| (id.clone(), job.shown(cx.scope, &vault.name, id)));
    let (job_list, marker) = page(all, input.marker.as_deref(), input.limit.as_deref(), PAGE)?;
    Ok(Listed { job_list, marker })
}
