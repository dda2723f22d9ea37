//! ZIP archives: the uploaded code of functions, read defensively and unpacked below one folder.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use flate2::read::DeflateDecoder;

/// The size of the unpacked code of a function, in bytes: 250 MiB.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub(in crate::lambda) const UNZIPPED_LIMIT: u64 = 262_144_000;
/// The longest path of a file in an archive, in bytes. AWS names none; file systems end at 4096.
const PATH_LIMIT: usize = 1024;
/// The fixed part of the end record, and the longest comment behind it (APPNOTE.TXT 4.3.16).
const END_SIZE: usize = 22;
const COMMENT_LIMIT: usize = u16::MAX as usize;
/// The fixed parts of an entry of the directory, and of the header in front of its data (APPNOTE.TXT 4.3.12, 4.3.7).
const ENTRY_SIZE: usize = 46;
const HEADER_SIZE: usize = 30;
/// The kinds of file in the upper bits of a Unix mode.
const KIND: u32 = 0o170_000;
const SYMLINK: u32 = 0o120_000;
/// What marks made on Unix: the upper byte of "version made by".
const UNIX: u16 = 3;

/// An archive whose directory was read. Its data is not looked at before it is unpacked.
#[derive(Debug)]
pub(in crate::lambda) struct Archive<'a> {
    bytes: &'a [u8],
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    path: PathBuf,
    is_folder: bool,
    mode: u32,
    method: u16,
    checksum: u32,
    packed: usize,
    size: u64,
    header: usize,
}

/// What is wrong with an archive.
#[derive(Debug, thiserror::Error)]
pub(in crate::lambda) enum Flaw {
    #[error("it is not a ZIP archive")]
    NotAnArchive,
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    #[error("Garoa does not read {0}")]
    Unsupported(&'static str),
    #[error("the path {0:?} leads out of the function's folder, or is none")]
    Path(String),
    #[error("Unzipped size must be smaller than {UNZIPPED_LIMIT} bytes")]
    TooLarge,
    #[error("{0}: {1}")]
    Disk(PathBuf, std::io::Error),
}

impl<'a> Archive<'a> {
    /// Reads the directory at an archive's end.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Flaw> {
        let from = bytes.len().saturating_sub(END_SIZE + COMMENT_LIMIT);
        let tail = bytes.get(from..).unwrap_or_default();
        let end = tail.windows(4).rposition(|window| window == b"PK\x05\x06").ok_or(Flaw::NotAnArchive)? + from;
        let (count, size, start) = (u16_at(bytes, end + 10)?, u32_at(bytes, end + 12)?, u32_at(bytes, end + 16)?);
        // The length of the comment, which is the last of the record: without it, the archive was cut off.
        u16_at(bytes, end + 20)?;
        if count == u16::MAX || start == u32::MAX {
            return Err(Flaw::Unsupported("archives in the ZIP64 format"));
        }
        // What stands before the archive, such as a script that unpacks it, moves all places by its length.
        let directory = end.checked_sub(size as usize).ok_or(Flaw::Damaged("its directory is too long"))?;
        let moved = directory.checked_sub(start as usize).ok_or(Flaw::Damaged("its directory is not where it says"))?;
        let (mut entries, mut at, mut total) = (Vec::with_capacity(count.into()), directory, 0u64);
        for _ in 0..count {
            let (entry, next) = entry(bytes, at, moved)?;
            total = total.saturating_add(entry.size);
            if total > UNZIPPED_LIMIT {
                return Err(Flaw::TooLarge);
            }
            entries.push(entry);
            at = next;
        }
        Ok(Self { bytes, entries })
    }

    /// The size of everything in it, in bytes.
    pub fn unpacked_size(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size).sum()
    }

    /// Whether there is a file below this folder.
    pub fn has(&self, folder: &str) -> bool {
        self.entries.iter().any(|entry| !entry.is_folder && entry.path.starts_with(folder))
    }

    /// Unpacks everything below `root`, which exists, over what is there. Nothing outside it is touched or linked to.
    pub fn unpack(&self, root: &Path) -> Result<(), Flaw> {
        let mut links = Vec::new();
        for entry in &self.entries {
            let path = root.join(&entry.path);
            if leads_through_link(root, &entry.path) {
                return Err(Flaw::Path(entry.path.display().to_string()));
            }
            if entry.is_folder {
                fs::create_dir_all(&path).map_err(|e| Flaw::Disk(entry.path.clone(), e))?;
                continue;
            }
            let data = self.data(entry)?;
            if entry.mode & KIND == SYMLINK {
                let target = String::from_utf8(data).map_err(|_| Flaw::Path(entry.path.display().to_string()))?;
                links.push((path, target));
                continue;
            }
            place(&path, &data, entry.mode).map_err(|e| Flaw::Disk(entry.path.clone(), e))?;
        }
        link(root, &links)
    }

    fn data(&self, entry: &Entry) -> Result<Vec<u8>, Flaw> {
        let bytes = self.bytes;
        if bytes.get(entry.header..entry.header + 4) != Some(b"PK\x03\x04") {
            return Err(Flaw::Damaged("a file is not where the directory says"));
        }
        let names = usize::from(u16_at(bytes, entry.header + 26)?) + usize::from(u16_at(bytes, entry.header + 28)?);
        let start = entry.header + HEADER_SIZE + names;
        let packed = start.checked_add(entry.packed).and_then(|end| bytes.get(start..end));
        let packed = packed.ok_or(Flaw::Damaged("a file ends early"))?;
        let mut data = Vec::new();
        match entry.method {
            0 => data.extend_from_slice(packed),
            8 => {
                // One byte more than it says it has is enough to see that it lies.
                let mut unpacked = DeflateDecoder::new(packed).take(entry.size + 1);
                unpacked.read_to_end(&mut data).map_err(|_| Flaw::Damaged("a file does not unpack"))?;
            }
            _ => return Err(Flaw::Unsupported("archives that are packed by another method than deflate")),
        }
        let mut checksum = flate2::Crc::new();
        checksum.update(&data);
        if data.len() as u64 != entry.size || checksum.sum() != entry.checksum {
            return Err(Flaw::Damaged("a file is not what its checksum says"));
        }
        Ok(data)
    }
}

/// The entry of the directory at `at`, and where the next one is.
fn entry(bytes: &[u8], at: usize, moved: usize) -> Result<(Entry, usize), Flaw> {
    if bytes.get(at..at + 4) != Some(b"PK\x01\x02") {
        return Err(Flaw::Damaged("its directory ends early"));
    }
    let (made_by, flags) = (u16_at(bytes, at + 4)?, u16_at(bytes, at + 8)?);
    if flags & 1 != 0 {
        return Err(Flaw::Unsupported("encrypted archives"));
    }
    let (packed, size) = (u32_at(bytes, at + 20)?, u32_at(bytes, at + 24)?);
    let lengths = [u16_at(bytes, at + 28)?, u16_at(bytes, at + 30)?, u16_at(bytes, at + 32)?].map(usize::from);
    let name = bytes.get(at + ENTRY_SIZE..at + ENTRY_SIZE + lengths[0]).ok_or(Flaw::Damaged("a name ends early"))?;
    let name = std::str::from_utf8(name).map_err(|_| Flaw::Unsupported("names of files that are not UTF-8"))?;
    let mode = if made_by >> 8 == UNIX { u32_at(bytes, at + 38)? >> 16 } else { 0 };
    let entry = Entry {
        path: safe(name)?,
        is_folder: name.ends_with('/'),
        mode,
        method: u16_at(bytes, at + 10)?,
        checksum: u32_at(bytes, at + 16)?,
        packed: packed as usize,
        size: size.into(),
        header: (u32_at(bytes, at + 42)? as usize).saturating_add(moved),
    };
    Ok((entry, at + ENTRY_SIZE + lengths.iter().sum::<usize>()))
}

/// The path of an entry, if it stays below the folder that it is unpacked in.
fn safe(name: &str) -> Result<PathBuf, Flaw> {
    let refused = || Flaw::Path(name.chars().take(PATH_LIMIT).collect());
    if name.len() > PATH_LIMIT || name.contains('\0') {
        return Err(refused());
    }
    let mut path = PathBuf::new();
    for component in Path::new(name).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::RootDir | Component::ParentDir | Component::Prefix(_) => return Err(refused()),
        }
    }
    if path.as_os_str().is_empty() && !name.ends_with('/') {
        return Err(refused());
    }
    Ok(path)
}

/// Whether a folder on the way to a file is a link, of an archive that was unpacked here before: where that leads may change.
fn leads_through_link(root: &Path, path: &Path) -> bool {
    let folders = path.ancestors().filter(|folder| !folder.as_os_str().is_empty());
    folders.skip(1).any(|folder| root.join(folder).is_symlink())
}

/// Writes a file. Nobody may change it: environments share it, and at AWS the folder is read-only as well.
fn place(path: &Path, data: &[u8], mode: u32) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // An archive may hold a name twice; the later one counts.
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::write(path, data)?;
    let executable = mode & 0o111 != 0;
    fs::set_permissions(path, fs::Permissions::from_mode(if executable { 0o555 } else { 0o444 }))
}

/// Makes the symbolic links, after all files, so that no file is written through one; each must lead to something inside.
fn link(root: &Path, links: &[(PathBuf, String)]) -> Result<(), Flaw> {
    let disk = |path: &Path| {
        let path = path.to_owned();
        move |error| Flaw::Disk(path, error)
    };
    for (path, target) in links {
        if let Some(folder) = path.parent() {
            // Through no link that is there already.
            fs::create_dir_all(folder).map_err(disk(path))?;
            let real = fs::canonicalize(folder).map_err(disk(path))?;
            if !real.starts_with(fs::canonicalize(root).map_err(disk(root))?) {
                return Err(Flaw::Path(target.clone()));
            }
        }
        // Of an archive that was unpacked here before.
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Flaw::Disk(path.clone(), error)),
            _ => {}
        }
        std::os::unix::fs::symlink(target, path).map_err(disk(path))?;
    }
    let root = fs::canonicalize(root).map_err(disk(root))?;
    for (path, target) in links {
        if !fs::canonicalize(path).is_ok_and(|real| real.starts_with(&root)) {
            return Err(Flaw::Path(target.clone()));
        }
    }
    Ok(())
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Flaw> {
    let found = bytes.get(at..at + 2).and_then(|bytes| bytes.try_into().ok());
    found.map(u16::from_le_bytes).ok_or(Flaw::Damaged("it ends early"))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Flaw> {
    let found = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    found.map(u32::from_le_bytes).ok_or(Flaw::Damaged("it ends early"))
}

/// An archive of files, not packed: what AWS makes of the inline code of a template.
pub(crate) fn archive_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (name, data) in files {
        let mut checksum = flate2::Crc::new();
        checksum.update(data);
        let (size, length, place) = (data.len() as u32, name.len() as u16, archive.len() as u32);
        // What header and entry have in common: version, flags, method, time, date, checksum, sizes, length of the name.
        let mut common = Vec::new();
        for field in [20u16, 1 << 11, 0, 0, 0x21] {
            common.extend_from_slice(&field.to_le_bytes());
        }
        for field in [checksum.sum(), size, size] {
            common.extend_from_slice(&field.to_le_bytes());
        }
        common.extend_from_slice(&length.to_le_bytes());
        archive.extend_from_slice(b"PK\x03\x04");
        archive.extend_from_slice(&common);
        archive.extend_from_slice(&[0; 2]);
        archive.extend_from_slice(name.as_bytes());
        archive.extend_from_slice(data);
        directory.extend_from_slice(b"PK\x01\x02");
        directory.extend_from_slice(&((UNIX << 8) | 20).to_le_bytes());
        directory.extend_from_slice(&common);
        // No extra field, no comment, first disk, no internal attributes.
        directory.extend_from_slice(&[0; 8]);
        directory.extend_from_slice(&(0o100_644u32 << 16).to_le_bytes());
        directory.extend_from_slice(&place.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let count = (files.len() as u16).to_le_bytes();
    let place = (archive.len() as u32).to_le_bytes();
    archive.extend_from_slice(&directory);
    archive.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    archive.extend_from_slice(&count);
    archive.extend_from_slice(&count);
    archive.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    archive.extend_from_slice(&place);
    archive.extend_from_slice(&[0; 2]);
    archive
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// An archive of one entry whose Unix mode, and whose entry's bytes, the test may change.
    fn archive(name: &str, data: &[u8], mode: u32) -> Vec<u8> {
        let mut archive = archive_of(&[(name, data)]);
        let entry = archive.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        archive[entry + 38..entry + 42].copy_from_slice(&(mode << 16).to_le_bytes());
        archive
    }

    fn unpacked(bytes: &[u8], test: &str) -> (PathBuf, Result<(), Flaw>) {
        let root = std::env::temp_dir().join(format!("garoa-unzip-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir(&root).unwrap();
        let outcome = Archive::read(bytes).and_then(|archive| archive.unpack(&root));
        (root, outcome)
    }

    #[test]
    fn files_come_out_as_they_went_in_and_only_programs_may_be_run() {
        let (root, outcome) = unpacked(&archive("a/b.txt", "olá".as_bytes(), 0o100_644), "plain");
        outcome.unwrap();
        assert_eq!(fs::read_to_string(root.join("a/b.txt")).unwrap(), "olá");
        assert_eq!(fs::metadata(root.join("a/b.txt")).unwrap().permissions().mode() & 0o777, 0o444);
        fs::remove_dir_all(root).unwrap();
        let (root, outcome) = unpacked(&archive("bootstrap", b"#!/bin/sh", 0o100_755), "program");
        outcome.unwrap();
        assert_eq!(fs::metadata(root.join("bootstrap")).unwrap().permissions().mode() & 0o777, 0o555);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_path_that_leads_out_is_refused() {
        for name in ["../evil", "/etc/evil", "a/../../evil", "a/\0b", ""] {
            let found = Archive::read(&archive_of(&[(name, b"x")])).map(|archive| archive.entries.len());
            assert!(matches!(found, Err(Flaw::Path(_))), "{name:?}: {found:?}");
        }
    }

    #[test]
    fn a_link_that_leads_out_or_nowhere_is_refused() {
        for target in ["/etc/passwd", "../outside", "nowhere"] {
            let (root, outcome) = unpacked(&archive("link", target.as_bytes(), SYMLINK | 0o777), "link");
            assert!(matches!(outcome, Err(Flaw::Path(_))), "{target}: {outcome:?}");
            fs::remove_dir_all(root).unwrap();
        }
    }

    #[test]
    fn damage_is_told_and_never_panics() {
        let whole = archive_of(&[("a", b"data")]);
        for cut in 0..whole.len() {
            assert!(Archive::read(&whole[..cut]).is_err(), "{cut}");
        }
        let mut flipped = whole.clone();
        for at in 0..whole.len() {
            flipped[at] ^= 0xff;
            let (root, _) = unpacked(&flipped, "flipped");
            fs::remove_dir_all(root).unwrap();
            flipped[at] = whole[at];
        }
        let mut changed = whole;
        let data = changed.windows(4).position(|window| window == b"data").unwrap();
        changed[data] = b'D';
        let (root, outcome) = unpacked(&changed, "changed");
        assert!(matches!(outcome, Err(Flaw::Damaged(_))), "{outcome:?}");
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn more_than_250_mib_are_refused_before_anything_is_unpacked() {
        let mut bytes = archive_of(&[("a", b"x")]);
        let entry = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        bytes[entry + 24..entry + 28].copy_from_slice(&(UNZIPPED_LIMIT as u32 + 1).to_le_bytes());
        assert!(matches!(Archive::read(&bytes), Err(Flaw::TooLarge)));
    }
}
