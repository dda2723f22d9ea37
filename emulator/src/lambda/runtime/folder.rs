//! The temporary folder of a cloud: unpacked code, one directory for each hash, and what each process may write to.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::unzip::{Archive, Flaw};

/// Tells the folders of several clouds in one process apart.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// The folder. It is removed with everything in it when it is dropped.
pub(super) struct Folder {
    root: PathBuf,
    codes: Mutex<BTreeMap<String, Weak<Code>>>,
}

/// Unpacked code. It is removed when no process uses it any more.
pub(super) struct Code {
    path: PathBuf,
    _folder: Arc<Folder>,
}

/// A directory that one process may write to; it is removed with it.
pub(super) struct Scratch {
    path: PathBuf,
    _folder: Arc<Folder>,
}

impl Folder {
    /// Makes a folder that only this user may look into.
    pub fn new() -> std::io::Result<Arc<Self>> {
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let root = std::env::temp_dir().join(format!("garoa-{}-{number}", std::process::id()));
            match fs::DirBuilder::new().mode(0o700).create(&root) {
                Ok(()) => {
                    fs::create_dir(root.join("code"))?;
                    fs::create_dir(root.join("tmp"))?;
                    return Ok(Arc::new(Self { root, codes: Mutex::default() }));
                }
                // Left behind by a process that was killed and had the same number.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The unpacked code of this hash, which `zips` give if it is not there: each over what was in those before it.
    pub fn code<'a>(self: &Arc<Self>, hash: &str, zips: impl IntoIterator<Item = &'a [u8]>) -> Result<Arc<Code>, Flaw> {
        let mut codes = self.codes.lock();
        if let Some(code) = codes.get(hash).and_then(Weak::upgrade) {
            return Ok(code);
        }
        codes.retain(|_, code| code.strong_count() > 0);
        // A number of its own: who used the last of it may still be removing that.
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = self.root.join("code").join(format!("{hash}-{number}"));
        fs::create_dir(&path).map_err(|e| Flaw::Disk(path.clone(), e))?;
        let code = Arc::new(Code { path, _folder: Arc::clone(self) });
        for zip in zips {
            Archive::read(zip)?.unpack(&code.path)?;
        }
        codes.insert(hash.to_owned(), Arc::downgrade(&code));
        Ok(code)
    }

    /// Removes it before its time, as far as that goes: whoever still uses it is about to end.
    pub fn remove(&self) {
        remove(&self.root);
    }

    /// An empty directory for one process.
    pub fn scratch(self: &Arc<Self>, number: u64) -> std::io::Result<Scratch> {
        let path = self.root.join("tmp").join(number.to_string());
        fs::create_dir(&path)?;
        Ok(Scratch { path, _folder: Arc::clone(self) })
    }

    /// Where a file of Garoa's own is, such as the client that runs Python handlers.
    pub fn own(&self, name: &str, text: &str) -> std::io::Result<PathBuf> {
        let path = self.root.join(name);
        if !path.exists() {
            // In one step, for several environments may start at once.
            let part = self.root.join(format!("{name}.{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
            fs::write(&part, text)?;
            fs::set_permissions(&part, fs::Permissions::from_mode(0o444))?;
            fs::rename(part, &path)?;
        }
        Ok(path)
    }
}

impl Code {
    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Scratch {
    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        remove(&self.root);
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn remove(path: &Path) {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "a temporary folder was not removed");
        }
        _ => {}
    }
}
