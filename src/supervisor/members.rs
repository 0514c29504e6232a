//! Which processes belong to a hap: its command and all that descends from it, wherever that went;
//! but not another hap that was started from within, which belongs to itself.
//!
//! A supervisor that lives has all of them below it, also those that left their session: it is their
//! subreaper. Without it, what the command has below it, and what is still in its session, is all
//! that can be proved to belong.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::launch::SUPERVISOR;
use crate::core::record::{ProcessId, Record};
use crate::store::StateDir;
use crate::sys::proc::{self, Stat};
use crate::sys::{fork, tree};

/// The processes of one hap, looked up anew each time they are asked for.
pub struct Members<'a> {
    state: &'a StateDir,
    record: &'a Record,
    others: OnceCell<HashSet<ProcessId>>,
}

impl<'a> Members<'a> {
    /// Of the hap with this record.
    pub fn of(state: &'a StateDir, record: &'a Record) -> Self {
        Self { state, record, others: OnceCell::new() }
    }

    /// All that live, and zombies that nobody has fetched yet.
    pub fn list(&self) -> Vec<Stat> {
        let supervisor = self.record.supervisor;
        if proc::stat_of(supervisor).is_some_and(|stat| !stat.is_zombie()) {
            let below = tree::descendants(&[supervisor.pid], &|stat| self.is_foreign(stat));
            if !below.is_empty() {
                return below;
            }
        }
        self.orphans()
    }

    fn orphans(&self) -> Vec<Stat> {
        let Some(command) = proc::stat_of(self.record.process) else { return Vec::new() };
        // The command is there, so the number of its session cannot be another's.
        let session = proc::all().into_iter().filter(|stat| stat.session == command.id.pid);
        let mut members = vec![command];
        members.extend(session.filter(|stat| stat.id != command.id));
        let roots: Vec<i32> = members.iter().map(|stat| stat.id.pid).collect();
        members.extend(tree::descendants(&roots, &|stat| self.is_foreign(stat)));
        members
    }

    /// Another hap: its supervisor, or what has come to ours because that supervisor was killed.
    fn is_foreign(&self, stat: &Stat) -> bool {
        is_supervisor(stat.id.pid)
            || stat.parent == self.record.supervisor.pid
                && stat.id != self.record.process.as_in_stat()
                && self.is_of_another_hap(stat)
    }

    /// Its command, or one of its command's session, whose number nobody else has while that lives.
    fn is_of_another_hap(&self, stat: &Stat) -> bool {
        let others = self.others.get_or_init(|| self.other_commands());
        let leader = proc::stat(stat.session);
        others.contains(&stat.id) || leader.is_some_and(|leader| others.contains(&leader.id))
    }

    fn other_commands(&self) -> HashSet<ProcessId> {
        let ids = self.state.ids().unwrap_or_default();
        let records = ids.into_iter().filter_map(|id| self.state.hap(id).record().ok());
        let here = records.filter(|record| record.end.is_none() && record.place == self.record.place);
        let commands = here.map(|record| record.process).filter(|&process| process != self.record.process);
        commands.map(ProcessId::as_in_stat).collect()
    }
}

/// For the supervisor itself: no child is left but supervisors of other haps.
pub(super) fn only_other_haps_are_left() -> bool {
    proc::children(fork::own_pid()).into_iter().all(is_supervisor)
}

/// Whether this is the supervisor of a hap: it has the name and keeps a hap's lock open.
fn is_supervisor(pid: i32) -> bool {
    let name = fs::read(format!("/proc/{pid}/comm"));
    name.is_ok_and(|name| name.trim_ascii_end() == SUPERVISOR.to_bytes()) && has_lock_open(pid)
}

fn has_lock_open(pid: i32) -> bool {
    proc::open_files(pid).iter().any(|path| is_lock(path))
}

/// `.../haps/ID/lock`, or `lock` of a hap that is being made or was deleted meanwhile.
fn is_lock(path: &Path) -> bool {
    let path = path.to_string_lossy();
    path.contains("/haps/") && path.trim_end_matches(" (deleted)").ends_with("/lock")
}
