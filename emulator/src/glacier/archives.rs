//! Archives: `UploadArchive` and `DeleteArchive`.
//!
//! <https://docs.aws.amazon.com/amazonglacier/latest/dev/working-with-archives.html>

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use imbl::Vector;
use serde::{Deserialize, Serialize};

use super::tree_hash::{self, Hash};
use super::vaults::location;
use super::{Vaults, check_description, find, find_mut, invalid, inventory, on, required};
use crate::Result;
use crate::Timestamp;
use crate::cloud::{At, Cx, Service};

/// An id has so many characters.
/// <https://docs.aws.amazon.com/amazonglacier/latest/dev/api-archive-post.html>
const ID: usize = 138;
/// An archive that comes in one piece has at most so many bytes.
const LARGEST: u64 = 4 << 30;
/// What hyper reads at once, at most; a longer body was put together in memory of its own.
const READ_BUFFER: usize = 8192 + 4096 * 100;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Vaults>) -> Service<Vaults> {
    service.op_after("UploadArchive", digest, |at, i: &UploadArchive| on(at, &i.vault_name), upload).op(
        "DeleteArchive",
        |at, i: &OfArchive| on(at, &i.vault_name),
        delete,
    )
}

/// An archive, which never changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Archive {
    /// The how-manieth it is of the vault.
    pub number: u64,
    pub description: Option<Arc<str>>,
    pub created: Timestamp,
    pub size: u64,
    pub hash: Hash,
    /// In the pieces in which it came.
    pub pieces: Vector<Piece>,
}

/// Some bytes: base64 in a saved world.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Piece(#[serde(with = "crate::s3::body")] pub Bytes);

impl Piece {
    /// A body as it is kept. A small one is copied: it came as a part of its connection's read buffer.
    pub fn of(body: &Bytes) -> Self {
        Self(if body.len() <= READ_BUFFER { Bytes::copy_from_slice(body) } else { body.clone() })
    }
}

impl Archive {
    /// Some of its bytes: a slice, where they are of one piece.
    pub fn bytes(&self, range: &std::ops::Range<u64>) -> Bytes {
        let mut found = BytesMut::new();
        let mut begins = 0;
        for Piece(piece) in &self.pieces {
            let ends = begins + piece.len() as u64;
            let (from, to) = (range.start.max(begins), range.end.min(ends));
            if from < to {
                let at = |place: u64| usize::try_from(place - begins).unwrap_or_default();
                if (from, to) == (range.start, range.end) {
                    return piece.slice(at(from)..at(to));
                }
                found.extend_from_slice(&piece[at(from)..at(to)]);
            }
            begins = ends;
        }
        found.freeze()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UploadArchive {
    account_id: String,
    vault_name: String,
    archive_description: Option<String>,
    checksum: Option<String>,
    #[serde(skip)]
    hash: Hash,
}

/// The answer of everything that makes an archive.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    location: String,
    checksum: String,
    archive_id: Arc<str>,
}

fn digest(input: &mut UploadArchive, body: &Bytes) {
    input.hash = tree_hash::of(body);
}

/// # Errors
/// `MissingParameterValueException`, and `InvalidParameterValueException` for another hash than the bytes have.
pub(super) fn check_hash(given: Option<&str>, hash: &Hash) -> Result<()> {
    let given = given.ok_or_else(|| required("x-amz-sha256-tree-hash"))?;
    let computed = hex::encode(hash);
    if given.eq_ignore_ascii_case(&computed) {
        return Ok(());
    }
    Err(invalid(format!("Checksum mismatch: expected {given}, computed {computed}")))
}

fn upload(cx: &mut Cx<Vaults>, input: UploadArchive) -> Result<Created> {
    find(cx, &input.account_id, &input.vault_name)?;
    check_description(input.archive_description.as_deref())?;
    let length = cx.body.len() as u64;
    if length == 0 || length > LARGEST {
        return Err(invalid(format!("Invalid Content-Length: {length}")));
    }
    check_hash(input.checksum.as_deref(), &input.hash)?;
    let pieces = Vector::unit(Piece::of(&cx.body));
    add(cx, &input.vault_name, input.archive_description, (length, input.hash, pieces))
}

/// Adds an archive to a vault that is there.
pub(super) fn add(
    cx: &mut Cx<Vaults>,
    name: &str,
    description: Option<String>,
    (size, hash, pieces): (u64, Hash, Vector<Piece>),
) -> Result<Created> {
    let id: Arc<str> = cx.ids().mixed(ID).into();
    let created = cx.now;
    let vault = find_mut(cx, "-", name)?;
    let number = vault.archives.values().map(|archive| archive.number + 1).max().unwrap_or_default();
    let description = description.filter(|text| !text.is_empty()).map(Arc::from);
    vault.archives.insert(id.clone(), Archive { number, description, created, size, hash, pieces });
    inventory::changed(cx, name);
    let location = location(cx.scope, name, format_args!("/archives/{id}"));
    Ok(Created { location, checksum: hex::encode(hash), archive_id: id })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfArchive {
    account_id: String,
    vault_name: String,
    archive_id: String,
}

/// To delete one that is gone is no error. A vault's lock may keep archives for so many days.
/// <https://docs.aws.amazon.com/amazonglacier/latest/dev/vault-lock-policy.html>
fn delete(cx: &mut Cx<Vaults>, input: OfArchive) -> Result<()> {
    let (name, id) = (&input.vault_name, &*input.archive_id);
    let Some(archive) = find(cx, &input.account_id, name)?.archives.get(id) else {
        let is_id = id.len() == ID && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        return if is_id { Ok(()) } else { Err(invalid(format!("Invalid archive ID: {id}"))) };
    };
    let days = cx.now.since(archive.created).as_secs() / 86_400;
    let target = on(&At { scope: cx.scope, state: &*cx.state }, name);
    cx.access().require("glacier:DeleteArchive", &target.context("glacier:ArchiveAgeInDays", days.to_string()))?;
    find_mut(cx, &input.account_id, name)?.archives.remove(id);
    inventory::changed(cx, name);
    Ok(())
}
