//! The state: buckets, and in each the versions of its keys.
//!
//! `objects` holds the current object of each key that has one; `history` everything else: noncurrent versions and
//! delete markers. So a key whose latest version is a delete marker is in `history` alone, lists of objects never step
//! over what they do not answer, and nothing is kept twice.

use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::configuration::Configuration;
use super::multipart::Upload;
use super::object::{Description, Object, Stamp, Version};
use super::ownership::NewBuckets;
use crate::cloud::{Asks, Ids, Inquiries};
use crate::{Result, Timestamp};

/// The length of a version's and an upload's id here.
const ID_LENGTH: usize = 32;
/// How many characters at its end are the place in the bucket, so that an id is found without a search.
const ID_PLACE: usize = 10;

/// All buckets of the partition.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Buckets {
    pub(super) buckets: OrdMap<Arc<str>, Bucket>,
    /// What the destinations of notifications answered, until the request that asked has learnt it.
    #[serde(default)]
    inquiries: Inquiries,
    /// Whether any bucket or object ever had to do with AWS KMS: see `kms.rs`.
    #[serde(default = "unknown")]
    pub(super) uses_kms: bool,
}

/// What was saved before this was kept is looked at.
fn unknown() -> bool {
    true
}

impl Asks for Buckets {
    fn inquiries(&mut self) -> &mut Inquiries {
        &mut self.inquiries
    }
}

/// A bucket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Bucket {
    pub name: Arc<str>,
    /// The account.
    pub owner: Arc<str>,
    pub region: Arc<str>,
    pub created: Timestamp,
    pub versioning: Versioning,
    pub objects: OrdMap<Arc<str>, Arc<Object>>,
    pub history: OrdMap<Arc<str>, History>,
    /// Uploads that are neither complete nor aborted, by key and in order of their start.
    #[serde(with = "crate::cloud::pairs")]
    pub uploads: OrdMap<(Arc<str>, u64), Upload>,
    pub configuration: Configuration,
    /// Whether its region was named in the way of old: see `names::EU`.
    #[serde(default)]
    pub is_eu: bool,
    /// The latest uploads that were completed, by their places: see `multipart::abort`.
    #[serde(default)]
    pub completed: OrdMap<u64, Arc<str>>,
    last_sequence: u64,
    /// What is kept of the object that was stored last.
    #[serde(skip)]
    last_description: Option<Arc<Description>>,
}

/// Whether a bucket keeps versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Versioning {
    /// It never did.
    #[default]
    Off,
    Enabled,
    Suspended,
}

/// The versions of a key besides its current object, by their sequence.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct History {
    pub versions: OrdMap<u64, Version>,
    /// The sequence of the null version, if it is here.
    null: Option<u64>,
}

impl History {
    fn add(&mut self, version: Version) {
        let stamp = version.stamp();
        if stamp.id.is_none() {
            self.null = Some(stamp.sequence);
        }
        self.versions.insert(stamp.sequence, version);
    }

    /// The sequence of the version of this id.
    fn find(&self, id: &str) -> Option<u64> {
        let sequence = if id == "null" { self.null? } else { place(id)? };
        let version = self.versions.get(&sequence)?;
        (version.stamp().id_or_null() == id).then_some(sequence)
    }

    fn take(&mut self, sequence: u64) -> Option<Version> {
        if self.null == Some(sequence) {
            self.null = None;
        }
        self.versions.remove(&sequence)
    }

    fn newest(&self) -> Option<&Version> {
        self.versions.get_max().map(|(_, version)| version)
    }
}

/// The place in the bucket that an id ends in.
pub(super) fn place(id: &str) -> Option<u64> {
    let start = id.len().checked_sub(ID_PLACE)?;
    u64::from_str_radix(id.get(start..)?, 16).ok()
}

impl Bucket {
    pub fn new(name: &str, owner: Arc<str>, region: Arc<str>, created: Timestamp, new: NewBuckets) -> Self {
        Self {
            name: name.into(),
            owner,
            region,
            created: whole_seconds(created),
            versioning: Versioning::Off,
            objects: OrdMap::new(),
            history: OrdMap::new(),
            uploads: OrdMap::new(),
            configuration: Configuration::new(new),
            is_eu: false,
            completed: OrdMap::new(),
            last_sequence: 0,
            last_description: None,
        }
    }

    pub fn arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.name)
    }

    /// The next place in the bucket.
    pub fn next_sequence(&mut self) -> u64 {
        self.last_sequence += 1;
        self.last_sequence
    }

    /// The next place in the bucket, and an id that ends in it.
    pub fn next_id(&mut self, ids: &mut Ids) -> (u64, Arc<str>) {
        let sequence = self.next_sequence();
        let id = format!("{}{sequence:0width$x}", ids.mixed(ID_LENGTH - ID_PLACE), width = ID_PLACE);
        (sequence, id.into())
    }

    /// What the next version of a key is stamped with.
    pub fn next_stamp(&mut self, ids: &mut Ids, modified: Timestamp) -> Stamp {
        let (sequence, id) = match self.versioning {
            Versioning::Enabled => {
                let (sequence, id) = self.next_id(ids);
                (sequence, Some(id))
            }
            Versioning::Off | Versioning::Suspended => (self.next_sequence(), None),
        };
        Stamp { id, sequence, modified: whole_seconds(modified) }
    }

    /// The latest version of a key.
    pub fn latest(&self, key: &str) -> Option<Version> {
        match self.objects.get(key) {
            Some(object) => Some(Version::Object(Arc::clone(object))),
            None => self.history.get(key)?.newest().cloned(),
        }
    }

    /// A version of a key.
    pub fn version(&self, key: &str, id: &str) -> Option<Version> {
        if let Some(object) = self.objects.get(key).filter(|object| object.stamp.id_or_null() == id) {
            return Some(Version::Object(Arc::clone(object)));
        }
        let history = self.history.get(key)?;
        history.versions.get(&history.find(id)?).cloned()
    }

    /// How answers name a version: not at all in a bucket that never kept versions.
    pub fn shown_id(&self, stamp: &Stamp) -> Option<String> {
        (self.versioning != Versioning::Off || stamp.id.is_some()).then(|| stamp.id_or_null().to_owned())
    }

    /// A version becomes the latest of its key.
    pub fn add(&mut self, key: &str, version: Version) {
        let null_comes = version.stamp().id.is_none();
        match version {
            Version::Object(object) => {
                let current = self.objects.insert(key.into(), object);
                self.displace(key, current, null_comes);
            }
            Version::Marker(_) => {
                let current = self.objects.remove(key);
                self.displace(key, current, null_comes);
                self.history.entry(key.into()).or_default().add(version);
            }
        }
    }

    /// Moves what was the current object into the history. There is at most one null version: it goes when another comes.
    fn displace(&mut self, key: &str, current: Option<Arc<Object>>, null_comes: bool) {
        if null_comes
            && let Some(history) = self.history.get_mut(key)
            && let Some(sequence) = history.null
        {
            history.take(sequence);
            if history.versions.is_empty() {
                self.history.remove(key);
            }
        }
        if let Some(object) = current.filter(|object| !null_comes || object.stamp.id.is_some()) {
            self.history.entry(key.into()).or_default().add(Version::Object(object));
        }
    }

    /// Deletes a key without naming a version. Answers the delete marker that this left, if it left one.
    pub fn delete(&mut self, key: &str, ids: &mut Ids, now: Timestamp) -> Option<Stamp> {
        if !self.uploads.is_empty() {
            self.outdate_uploads(key);
        }
        if self.versioning == Versioning::Off {
            self.objects.remove(key);
            return None;
        }
        let stamp = self.next_stamp(ids, now);
        self.add(key, Version::Marker(stamp.clone()));
        Some(stamp)
    }

    /// An upload that is to make its key anew, and no other, learns that the key was deleted meanwhile.
    fn outdate_uploads(&mut self, key: &str) {
        let range = (Arc::from(key), 0)..=(Arc::from(key), u64::MAX);
        let places: Vec<_> = self.uploads.range(range).map(|(place, _)| place.clone()).collect();
        for place in places {
            if let Some(upload) = self.uploads.get_mut(&place) {
                upload.outdated = true;
            }
        }
    }

    /// Deletes a version for good. If the latest is gone, the one before it is the latest.
    pub fn delete_version(&mut self, key: &str, id: &str) -> Option<Version> {
        let gone = match self.objects.get(key) {
            Some(object) if object.stamp.id_or_null() == id => self.objects.remove(key).map(Version::Object),
            _ => {
                let history = self.history.get_mut(key)?;
                let sequence = history.find(id)?;
                history.take(sequence)
            }
        };
        self.settle(key);
        gone
    }

    /// Makes the newest of the history current, if there is no current object and it is one.
    fn settle(&mut self, key: &str) {
        let current = self.objects.contains_key(key);
        let Some(history) = self.history.get_mut(key) else { return };
        let promoted = match history.newest() {
            Some(Version::Object(object)) if !current => Some(Arc::clone(object)),
            _ => None,
        };
        if let Some(object) = &promoted {
            history.take(object.stamp.sequence);
        }
        if history.versions.is_empty() {
            self.history.remove(key);
        }
        if let Some(object) = promoted {
            self.objects.insert(key.into(), object);
        }
    }

    /// What is kept of the next object: mostly the same as of the last one, for a program stores things of one kind.
    pub fn describe(&mut self, next: Description) -> Arc<Description> {
        let same = self.last_description.as_ref().filter(|last| ***last == next);
        let shared = same.map_or_else(|| Arc::new(next), Arc::clone);
        self.last_description = Some(Arc::clone(&shared));
        shared
    }

    /// Changes what is kept of a version in place: its tags, its ACL.
    pub fn change(&mut self, key: &str, version: &Object, change: impl FnOnce(&mut Description)) -> Result<()> {
        let mut changed = version.clone();
        change(Arc::make_mut(&mut changed.description));
        let sequence = changed.stamp.sequence;
        let changed = Arc::new(changed);
        match self.objects.get_mut(key).filter(|object| object.stamp.sequence == sequence) {
            Some(object) => *object = changed,
            None => {
                let history = self.history.get_mut(key);
                history
                    .and_then(|history| history.versions.get_mut(&sequence))
                    .map(|version| *version = Version::Object(changed))
                    .ok_or_else(|| crate::Error::internal("a version that was just found is gone"))?;
            }
        }
        Ok(())
    }

    /// The first key from `from` on that has any version.
    pub fn next_key(&self, from: Bound<&str>) -> Option<&Arc<str>> {
        let range = (from, Bound::Unbounded);
        let current = self.objects.range::<_, str>(range).next().map(|(key, _)| key);
        let hidden = self.history.range::<_, str>(range).next().map(|(key, _)| key);
        match (current, hidden) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}

/// S3 keeps and answers times in whole seconds.
pub(super) fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_secs(time.secs())
}
