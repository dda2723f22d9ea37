//! Archives that come in parts: `InitiateMultipartUpload`, `UploadMultipartPart`, `CompleteMultipartUpload`,
//! `AbortMultipartUpload`, `ListMultipartUploads`, `ListParts`.
//!
//! <https://docs.aws.amazon.com/amazonglacier/latest/dev/uploading-archive-mpu.html>

use std::time::Duration;

use bytes::Bytes;
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::archives::{Created, Piece, add, check_hash};
use super::tree_hash::{self, Hash, LEAF};
use super::vaults::{Vault, location};
use super::{PAGE, Vaults, arn, check_description, find, find_mut, invalid, not_found, on, page, required};
use crate::cloud::{Cx, Scope, Service};
use crate::{Result, Timestamp};

/// The event by which an upload ends of which nothing was heard; its key is the vault's name and the upload's id.
pub(super) const GONE: &str = "UploadGone";
/// It ends after this time.
/// <https://docs.aws.amazon.com/amazonglacier/latest/dev/api-multipart-initiate-upload.html>
const IDLE: Duration = Duration::from_secs(24 * 3600);
/// An upload has so many parts, each of at most so many bytes.
const PARTS: u64 = 10_000;
const PART: u64 = 4 << 30;
/// Characters of an id.
const ID: usize = 92;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Vaults>) -> Service<Vaults> {
    service
        .op("InitiateMultipartUpload", |at, i: &Initiate| on(at, &i.vault_name), initiate)
        .op_after("UploadMultipartPart", digest, |at, i: &UploadPart| on(at, &i.vault_name), upload)
        .op("CompleteMultipartUpload", |at, i: &Complete| on(at, &i.vault_name), complete)
        .op("AbortMultipartUpload", |at, i: &OfUpload| on(at, &i.vault_name), abort)
        .op("ListMultipartUploads", |at, i: &ListUploads| on(at, &i.vault_name), list)
        .op("ListParts", |at, i: &ListParts| on(at, &i.vault_name), list_parts)
}

/// An upload that is under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Upload {
    description: Option<String>,
    part_size: u64,
    begun: Timestamp,
    /// By their first byte.
    parts: OrdMap<u64, Part>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Part {
    hash: Hash,
    piece: Piece,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Initiate {
    account_id: String,
    vault_name: String,
    archive_description: Option<String>,
    part_size: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Initiated {
    location: String,
    upload_id: String,
}

fn initiate(cx: &mut Cx<Vaults>, input: Initiate) -> Result<Initiated> {
    find(cx, &input.account_id, &input.vault_name)?;
    check_description(input.archive_description.as_deref())?;
    let text = input.part_size.ok_or_else(|| required("x-amz-part-size"))?;
    let fits = |size: &u64| size.is_power_of_two() && (LEAF as u64..=PART).contains(size);
    let part_size = text.parse::<u64>().ok().filter(fits).ok_or_else(|| {
        invalid(format!(
            "Invalid part size: {text}. Part size must not be null, must be a power of two and be between {LEAF} and {PART} \
             bytes."
        ))
    })?;
    let id = cx.ids().mixed(ID);
    let upload = Upload { description: input.archive_description, part_size, begun: cx.now, parts: OrdMap::new() };
    find_mut(cx, "-", &input.vault_name)?.uploads.insert(id.clone(), upload);
    let end = cx.now + IDLE;
    cx.set_timer(GONE, format!("{}/{id}", input.vault_name), end);
    let location = location(cx.scope, &input.vault_name, format_args!("/multipart-uploads/{id}"));
    Ok(Initiated { location, upload_id: id })
}

pub(super) fn gone(cx: &mut Cx<Vaults>, key: &str) -> Result<()> {
    if let Some((vault, id)) = key.split_once('/')
        && let Some(vault) = cx.state.vaults.get_mut(vault)
    {
        vault.uploads.remove(id);
    }
    Ok(())
}

fn upload_of<'a>(vault: &'a Vault, id: &str) -> Result<&'a Upload> {
    vault.uploads.get(id).ok_or_else(|| not_found(format!("The upload ID was not found: {id}")))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UploadPart {
    account_id: String,
    vault_name: String,
    upload_id: String,
    checksum: Option<String>,
    range: Option<String>,
    #[serde(skip)]
    hash: Hash,
}

#[derive(Serialize)]
struct Uploaded {
    checksum: String,
}

fn digest(input: &mut UploadPart, body: &Bytes) {
    input.hash = tree_hash::of(body);
}

/// The first byte of a part, which `bytes A-B/*` tells with its last.
fn first_byte(range: Option<&str>, length: u64, part_size: u64) -> Result<u64> {
    let range = range.ok_or_else(|| required("Content-Range"))?;
    let ends = range.strip_prefix("bytes ").and_then(|rest| rest.strip_suffix("/*")?.split_once('-'));
    let ends = ends.and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?)));
    let (first, last) = ends
        .filter(|(first, last)| first <= last && *last < u64::MAX)
        .ok_or_else(|| invalid(format!("Invalid Content-Range: {range}")))?;
    if last - first + 1 != length {
        return Err(invalid(format!("Content-Range: {range} is incompatible with Content-Length: {length}")));
    }
    if first % part_size != 0 || length > part_size || first / part_size >= PARTS {
        return Err(invalid(format!("Content-Range: {range} is not aligned with the part size: {part_size}")));
    }
    Ok(first)
}

/// A part that comes again takes the place of the one before.
fn upload(cx: &mut Cx<Vaults>, input: UploadPart) -> Result<Uploaded> {
    let upload = upload_of(find(cx, &input.account_id, &input.vault_name)?, &input.upload_id)?;
    let first = first_byte(input.range.as_deref(), cx.body.len() as u64, upload.part_size)?;
    check_hash(input.checksum.as_deref(), &input.hash)?;
    let part = Part { hash: input.hash, piece: Piece::of(&cx.body) };
    let end = cx.now + IDLE;
    if let Some(upload) = find_mut(cx, "-", &input.vault_name)?.uploads.get_mut(&input.upload_id) {
        upload.parts.insert(first, part);
    }
    cx.set_timer(GONE, format!("{}/{}", input.vault_name, input.upload_id), end);
    Ok(Uploaded { checksum: hex::encode(input.hash) })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complete {
    account_id: String,
    vault_name: String,
    upload_id: String,
    archive_size: Option<String>,
    checksum: Option<String>,
}

/// Every part but the last is as large as was said, and none is missing: so the tree of the whole is one over those of the parts.
fn complete(cx: &mut Cx<Vaults>, input: Complete) -> Result<Created> {
    let upload = upload_of(find(cx, &input.account_id, &input.vault_name)?, &input.upload_id)?.clone();
    let text = input.archive_size.ok_or_else(|| required("x-amz-archive-size"))?;
    let size = text.parse::<u64>().map_err(|_| invalid(format!("Invalid archive size: {text}")))?;
    let mut ends = 0;
    for (first, part) in &upload.parts {
        if *first != ends {
            return Err(invalid(format!(
                "The uploaded parts do not cover the archive: there is nothing at byte {ends}"
            )));
        }
        ends += part.piece.0.len() as u64;
    }
    if ends != size || size == 0 {
        return Err(invalid(format!("Archive size mismatch: expected {size}, the parts have {ends}")));
    }
    let hash = tree_hash::root(upload.parts.values().map(|part| part.hash).collect());
    check_hash(input.checksum.as_deref(), &hash)?;
    find_mut(cx, "-", &input.vault_name)?.uploads.remove(&input.upload_id);
    cx.cancel_timer(GONE, format!("{}/{}", input.vault_name, input.upload_id));
    let pieces = upload.parts.values().map(|part| part.piece.clone()).collect();
    add(cx, &input.vault_name, upload.description, (size, hash, pieces))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfUpload {
    account_id: String,
    vault_name: String,
    upload_id: String,
}

/// To abort one that is gone is no error.
/// <https://docs.aws.amazon.com/amazonglacier/latest/dev/api-multipart-abort-upload.html>
fn abort(cx: &mut Cx<Vaults>, input: OfUpload) -> Result<()> {
    find_mut(cx, &input.account_id, &input.vault_name)?.uploads.remove(&input.upload_id);
    cx.cancel_timer(GONE, format!("{}/{}", input.vault_name, input.upload_id));
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListUploads {
    account_id: String,
    vault_name: String,
    marker: Option<String>,
    limit: Option<String>,
}

/// `UploadListElement` of the API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    multipart_upload_id: String,
    #[serde(rename = "VaultARN")]
    vault_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    archive_description: Option<String>,
    part_size_in_bytes: u64,
    creation_date: String,
}

impl Entry {
    fn of(scope: &Scope, vault: &str, id: &str, upload: &Upload) -> Self {
        Self {
            multipart_upload_id: id.to_owned(),
            vault_arn: arn(scope, vault),
            archive_description: upload.description.clone(),
            part_size_in_bytes: upload.part_size,
            creation_date: upload.begun.to_iso_millis(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Uploads {
    uploads_list: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

fn list(cx: &mut Cx<Vaults>, input: ListUploads) -> Result<Uploads> {
    let vault = find(cx, &input.account_id, &input.vault_name)?;
    let entry = |(id, upload): (&String, &Upload)| (id.clone(), Entry::of(cx.scope, &vault.name, id, upload));
    let all = vault.uploads.iter().map(entry);
    let (uploads_list, marker) = page(all, input.marker.as_deref(), input.limit.as_deref(), PAGE)?;
    Ok(Uploads { uploads_list, marker })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListParts {
    account_id: String,
    vault_name: String,
    upload_id: String,
    marker: Option<String>,
    limit: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Parts {
    #[serde(flatten)]
    upload: Entry,
    parts: Vec<PartEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PartEntry {
    range_in_bytes: String,
    #[serde(rename = "SHA256TreeHash")]
    hash: String,
}

fn list_parts(cx: &mut Cx<Vaults>, input: ListParts) -> Result<Parts> {
    let vault = find(cx, &input.account_id, &input.vault_name)?;
    let upload = upload_of(vault, &input.upload_id)?;
    let entry = |(first, part): (&u64, &Part)| {
        let range_in_bytes = format!("{first}-{}", first + part.piece.0.len() as u64 - 1);
        (first.to_string(), PartEntry { range_in_bytes, hash: hex::encode(part.hash) })
    };
    let all = upload.parts.iter().map(entry);
    let (parts, marker) = page(all, input.marker.as_deref(), input.limit.as_deref(), PAGE)?;
    Ok(Parts { upload: Entry::of(cx.scope, &vault.name, &input.upload_id, upload), parts, marker })
}
