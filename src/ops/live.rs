//! The haps as they change: who looks again when, so that it is neither late nor busy.
//!
//! The kernel says when a hap comes, goes, ends, is renamed or restarted. It does not say when one is
//! paused from outside or dies with its supervisor, and its runtime changes all the time: so the
//! active ones are looked at once a second. While nothing runs nobody is looked at, and nothing wakes up.

use std::collections::HashSet;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::core::error::{Error, Result};
use crate::core::id::Id;
use crate::ops::find::Haps;
use crate::ops::hap::Entry;
use crate::store::StateDir;
use crate::sys::changes::{Changes, Watched};
use crate::sys::readiness::Interest;

/// How often the active ones are looked at.
const TICK: Duration = Duration::from_secs(1);

/// How often all are, where nobody tells of changes.
const SLOW: Duration = Duration::from_secs(10);

/// How soon after a look comes the next one, however much changes.
const REST: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug)]
pub struct Live<'a> {
    root: &'a Path,
    changes: Changes,
    haps: Option<Haps>,
    entries: Vec<Entry>,
    watched: HashSet<Id>,
    /// When all were looked at, and when the active ones were.
    all: Option<Instant>,
    active: Instant,
    /// Something has changed since.
    is_due: bool,
    /// The kernel tells of all that comes and goes.
    is_told: bool,
    log: Log,
}

/// The one log that is read as it grows.
#[derive(Debug)]
struct Log {
    watched: Option<Watched>,
    read: Instant,
    has_grown: bool,
}

impl<'a> Live<'a> {
    /// Of this state directory, which need not exist yet.
    pub fn new(root: &'a Path) -> Result<Self> {
        let changes = Changes::new().map_err(Error::system("watch the state directory"))?;
        Ok(Self {
            root,
            changes,
            haps: None,
            entries: Vec::new(),
            watched: HashSet::new(),
            all: None,
            active: Instant::now(),
            is_due: true,
            is_told: false,
            log: Log { watched: None, read: Instant::now(), has_grown: false },
        })
    }

    /// The haps, if there is a state directory.
    pub fn haps(&self) -> Option<&Haps> {
        self.haps.as_ref()
    }

    /// All of them as they were looked at last.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Takes note of what the kernel tells.
    pub fn notice(&mut self) {
        let happened = self.changes.take(self.log.watched);
        self.is_due |= happened.names;
        self.log.has_grown |= happened.contents;
    }

    /// Looks again now, whether or not anything is known to have changed.
    pub fn hurry(&mut self) {
        self.is_due = true;
        self.all = None;
    }

    /// What is readable when the kernel has something to tell. What is known to have changed is looked at first:
    /// who writes all the time does not wake us each time.
    pub fn hint(&self) -> Option<Interest<'_>> {
        (!self.is_due && !self.log.has_grown).then(|| Interest::Readable(self.changes.as_fd()))
    }

    /// How long there is nothing to do; `None` until the kernel tells of something.
    pub fn patience(&self) -> Option<Duration> {
        let log = self.log.has_grown.then_some(self.log.read + REST);
        let next = [self.next_look(), log].into_iter().flatten().min();
        next.map(|next| next.saturating_duration_since(Instant::now()))
    }

    /// There may be news of some.
    pub fn is_old(&self) -> bool {
        self.next_look().is_some_and(|next| next <= Instant::now())
    }

    /// There is more in the followed log, and it may be read: not more often than the eye can follow.
    pub fn has_more_log(&mut self) -> bool {
        let has = (self.log.has_grown || !self.is_told) && self.log.read.elapsed() >= REST;
        if has {
            self.log.has_grown = false;
            self.log.read = Instant::now();
        }
        has
    }

    fn next_look(&self) -> Option<Instant> {
        let Some(all) = self.all else { return Some(Instant::now()) };
        if self.is_due {
            Some(all + REST)
        } else if self.has_active() {
            Some(self.active + TICK)
        } else if self.haps.is_none() {
            Some(all + TICK)
        } else {
            (!self.is_told).then_some(all + SLOW)
        }
    }

    /// Looks at what there may be news of.
    pub fn look(&mut self) -> Result<()> {
        let now = Instant::now();
        let is_stale = !self.is_told && self.all.is_none_or(|all| now.duration_since(all) >= SLOW);
        if self.is_due || is_stale || self.haps.is_none() {
            self.look_at_all()?;
            self.all = Some(now);
            self.is_due = false;
        } else if let Some(haps) = &self.haps {
            refresh(haps, &mut self.entries);
        }
        self.active = now;
        Ok(())
    }

    /// The directory is opened anew: it may have been removed, and may have got parts that it lacked.
    fn look_at_all(&mut self) -> Result<()> {
        self.haps = StateDir::open(self.root)?.map(Haps::new).transpose()?;
        let Some(haps) = &self.haps else {
            self.entries.clear();
            return Ok(());
        };
        // Watched before it is looked at: what comes between is seen twice, not missed.
        let ids: HashSet<Id> = haps.state().ids()?.into_iter().collect();
        self.is_told = haps.state().announces_changes() && watch(&self.changes, haps.state(), &ids, &mut self.watched);
        self.entries = haps.all()?;
        Ok(())
    }

    /// Tells also when something is written to this file, and no longer when to the one before.
    pub fn follow(&mut self, log: Option<&Path>) {
        if let Some(before) = self.log.watched.take() {
            self.changes.forget(before);
        }
        self.log.watched = log.and_then(|log| self.changes.watch_contents(log).ok());
    }

    fn has_active(&self) -> bool {
        self.entries.iter().any(is_active)
    }
}

fn is_active(entry: &Entry) -> bool {
    matches!(entry, Entry::Whole(hap) if hap.status.is_active() || hap.leftover > 0)
}

/// Looks at the active ones. One that is gone meanwhile stays until the next look at all.
fn refresh(haps: &Haps, entries: &mut [Entry]) {
    for entry in entries.iter_mut().filter(|entry| is_active(entry)) {
        if let Some(now) = haps.look(entry.id()) {
            *entry = now;
        }
    }
}

/// Watches who is new: whether all are watched. The kernel may have no watches left.
fn watch(changes: &Changes, state: &StateDir, ids: &HashSet<Id>, watched: &mut HashSet<Id>) -> bool {
    let are_places_watched = state.places().iter().all(|place| changes.watch_names(place).is_ok());
    watched.retain(|id| ids.contains(id));
    let new: Vec<Id> = ids.difference(watched).copied().collect();
    watched.extend(new.into_iter().filter(|&id| changes.watch_names(&state.hap(id).path()).is_ok()));
    are_places_watched && watched.len() == ids.len()
}
