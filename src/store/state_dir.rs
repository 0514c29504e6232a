//! The state directory as a whole: where it is, whether it is safe, what it holds.

use std::cell::{Cell, OnceCell};
use std::env;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{self, Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::hap_dir::HapDir;
use super::layout::{HAPS, NAMES, RENAMES, TRASH};
use crate::core::error::{Error, Result};
use crate::core::id::Id;
use crate::sys::{file, filesystem, host, lock};

/// How long another `hap` may take to give out a number. It needs a millisecond.
const PATIENCE: Duration = Duration::from_secs(10);

/// The state directory of one user on one machine.
#[derive(Debug)]
pub struct StateDir {
    root: PathBuf,
    root_fd: OwnedFd,
    haps: OwnedFd,
    /// Hardly anybody ever renames a hap: then there is no such directory, and no need to look
    /// into it for each one.
    renames: OnceCell<OwnedFd>,
    has_no_renames: Cell<bool>,
}

/// Held while ids and names are given out or taken back.
pub(super) struct Registry {
    /// The file with the last id, once somebody has asked for it.
    pub(super) last_id: OnceCell<OwnedFd>,
    #[allow(dead_code)]
    held: lock::Held,
}

/// Where the state directory is: `HAPLESS_DIR`, else `hapless` in the user's state home.
/// An empty variable counts as unset, a relative path is made absolute.
pub fn locate() -> Result<PathBuf> {
    let chosen = env::var_os("HAPLESS_DIR").filter(|value| !value.is_empty()).map(PathBuf::from);
    let path = match chosen {
        Some(path) => path,
        None => state_home().ok_or(Error::NoStateDir)?.join("hapless"),
    };
    path::absolute(&path).map_err(Error::file("find", path))
}

/// `XDG_STATE_HOME` if it is absolute, else `.local/state` in the user's home. Where `HOME` is unset
/// `dirs` would ask the C library for it: see `host::home`.
fn state_home() -> Option<PathBuf> {
    let has_home = env::var_os("HOME").is_some_and(|home| !home.is_empty());
    let has_state_home = env::var_os("XDG_STATE_HOME").is_some_and(|path| Path::new(&path).is_absolute());
    if has_home || has_state_home { dirs::state_dir() } else { Some(host::home()?.join(".local/state")) }
}

impl StateDir {
    /// Opens a state directory to read it. `None` if there is none yet.
    pub fn open(root: &Path) -> Result<Option<Self>> {
        if !check_safe(root)? {
            return Ok(None);
        }
        let root_fd = file::open_directory(root).map_err(Error::file("open", root))?;
        match file::open_directory_at(&root_fd, HAPS) {
            Ok(haps) => {
                let (renames, has_no_renames) = (OnceCell::new(), Cell::new(false));
                Ok(Some(Self { root: root.to_owned(), root_fd, haps, renames, has_no_renames }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file("open", root.join(HAPS))(error)),
        }
    }

    /// Opens a state directory to add to it, and makes what is missing of it.
    pub fn create(root: &Path) -> Result<Self> {
        if let Some(state) = Self::open(root)? {
            return Ok(state);
        }
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(root).map_err(Error::file("create", root))?;
        let root_fd = file::open_directory(root).map_err(Error::file("open", root))?;
        for name in [HAPS, NAMES] {
            make_directory(&root_fd, name).map_err(Error::file("create", root.join(name)))?;
        }
        let missing = || Error::file("open", root.join(HAPS))(io::ErrorKind::NotFound.into());
        Self::open(root)?.ok_or_else(missing)
    }

    /// Its path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The ids of all haps, in ascending order.
    pub fn ids(&self) -> Result<Vec<Id>> {
        let entries = self.entries()?;
        let mut ids: Vec<Id> = entries.iter().filter_map(|name| Id::from_canonical(name)).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// Whether the kernel tells of all that changes in it.
    pub fn announces_changes(&self) -> bool {
        filesystem::announces_changes(&self.root_fd)
    }

    /// The directories in which haps and their names come and go.
    pub fn places(&self) -> Vec<PathBuf> {
        [HAPS, NAMES, RENAMES].map(|name| self.root.join(name)).into()
    }

    /// The hap with this id, which need not exist.
    pub fn hap(&self, id: Id) -> HapDir<'_> {
        HapDir::new(self, id)
    }

    /// Whether there is anything, readable or not, with this id.
    pub fn contains(&self, id: Id) -> bool {
        file::length_at(&self.haps, &id.to_string()).is_ok()
    }

    pub(super) fn entries(&self) -> Result<Vec<String>> {
        file::names_in(&self.haps).map_err(Error::file("list", self.root.join(HAPS)))
    }

    pub(super) fn haps(&self) -> BorrowedFd<'_> {
        self.haps.as_fd()
    }

    /// The directory of renames, if there was one when this process first asked, or first asked after it
    /// had its turn.
    pub(super) fn renames(&self) -> Option<BorrowedFd<'_>> {
        if self.renames.get().is_none() && !self.has_no_renames.get() {
            match file::open_directory_at(&self.root_fd, RENAMES) {
                Ok(renames) => drop(self.renames.set(renames)),
                Err(_) => self.has_no_renames.set(true),
            }
        }
        self.renames.get().map(AsFd::as_fd)
    }

    /// The directory of renames, which is made if it is missing.
    pub(super) fn renames_made(&self) -> Result<BorrowedFd<'_>> {
        if let Some(renames) = self.renames() {
            return Ok(renames);
        }
        let made = self.side_directory(RENAMES)?;
        Ok(self.renames.get_or_init(|| made).as_fd())
    }

    pub(super) fn root_fd(&self) -> BorrowedFd<'_> {
        self.root_fd.as_fd()
    }

    pub(super) fn hap_path(&self, id: Id) -> PathBuf {
        let mut path = OsString::with_capacity(self.root.as_os_str().len() + 64);
        path.push(&self.root);
        for part in ["/", HAPS, "/", &id.to_string()] {
            path.push(part);
        }
        path.into()
    }

    pub(super) fn haps_path(&self) -> PathBuf {
        self.root.join(HAPS)
    }

    /// Opens one of the directories beside `haps`, and makes it if it is missing.
    pub(super) fn side_directory(&self, name: &'static str) -> Result<OwnedFd> {
        debug_assert!([NAMES, RENAMES, TRASH].contains(&name));
        let opened = match file::open_directory_at(&self.root_fd, name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_directory(&self.root_fd, name).and_then(|()| file::open_directory_at(&self.root_fd, name))
            }
            opened => opened,
        };
        opened.map_err(Error::file("open", self.root.join(name)))
    }

    /// Waits for its turn to give out ids and names.
    pub(super) fn registry(&self) -> Result<Registry> {
        let path = || self.haps_path();
        let deadline = Instant::now() + PATIENCE;
        let mut pause = Duration::from_micros(100);
        loop {
            let directory = file::open_directory_at(&self.root_fd, HAPS).map_err(Error::file("open", path()))?;
            if let Some(held) = lock::Held::take(directory).map_err(Error::file("lock", path()))? {
                // Whoever had its turn before may have made the directory.
                self.has_no_renames.set(false);
                return Ok(Registry { last_id: OnceCell::new(), held });
            }
            if Instant::now() > deadline {
                return Err(Error::file("lock", path())(io::Error::other(
                    "another hap command holds it and does not go on",
                )));
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(5));
        }
    }
}

/// Makes a directory, if nobody else just did.
fn make_directory(base: impl AsFd, name: &str) -> io::Result<()> {
    match file::create_directory_at(base, name) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Whether the directory exists; an error if others could change what is in it.
fn check_safe(root: &Path) -> Result<bool> {
    let metadata = match root.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::file("open", root)(error)),
    };
    let reason = if metadata.is_symlink() {
        "it is a symbolic link"
    } else if !metadata.is_dir() {
        "it is no directory"
    } else if metadata.uid() != host::own_uid() {
        "it belongs to another user"
    } else if metadata.mode() & 0o022 != 0 {
        "other users may write to it"
    } else {
        return Ok(true);
    };
    Err(Error::UnsafeStateDir { path: root.to_owned(), reason })
}
