//! The header's files: what commands such as `aws s3 cp` may name. `[files."42.zip"]` with `random = "9MiB"` or `text = "id\n1\n"`.
//!
//! A large file is described, not kept: a script needs no file beside it, and no repository grows by megabytes of test data.

use std::collections::BTreeMap;

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};

use super::diagnostic::Problem;
use super::header::{Reader, Table};

/// The largest file, in bytes.
const FILE_MAX: usize = 64 * 1024 * 1024;
const KEYS: [&str; 2] = ["random", "text"];
const UNITS: [(&str, usize); 3] = [("MiB", 1024 * 1024), ("KiB", 1024), ("B", 1)];

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    /// So many bytes that do not compress. They follow from the file's name alone, whatever the run's seed is, so that a
    /// script may know their hash.
    Random(usize),
    /// This text.
    Text(Bytes),
}

impl File {
    /// The content of the file of this name.
    pub fn content(&self, name: &str) -> Bytes {
        match self {
            Self::Random(size) => {
                let mut bytes = vec![0; *size];
                ChaCha20Rng::from_seed(Sha256::digest(name).into()).fill_bytes(&mut bytes);
                Bytes::from(bytes)
            }
            Self::Text(text) => text.clone(),
        }
    }
}

pub(super) fn read(reader: &Reader<'_>, table: Table<'_, '_>) -> Result<BTreeMap<String, File>, Problem> {
    let mut files = BTreeMap::new();
    for (name, value) in reader.entries(table, "files")? {
        let place = reader.at(value);
        let what = || {
            Problem::new(
                place,
                format!("the file `{name}` must be a table such as {{ random = \"9MiB\" }} or {{ text = \"…\" }}"),
            )
        };
        let file = value.get_ref().as_table().ok_or_else(what)?;
        reader.refuse_unknown(file, &KEYS, &format!("the file `{name}`"))?;
        let (key, value) = match (file.get("random"), file.get("text")) {
            (Some(value), None) => ("random", value),
            (None, Some(value)) => ("text", value),
            _ => return Err(what()),
        };
        let text = value.get_ref().as_str().ok_or_else(what)?;
        let file = if key == "text" {
            File::Text(Bytes::copy_from_slice(text.as_bytes()))
        } else {
            File::Random(size(text).map_err(|why| Problem::new(reader.at(value), why))?)
        };
        files.insert(name.to_owned(), file);
    }
    Ok(files)
}

/// `9MiB`, `20KiB`, `100B`.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let parsed = UNITS.into_iter().find_map(|(unit, bytes)| {
        let number: usize = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(bytes)
    });
    match parsed {
        Some(size) if (1..=FILE_MAX).contains(&size) => Ok(size),
        _ => Err(format!("`{text}` is not a size: write it like 9MiB, 20KiB or 100B, up to {}MiB", FILE_MAX >> 20)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_and_a_limit() {
        for (text, bytes) in [("9MiB", 9 << 20), ("20KiB", 20 << 10), ("1B", 1), ("64MiB", FILE_MAX)] {
            assert_eq!(size(text), Ok(bytes));
        }
        for wrong in
            ["", "9", "9MB", "-1B", "0B", "65MiB", "99999999999999999999MiB", "18446744073709551615MiB", "1.5MiB"]
        {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn content_follows_from_name_and_size() {
        let content = |name, random| File::Random(random).content(name);
        assert_eq!(content("a", 100), content("a", 100));
        assert!(content("a", 100) != content("b", 100));
        assert_eq!(content("a", 100).len(), 100);
        assert_eq!(File::Text(Bytes::from("x")).content("a"), "x");
    }
}
