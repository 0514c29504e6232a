//! Whether a process can be adopted, and what belongs to it. Looks only: nothing is changed in it.

use std::collections::HashSet;
use std::io;

use crate::core::adoption::Obstacle;
use crate::core::error::{Error, Result};
use crate::core::record::ProcessId;
use crate::core::title::Title;
use crate::ops::details::user;
use crate::ops::find::Haps;
use crate::ops::hap::Entry;
use crate::supervisor::members;
use crate::sys::running::{self, Facts};
use crate::sys::{fork, host, proc, ptrace};

/// A process and those that are taken with it.
pub(super) struct Job {
    /// The process that was named.
    pub(super) command: ProcessId,
    /// The others of its job.
    pub(super) others: Vec<ProcessId>,
    /// The process group that is taken as a whole.
    pub(super) group: Option<i32>,
    /// Whom it belongs to.
    pub(super) user: u32,
}

/// The job of a process, if all of it can be adopted.
pub(super) fn job(haps: &Haps, pid: i32, only: bool) -> Result<Job> {
    let refused = |obstacle| Error::NotAdoptable { pid, obstacle };
    let callers = callers();
    let facts = look(pid, &callers).map_err(refused)?;
    let taken = Taken::by(haps)?;
    taken.check(pid).map_err(refused)?;
    check(pid, &facts).map_err(refused)?;
    let gone = || refused(Obstacle::Missing);
    let command = proc::identify(pid).ok_or_else(gone)?;
    let stat = proc::stat_of(command).ok_or_else(gone)?;
    // Without job control a script, what it starts and this hap are all of one group.
    let has_own_group =
        callers.iter().all(|&caller| proc::stat(caller).is_none_or(|caller| caller.group != stat.group));
    let group = Some(stat.group).filter(|_| !only && has_own_group);
    let is_foreign = |other: &proc::Stat| {
        callers.contains(&other.id.pid) || taken.check(other.id.pid).is_err() || other.session != stat.session
    };
    let job = if only { Vec::new() } else { members::job(command, group, &is_foreign) };
    let mut others = Vec::new();
    for other in job.into_iter().filter(|other| other.id.pid != pid && !other.is_zombie()) {
        let Some(process) = proc::identify(other.id.pid) else { continue };
        let Some(facts) = running::facts(process.pid) else { continue };
        match check(process.pid, &facts) {
            Ok(()) => others.push(process),
            // Helpers come and go.
            Err(Obstacle::Missing) => {}
            Err(_) if proc::stat_of(process).is_none_or(|stat| stat.is_zombie()) => {}
            Err(obstacle) => return Err(Error::NotAdoptable { pid: process.pid, obstacle }),
        }
    }
    Ok(Job { command, others, group, user: facts.users.get(1).copied().unwrap_or_else(host::own_uid) })
}

/// What is to be seen of it at first sight.
fn look(pid: i32, callers: &HashSet<i32>) -> Result<Facts, Obstacle> {
    if pid == 1 {
        return Err(Obstacle::Init);
    }
    let (Some(stat), Some(facts)) = (proc::stat(pid), running::facts(pid)) else { return Err(Obstacle::Missing) };
    if facts.process != pid {
        return Err(Obstacle::Thread { of: facts.process });
    }
    if stat.is_zombie() {
        return Err(Obstacle::Ended);
    }
    if !facts.has_memory {
        return Err(Obstacle::Kernel);
    }
    if callers.contains(&pid) { Err(Obstacle::Caller) } else { Ok(facts) }
}

/// Whether its descriptors and signals can be changed.
fn check(pid: i32, facts: &Facts) -> Result<(), Obstacle> {
    let own_uid = host::own_uid();
    if let Some(&stranger) = facts.users.iter().find(|&&user| own_uid != 0 && user != own_uid) {
        return Err(Obstacle::Foreign { user: user(stranger) });
    }
    if facts.tracer != 0 {
        // The kernel names the thread.
        let by = running::facts(facts.tracer).map_or(facts.tracer, |tracer| tracer.process);
        return Err(Obstacle::Traced { by });
    }
    if !ptrace::IS_SUPPORTED {
        return Err(Obstacle::Architecture);
    }
    let own = running::facts(fork::own_pid()).unwrap_or_default();
    if let Some(scope) = running::yama_scope().filter(|&scope| is_forbidden(scope, own.may_trace())) {
        return Err(Obstacle::Yama(scope));
    }
    match running::open_memory(pid) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(Obstacle::Protected),
        Err(_) => return Err(Obstacle::Missing),
        Ok(()) => {}
    }
    if facts.filters > own.filters {
        return Err(Obstacle::Sandboxed);
    }
    if running::is_64_bit(pid).unwrap_or(true) { Ok(()) } else { Err(Obstacle::Narrow) }
}

/// What Yama says to who is no ancestor of the process: see [`Obstacle::remedy`].
fn is_forbidden(scope: u8, is_privileged: bool) -> bool {
    match scope {
        0 => false,
        1 | 2 => !is_privileged,
        _ => true,
    }
}

/// This process and all above it.
fn callers() -> HashSet<i32> {
    let mut callers = HashSet::new();
    let mut next = Some(fork::own_pid());
    while let Some(pid) = next.filter(|&pid| pid > 0 && callers.insert(pid)) {
        next = proc::stat(pid).map(|stat| stat.parent);
    }
    callers
}

/// The processes that belong to haps.
struct Taken(Vec<(Title, HashSet<i32>)>);

impl Taken {
    fn by(haps: &Haps) -> Result<Self> {
        let whole = haps.all()?.into_iter().filter_map(|entry| match entry {
            Entry::Whole(hap) if hap.status.is_active() || hap.leftover > 0 => Some(hap),
            Entry::Whole(_) | Entry::Broken(_) => None,
        });
        let pids = whole.map(|hap| {
            let members = haps.members(&hap).list().into_iter().map(|stat| stat.id.pid);
            (hap.title(), members.chain([hap.record.supervisor.pid]).collect())
        });
        Ok(Self(pids.collect()))
    }

    fn check(&self, pid: i32) -> Result<(), Obstacle> {
        if let Some((title, _)) = self.0.iter().find(|(_, pids)| pids.contains(&pid)) {
            return Err(Obstacle::Hap(title.clone()));
        }
        let mut next = Some(pid);
        while let Some(pid) = next.filter(|&pid| pid > 1) {
            if members::is_supervisor(pid) {
                return Err(Obstacle::Supervised);
            }
            next = proc::stat(pid).map(|stat| stat.parent);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::is_forbidden;

    #[test]
    fn yama_is_obeyed_as_it_is_documented() {
        for privileged in [false, true] {
            assert!(!is_forbidden(0, privileged) && is_forbidden(3, privileged));
            assert_eq!((is_forbidden(1, privileged), is_forbidden(2, privileged)), (!privileged, !privileged));
        }
    }
}
