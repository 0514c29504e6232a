//! Finding haps: all of them, or those that the user named.

use crate::core::alias::Alias;
use crate::core::error::{Error, Result};
use crate::core::id::Id;
use crate::core::record::Place;
use crate::core::status::Kind;
use crate::ops::hap::{Broken, Entry, Hap, observe};
use crate::ops::heal::heal;
use crate::ops::unknown;
use crate::store::StateDir;
use crate::supervisor::marked::Marked;
use crate::supervisor::members::Members;
use crate::sys::host;

/// The haps of one state directory, seen from this machine.
#[derive(Debug)]
pub struct Haps {
    state: StateDir,
    here: Place,
}

impl Haps {
    /// Of this state directory.
    pub fn new(state: StateDir) -> Result<Self> {
        let here = host::place().map_err(Error::system("tell which machine this is"))?;
        Ok(Self { state, here })
    }

    /// The state directory.
    pub fn state(&self) -> &StateDir {
        &self.state
    }

    /// This machine.
    pub fn here(&self) -> &Place {
        &self.here
    }

    /// All of them, by ascending id.
    pub fn all(&self) -> Result<Vec<Entry>> {
        let marked = Marked::default();
        Ok(self.state.ids()?.into_iter().filter_map(|id| self.look_at(id, &marked)).collect())
    }

    /// The one that is meant, readable or not.
    pub fn entry(&self, alias: &Alias) -> Result<Entry> {
        let entry = match alias {
            Alias::Id(id) => self.look(*id),
            Alias::Name(text) => match self.state.find(text)? {
                Some(id) => self.look(id),
                None => self.at_run(text)?,
            },
        };
        entry.ok_or_else(|| unknown::explain(&self.state, alias))
    }

    /// The one that is called NAME and shown as NAME@N, since it is at its run N.
    fn at_run(&self, text: &str) -> Result<Option<Entry>> {
        let Some((name, run)) = text.split_once('@') else { return Ok(None) };
        let entry = self.state.find(name)?.and_then(|id| self.look(id));
        let is_at_it = |hap: &Hap| hap.record.restarts > 0 && run == (u64::from(hap.record.restarts) + 1).to_string();
        Ok(entry.filter(|entry| matches!(entry, Entry::Whole(hap) if is_at_it(hap))))
    }

    /// The one that is meant.
    pub fn hap(&self, alias: &Alias) -> Result<Hap> {
        match self.entry(alias)? {
            Entry::Whole(hap) => Ok(*hap),
            Entry::Broken(Broken { id, path, reason }) => Err(Error::Broken { hap: id, path, reason }),
        }
    }

    /// The one that is meant, if it can be acted upon: it is active, on this machine.
    pub fn active(&self, alias: &Alias) -> Result<Hap> {
        let hap = self.hap(alias)?;
        if hap.status.is_active() { Ok(hap) } else { Err(not_active(&hap)) }
    }

    /// The processes of a hap.
    pub fn members<'a>(&'a self, hap: &'a Hap) -> Members<'a> {
        Members::of(&self.state, hap.id, &hap.record)
    }

    /// The same hap as it is now.
    pub fn again(&self, hap: &Hap) -> Result<Hap> {
        self.hap(&Alias::Id(hap.id))
    }

    /// What is found under an id. Whoever is met without a supervisor gets one.
    pub fn look(&self, id: Id) -> Option<Entry> {
        self.look_at(id, &Marked::default())
    }

    fn look_at(&self, id: Id, marked: &Marked) -> Option<Entry> {
        let entry = observe(&self.state, id, &self.here, marked)?;
        match &entry {
            Entry::Whole(hap) if heal(&self.state, hap, &self.here) => observe(&self.state, id, &self.here, marked),
            Entry::Whole(_) | Entry::Broken(_) => Some(entry),
        }
    }
}

/// Why a hap cannot be acted upon.
pub fn not_active(hap: &Hap) -> Error {
    let title = hap.title();
    match hap.status.kind() {
        Kind::Elsewhere => Error::Elsewhere { hap: title, host: hap.record.place.host.clone() },
        kind => Error::NotActive { hap: title, status: kind.word() },
    }
}
