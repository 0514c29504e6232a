//! `names/NAME -> ../haps/ID`: making the link is what makes a name unique, following it what
//! makes it quick to find. A link is only a hint: the record it leads to must have the name.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use super::layout::{HAPS, NAMES};
use super::state_dir::{Registry, StateDir};
use crate::core::error::{Error, Result};
use crate::core::id::Id;
use crate::core::name::Name;
use crate::sys::file;

impl StateDir {
    /// The hap with this name.
    pub fn find(&self, name: &str) -> Result<Option<Id>> {
        if Name::new(name).is_err() {
            return Ok(None);
        }
        if let Some(id) = self.linked(name).filter(|&id| self.is_called(id, name)) {
            return Ok(Some(id));
        }
        // The link may have been lost; the records are the truth.
        Ok(self.ids()?.into_iter().rev().find(|&id| self.is_called(id, name)))
    }

    /// The hap that has this name now, as far as the links know.
    pub(super) fn holder(&self, name: &Name) -> Option<Id> {
        self.linked(name.as_str()).filter(|&id| self.is_called(id, name.as_str()))
    }

    /// The hap that has this name now, also if its link was lost. Only then are all records read.
    pub(super) fn any_holder(&self, registry: &Registry, name: &Name) -> Result<Option<Id>> {
        match self.holder(name) {
            None if self.misses_links(registry)? => self.find(name.as_str()),
            holder => Ok(holder),
        }
    }

    /// Whether there are fewer names than haps. Each hap has had its link before it had its id.
    fn misses_links(&self, _: &Registry) -> Result<bool> {
        let count = |directory, name| file::count_in(directory).map_err(Error::file("list", self.root().join(name)));
        Ok(count(self.side_directory(NAMES)?.as_fd(), NAMES)? < count(self.haps(), HAPS)?)
    }

    /// Points a name to an id. A link that was there is stale: the caller has asked for its holder.
    pub(super) fn bind(&self, _: &Registry, name: &Name, id: Id) -> Result<()> {
        let names = self.side_directory(NAMES)?;
        let target = OsString::from(format!("../{HAPS}/{id}"));
        let link = || file::link_at(&target, &names, name.as_str());
        let linked = match link() {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                file::remove_at(&names, name.as_str()).and_then(|()| link())
            }
            linked => linked,
        };
        linked.map_err(Error::file("create", self.root().join(NAMES).join(name.as_str())))
    }

    /// Takes a name back from a hap that goes.
    pub(super) fn unbind(&self, _: &Registry, name: &Name, id: Id) -> Result<()> {
        if self.linked(name.as_str()) != Some(id) {
            return Ok(());
        }
        let names = self.side_directory(NAMES)?;
        file::remove_at(&names, name.as_str())
            .map_err(Error::file("remove", self.root().join(NAMES).join(name.as_str())))
    }

    fn linked(&self, name: &str) -> Option<Id> {
        let target = file::link_target_at(self.root_fd(), &format!("{NAMES}/{name}")).ok()?;
        let id = target.strip_prefix(Path::new("..").join(HAPS)).ok()?;
        Id::from_canonical(id.to_str()?)
    }

    fn is_called(&self, id: Id, name: &str) -> bool {
        self.hap(id).record().is_ok_and(|record| record.name.as_str() == name)
    }
}
