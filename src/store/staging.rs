//! Making a hap under a hidden name and publishing it by rename: no reader ever sees half a hap.

use std::cell::{Cell, OnceCell};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use super::layout::{
    ADOPTION, CMDLINE, CWD, ENVIRON, LOCK, NEW_LOCK, RECORD, SPARE_RECORD, STAGING_PREFIX, STDERR, STDOUT,
};
use super::record_file::Blank;
use super::state_dir::{Registry, StateDir};
use crate::core::error::{Error, Result};
use crate::core::id::Id;
use crate::core::name::Name;
use crate::core::record::Record;
use crate::sys::random::random;
use crate::sys::{file, fork, lock};

/// What is known of a hap before its command exists.
pub struct Contents<'a> {
    /// The arguments, byte for byte.
    pub arguments: &'a [CString],
    /// The environment, byte for byte.
    pub environment: &'a [CString],
    /// The working directory.
    pub workdir: &'a Path,
    /// Stderr goes to the stdout log: there is no other.
    pub merge: bool,
}

/// Which name a hap gets.
pub enum Naming {
    /// The user's.
    Chosen(Name),
    /// A generated one.
    Generated,
}

/// The open files of a hap that is about to run: what its supervisor and its command inherit.
pub struct RunFiles {
    /// The hap's directory, wherever that is renamed to.
    pub directory: OwnedFd,
    /// The hap's lock.
    pub lock: lock::Held,
    /// Its log of stdout, open to be appended to.
    pub stdout: OwnedFd,
    /// Its log of stderr, or that of stdout where they are merged.
    pub stderr: OwnedFd,
}

/// A hap that no reader sees yet.
pub struct Staged<'a> {
    state: &'a StateDir,
    name: String,
    files: RunFiles,
    blank: OnceCell<Blank>,
    is_published: Cell<bool>,
}

/// Nothing is left of a hap that does not come to be.
impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if !self.is_published.get() {
            self.state.discard(&self.name);
        }
    }
}

/// A hap that was just published.
pub struct Published {
    /// Its id.
    pub id: Id,
    /// Its record.
    pub record: Record,
}

impl StateDir {
    /// Makes a hap's directory with all but its record.
    pub fn stage(&self, contents: &Contents<'_>) -> Result<Staged<'_>> {
        let staged = self.stage_files(contents.merge)?;
        staged.describe(contents)?;
        Ok(staged)
    }

    /// Makes a hap's directory with what its processes inherit; its description is still to come.
    pub fn stage_files(&self, merge: bool) -> Result<Staged<'_>> {
        let name = format!("{STAGING_PREFIX}{}-{:016x}", fork::own_pid(), random::<u64>());
        let path = self.haps_path().join(&name);
        file::create_directory_at(self.haps(), &name).map_err(Error::file("create", &path))?;
        match create_files(&path, self.haps(), &name, merge) {
            Ok(files) => {
                Ok(Staged { state: self, name, files, blank: OnceCell::new(), is_published: Cell::new(false) })
            }
            Err(error) => {
                self.discard(&name);
                Err(error)
            }
        }
    }
}

fn create_files(path: &Path, haps: impl AsFd, name: &str, merge: bool) -> Result<RunFiles> {
    let failed = |file: &str| Error::file("create", path.join(file));
    let directory = file::open_directory_at(haps, name).map_err(Error::file("open", path))?;
    let lock = file::create_at(&directory, NEW_LOCK, &[]).and_then(lock::Held::take).map_err(failed(NEW_LOCK))?;
    let lock = lock.expect("nobody else takes a lock of this name");
    file::replace_at(&directory, NEW_LOCK, LOCK).map_err(failed(LOCK))?;
    let stdout = file::create_log_at(&directory, STDOUT).map_err(failed(STDOUT))?;
    let stderr = if merge { stdout.try_clone() } else { file::create_log_at(&directory, STDERR) };
    let stderr = stderr.map_err(failed(STDERR))?;
    Ok(RunFiles { directory, lock, stdout, stderr })
}

impl Staged<'_> {
    /// What supervisor and command inherit of it.
    pub fn files(&self) -> &RunFiles {
        &self.files
    }

    /// Writes down what is known before the command exists. The processes of a launch can be made meanwhile.
    pub fn describe(&self, contents: &Contents<'_>) -> Result<()> {
        let path = self.state.haps_path().join(&self.name);
        let failed = |file: &str| Error::file("create", path.join(file));
        let directory = &self.files.directory;
        let lines = |strings: &[CString]| strings.iter().flat_map(CString::as_bytes_with_nul).copied().collect();
        let (cmdline, environ): (Vec<u8>, Vec<u8>) = (lines(contents.arguments), lines(contents.environment));
        file::create_at(directory, CMDLINE, &[&cmdline]).map_err(failed(CMDLINE))?;
        file::create_at(directory, ENVIRON, &[&environ]).map_err(failed(ENVIRON))?;
        file::link_at(contents.workdir.as_os_str(), directory, CWD).map_err(failed(CWD))?;
        self.blank().map(drop)
    }

    fn blank(&self) -> Result<&Blank> {
        if let Some(blank) = self.blank.get() {
            return Ok(blank);
        }
        let path = self.state.haps_path().join(&self.name).join(RECORD);
        let blank = Blank::create(&self.files.directory).map_err(Error::file("create", path))?;
        Ok(self.blank.get_or_init(|| blank))
    }

    /// Gives it its name and id and lets everybody see it.
    pub fn publish(&self, naming: Naming, record: impl FnOnce(Name) -> Record) -> Result<Published> {
        let registry = self.state.registry()?;
        let name = self.state.free_name(&registry, naming)?;
        let record = record(name.clone());
        let failed = Error::file("write", self.state.haps_path().join(&self.name));
        self.blank()?.fill(&record).map_err(failed)?;
        let id = self.state.next_id(&registry)?;
        let id = match self.give_id(&registry, &name, id) {
            Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
                let id = self.state.id_after_all(&registry)?;
                self.give_id(&registry, &name, id)?
            }
            given => given?,
        };
        self.is_published.set(true);
        Ok(Published { id, record })
    }

    fn give_id(&self, registry: &Registry, name: &Name, id: Id) -> Result<Id> {
        let (state, directory) = (self.state, id.to_string());
        state.bind(registry, name, id)?;
        state.set_last_id(registry, id.number());
        file::rename_new_at(state.haps(), &self.name, state.haps(), &directory)
            .map_err(Error::file("create", state.haps_path().join(directory)))?;
        Ok(id)
    }
}

impl StateDir {
    fn free_name(&self, registry: &Registry, naming: Naming) -> Result<Name> {
        match naming {
            Naming::Chosen(name) => match self.any_holder(registry, &name)? {
                Some(holder) => Err(Error::NameTaken { name, holder }),
                None => Ok(name),
            },
            Naming::Generated => loop {
                let name = Name::generated(random());
                if self.holder(&name).is_none() {
                    return Ok(name);
                }
            },
        }
    }

    /// Removes what was made of a hap, without opening anything: the reason may be that too much is
    /// open. What cannot be removed now goes with the next clean.
    fn discard(&self, staged: &str) {
        for file in [ADOPTION, CMDLINE, ENVIRON, CWD, STDOUT, STDERR, RECORD, SPARE_RECORD, NEW_LOCK, LOCK] {
            let _ = file::remove_at(self.haps(), &format!("{staged}/{file}"));
        }
        let _ = file::remove_directory_at(self.haps(), staged);
    }
}

/// The path of a hap's working directory from what its `cwd` link says.
pub(super) fn workdir(base: impl AsFd, directory: &str) -> io::Result<PathBuf> {
    file::link_target_at(base, &format!("{directory}/{CWD}"))
}
