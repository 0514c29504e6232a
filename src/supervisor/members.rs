//! Which processes belong to a hap: its command and all that descends from it, wherever that went;
//! but not another hap that was started from within, which belongs to itself.
//!
//! A supervisor that lives has all of them below it, also those that left their session: it is their
//! subreaper. Without it there are what the command has below it, what is still in its session, and what has its mark.
//!
//! A command that was adopted has a supervisor that is no parent of it. To it belong the processes that were
//! taken with it, what these have below them, and all of its process group if that was taken as a whole: the
//! number of a group cannot go to another one while somebody known is still in it.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::launch::SUPERVISOR;
use super::marked::Marked;
use crate::core::adoption::Adopted;
use crate::core::id::Id;
use crate::core::record::{ProcessId, Record};
use crate::store::StateDir;
use crate::sys::proc::{self, Stat};
use crate::sys::{fork, tree};

/// The processes of one hap, looked up anew each time they are asked for.
pub struct Members<'a> {
    state: &'a StateDir,
    record: &'a Record,
    /// Where a newer record may be.
    id: Option<Id>,
    /// The marks as they were once. Without them they are looked up anew each time as well.
    marked: Option<&'a Marked>,
    others: OnceCell<HashSet<ProcessId>>,
}

impl<'a> Members<'a> {
    /// Of the hap with this id, which had this record.
    pub fn of(state: &'a StateDir, id: Id, record: &'a Record) -> Self {
        Self { state, record, id: Some(id), marked: None, others: OnceCell::new() }
    }

    /// Of one among many haps that are looked at: its record is new, and marks that are there at the first one will
    /// do for all.
    pub fn seen(state: &'a StateDir, record: &'a Record, marked: &'a Marked) -> Self {
        Self { state, record, id: None, marked: Some(marked), others: OnceCell::new() }
    }

    /// All that live, and zombies that nobody has fetched yet.
    pub fn list(&self) -> Vec<Stat> {
        if let Some(adopted) = &self.record.adopted {
            return self.adopted(adopted);
        }
        let supervisor = self.record.supervisor;
        if proc::stat_of(supervisor).is_some_and(|stat| !stat.is_zombie()) {
            let below = tree::descendants(&[supervisor.pid], &|stat| self.is_foreign(stat));
            // A command that is not below it has lost its first one.
            let is_rootless = below.is_empty() && proc::stat_of(self.record.process).is_some();
            return if is_rootless { self.orphans() } else { below };
        }
        if self.has_ended_whole() { Vec::new() } else { self.orphans() }
    }

    /// The first supervisor has gone when nothing was left for it to do.
    fn has_ended_whole(&self) -> bool {
        let newer = || self.state.hap(self.id?).newest_record().ok().filter(|new| new.process == self.record.process);
        let end = self.record.end.or_else(|| newer()?.end);
        end.is_some_and(|end| !end.survivors)
    }

    /// Whether all of this process group belongs to the hap, one of whose members is in it.
    pub fn owns_group(&self, group: i32) -> bool {
        let command = self.record.process.pid;
        match &self.record.adopted {
            None => true,
            Some(adopted) if adopted.group == Some(group) => true,
            // One that a descendant made for itself. The command's own may be of others, too.
            Some(_) => group != command && self.list().iter().any(|stat| stat.id.pid == group),
        }
    }

    fn adopted(&self, adopted: &Adopted) -> Vec<Stat> {
        let known = [self.record.process].into_iter().chain(adopted.others.iter().copied());
        let mut members: Vec<Stat> = known.filter_map(proc::stat_of).collect();
        let is_foreign = |stat: &Stat| is_supervisor(stat.id.pid) || self.is_of_another_hap(stat);
        if let Some(group) = adopted.group.filter(|&group| members.iter().any(|stat| stat.group == group)) {
            members.extend(in_group(group, &members, &is_foreign));
        }
        with_descendants(members, &is_foreign)
    }

    fn orphans(&self) -> Vec<Stat> {
        let command = self.record.process;
        let mut members: Vec<Stat> = proc::stat_of(command).into_iter().collect();
        if let Some(command) = members.first().map(|command| command.id) {
            // It is there, so the number of its session cannot be another's.
            members.extend(proc::all().into_iter().filter(|stat| stat.session == command.pid && stat.id != command));
        }
        let mut marked = self.marked.map_or_else(|| Marked::default().of(command), |marked| marked.of(command));
        marked.retain(|stat| members.iter().all(|known| known.id != stat.id) && !self.is_of_another_hap(stat));
        members.extend(marked);
        with_descendants(members, &|stat| self.is_foreign(stat))
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
        let others = here.filter(|record| record.process != self.record.process);
        let taken = |record: Record| record.adopted.map(|adopted| adopted.others).unwrap_or_default();
        let processes = others.flat_map(|record| [record.process].into_iter().chain(taken(record)));
        processes.map(ProcessId::as_in_stat).collect()
    }
}

/// A command, all of this process group if there is one, and all that descends from these, but for what is foreign.
pub fn job(command: ProcessId, group: Option<i32>, is_foreign: &dyn Fn(&Stat) -> bool) -> Vec<Stat> {
    let mut members: Vec<Stat> = proc::stat_of(command).into_iter().collect();
    let is_foreign = |stat: &Stat| is_supervisor(stat.id.pid) || is_foreign(stat);
    if let Some(group) = group {
        members.extend(in_group(group, &members, &is_foreign));
    }
    with_descendants(members, &is_foreign)
}

fn in_group(group: i32, known: &[Stat], is_foreign: &dyn Fn(&Stat) -> bool) -> Vec<Stat> {
    let is_known = |stat: &Stat| known.iter().any(|known| known.id == stat.id);
    let mut members = proc::all();
    members.retain(|stat| stat.group == group && !is_known(stat) && !is_foreign(stat));
    members
}

fn with_descendants(mut members: Vec<Stat>, is_foreign: &dyn Fn(&Stat) -> bool) -> Vec<Stat> {
    let roots: Vec<i32> = members.iter().map(|stat| stat.id.pid).collect();
    members.extend(tree::descendants(&roots, is_foreign));
    members
}

/// For the supervisor itself: no child is left but supervisors of other haps.
pub(super) fn only_other_haps_are_left() -> bool {
    proc::children(fork::own_pid()).into_iter().all(is_supervisor)
}

/// Whether this is the supervisor of a hap: it has the name and keeps a hap's lock open.
pub fn is_supervisor(pid: i32) -> bool {
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
