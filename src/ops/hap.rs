//! A hap as it is right now: its record and what the kernel says of its processes.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::core::id::Id;
use crate::core::record::{Place, Record};
use crate::core::status::{Facts, Origin, Presence, Status, Watch};
use crate::core::title::Title;
use crate::store::{Flaw, HapDir, StateDir};
use crate::supervisor::marked::Marked;
use crate::supervisor::members::Members;
use crate::sys::clock;
use crate::sys::proc::{self, Stat};

/// How long a recorded end may be on its way from a live supervisor. It takes less than a millisecond.
const PATIENCE: Duration = Duration::from_millis(300);

/// One hap.
#[derive(Clone, Debug)]
pub struct Hap {
    /// Its number.
    pub id: Id,
    /// What is recorded of it.
    pub record: Record,
    /// What that and its processes amount to.
    pub status: Status,
    /// How long it ran, or has been running; `None` where nobody can know.
    pub runtime: Option<Duration>,
    /// Live descendants of a command that has ended.
    pub leftover: usize,
    /// Whether somebody waits for its end.
    pub watch: Watch,
    /// Where its stdout goes.
    pub stdout_file: PathBuf,
    /// Where its stderr goes: the same file where they are merged.
    pub stderr_file: PathBuf,
}

/// A hap whose record cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its number.
    pub id: Id,
    /// The file that is wrong.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// What is found under an id.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A hap.
    Whole(Box<Hap>),
    /// One that cannot be read.
    Broken(Broken),
}

impl Entry {
    /// Its number.
    pub fn id(&self) -> Id {
        match self {
            Self::Whole(hap) => hap.id,
            Self::Broken(broken) => broken.id,
        }
    }
}

impl Hap {
    /// How messages call it: its number and name.
    pub fn title(&self) -> Title {
        Title { id: self.id, name: self.record.name.clone() }
    }

    /// Nothing of it is alive, and nobody elsewhere may think otherwise.
    pub fn is_over(&self) -> bool {
        !self.status.is_active() && self.leftover == 0 && self.status != Status::Elsewhere
    }
}

/// Looks at one hap. `None` if there is nothing with this id.
pub fn observe(state: &StateDir, id: Id, here: &Place, marked: &Marked) -> Option<Entry> {
    let directory = state.hap(id);
    match look_twice(directory, here) {
        Ok((record, facts)) => Some(Entry::Whole(Box::new(describe(state, directory, record, &facts, marked)))),
        Err(_) if !state.contains(id) => None,
        Err(flaw) => Some(Entry::Broken(Broken { id, path: directory.path().join(flaw.file), reason: flaw.reason })),
    }
}

/// Whether a record, read under its lock, is of a hap that is over.
pub fn is_over(state: &StateDir, record: &Record, here: &Place, marked: &Marked) -> bool {
    let facts = facts(record, here);
    facts.status() != Status::Elsewhere
        && !facts.status().is_active()
        && leftover(state, record, &facts, marked).is_empty()
}

/// The live descendants of a command that has ended. Only an end that says that there were some, or that nobody has
/// seen, makes it worth looking.
fn leftover(state: &StateDir, record: &Record, facts: &Facts, marked: &Marked) -> Vec<Stat> {
    let may_have_some = match facts.status() {
        Status::Ended(end) => end.survivors,
        Status::Lost(_) => true,
        Status::Unbound | Status::Running | Status::Paused | Status::Ending(_) | Status::Elsewhere => false,
    };
    let is_worth_it = may_have_some && facts.origin == Origin::Here;
    let found = if is_worth_it { Members::seen(state, record, marked).list() } else { Vec::new() };
    found.into_iter().filter(|stat| !stat.is_zombie()).collect()
}

/// Reads the record and then looks for the processes. Those may end in between, and the supervisor
/// may record that and end as well: so who sees nobody reads the record once more, with what may be about to take
/// its place. What a supervisor wrote is there once it is gone.
fn look_twice(directory: HapDir<'_>, here: &Place) -> Result<(Record, Facts), Flaw> {
    let mut last = look(directory.record()?, here);
    if !is_in_doubt(&last.1) {
        return Ok(last);
    }
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Duration::from_micros(20);
    while is_in_doubt(&last.1) {
        let is_last_try = !last.1.has_supervisor() || Instant::now() >= deadline;
        last = look(directory.newest_record()?, here);
        if is_last_try {
            break;
        }
        if last.1.has_supervisor() {
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }
    Ok(last)
}

fn look(record: Record, here: &Place) -> (Record, Facts) {
    let facts = facts(&record, here);
    (record, facts)
}

/// No end is recorded, and the command is not there.
fn is_in_doubt(facts: &Facts) -> bool {
    let is_gone = matches!(facts.command, Presence::Gone | Presence::Zombie(_));
    facts.end.is_none() && facts.origin != Origin::Elsewhere && is_gone
}

pub(super) fn facts(record: &Record, here: &Place) -> Facts {
    let origin = origin(&record.place, here);
    if record.end.is_some() || origin != Origin::Here {
        return Facts { end: record.end, origin, command: Presence::Gone, supervisor: Presence::Gone };
    }
    Facts {
        end: None,
        origin,
        command: proc::presence(record.process),
        supervisor: proc::settled_presence(record.supervisor),
    }
}

/// A boot id is unique in the world, a host name is not and may change: so the boot decides first.
fn origin(there: &Place, here: &Place) -> Origin {
    if there.boot_id == here.boot_id {
        if there.pid_namespace == here.pid_namespace { Origin::Here } else { Origin::Elsewhere }
    } else if there.host == here.host {
        Origin::EarlierBoot
    } else {
        Origin::Elsewhere
    }
}

fn describe(state: &StateDir, directory: HapDir<'_>, record: Record, facts: &Facts, marked: &Marked) -> Hap {
    let status = facts.status();
    let runtime = match status {
        Status::Ended(end) => Some(Duration::from_nanos(end.runtime_ns)),
        Status::Running | Status::Paused | Status::Ending(_) => Some(clock::now().since(record.started)),
        Status::Unbound | Status::Lost(_) | Status::Elsewhere => None,
    };
    let leftover = leftover(state, &record, facts, marked).len();
    let stdout_file = directory.stdout_path();
    let stderr_file = if record.merge { stdout_file.clone() } else { directory.stderr_path() };
    Hap { id: directory.id(), record, status, runtime, leftover, watch: facts.watch(), stdout_file, stderr_file }
}
