//! `renames/ID -> NAME`: the name of a hap that was renamed.
//!
//! The record of a running hap belongs to its supervisor, and the last thing written to it is the
//! end. A rename must not come between, so it is written beside the record and wins over it.

use std::io;
use std::path::PathBuf;

use super::layout::RENAMES;
use super::record_file;
use super::state_dir::{Registry, StateDir};
use crate::core::error::{Error, Result};
use crate::core::id::Id;
use crate::core::name::Name;
use crate::sys::file;

const NEW: &str = ".new";

impl StateDir {
    /// Gives a hap another name, if that is free.
    pub fn rename(&self, id: Id, from: &Name, to: &Name) -> Result<()> {
        let registry = self.registry()?;
        match self.any_holder(&registry, to)? {
            Some(holder) if holder != id => return Err(Error::NameTaken { name: to.clone(), holder }),
            _ => {}
        }
        self.bind(&registry, to, id)?;
        self.write_rename(&registry, id, to).map_err(Error::file("create", self.rename_path(id)))?;
        if from == to { Ok(()) } else { self.unbind(&registry, from, id) }
    }

    /// The name that a hap was given after its record was written.
    pub(super) fn renamed(&self, id: Id) -> Option<Name> {
        let target = file::link_target_at(self.renames()?, &id.to_string()).ok()?;
        Name::new(target.to_str()?).ok()
    }

    /// The hap that had this name when its record was written, and has another one now.
    pub fn formerly(&self, name: &str) -> Option<Id> {
        let renamed = file::names_in(self.renames()?).ok()?;
        let ids = renamed.iter().filter_map(|id| Id::from_canonical(id));
        let had_name =
            |id: &Id| record_file::read(self.haps(), &id.to_string()).is_ok_and(|record| record.name.as_str() == name);
        ids.filter(had_name).find(|id| self.renamed(*id).is_some_and(|now| now.as_str() != name))
    }

    /// For a hap that goes.
    pub(super) fn forget_rename(&self, _: &Registry, id: Id) -> Result<()> {
        match self.renames() {
            Some(renames) => {
                file::remove_at(renames, &id.to_string()).map_err(Error::file("remove", self.rename_path(id)))
            }
            None => Ok(()),
        }
    }

    fn write_rename(&self, _: &Registry, id: Id, name: &Name) -> io::Result<()> {
        let renames = self.renames_made().map_err(io::Error::other)?;
        file::remove_at(renames, NEW)?;
        file::link_at(name.as_str().as_ref(), renames, NEW)?;
        file::replace_at(renames, NEW, &id.to_string())
    }

    fn rename_path(&self, id: Id) -> PathBuf {
        self.root().join(RENAMES).join(id.to_string())
    }
}
