//! `kill` and `stop`: nothing of the hap is left, and the record says how it ended.

use std::thread;
use std::time::{Duration, Instant};

use crate::core::error::{Error, Result};
use crate::core::record::ProcessId;
use crate::core::signal::Signal;
use crate::core::status::Presence;
use crate::ops::find::{Haps, not_active};
use crate::ops::hap::Hap;
use crate::sys::fork::own_pid;
use crate::sys::pidfd::Handle;
use crate::sys::proc::{self, Stat};
use crate::sys::{clock, tree};

/// How long the record of an end may take once everything is dead: a slow disk may have to sync.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of a hap that was to end.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The hap, after its end.
    pub hap: Hap,
    /// How many processes were killed.
    pub killed: usize,
}

/// A hap that is about to end: of several all are begun with before the first is waited for.
#[derive(Debug)]
pub struct Ending {
    hap: Hap,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// So many processes were killed, and nothing of it is left.
    Killed(usize),
    /// It was asked, and has time until then.
    Asked(Instant),
}

/// Ends the whole tree with SIGKILL.
pub fn kill(haps: &Haps, hap: Hap) -> Result<Ended> {
    begin_kill(haps, hap)?.finish(haps)
}

/// Asks the whole tree to end with SIGTERM, and kills what is left after `timeout`.
pub fn stop(haps: &Haps, hap: Hap, timeout: Duration) -> Result<Ended> {
    begin_stop(haps, hap, timeout)?.finish(haps)
}

/// Ends the whole tree with SIGKILL, and does not wait for the record.
pub fn begin_kill(haps: &Haps, hap: Hap) -> Result<Ending> {
    check(&hap)?;
    let killed = kill_tree(haps, &hap)?;
    Ok(Ending { hap, way: Way::Killed(killed) })
}

/// Asks the whole tree to end with SIGTERM, and does not wait for it.
pub fn begin_stop(haps: &Haps, hap: Hap, timeout: Duration) -> Result<Ending> {
    check(&hap)?;
    let failed = || Error::system("stop it");
    let members: Vec<ProcessId> = others(haps.members(&hap).list()).into_iter().map(|stat| stat.id).collect();
    for &member in &members {
        tree::send(member, Signal::TERM).map_err(failed())?;
    }
    // Who is paused hears it only once it goes on.
    tree::resume(&members).map_err(failed())?;
    Ok(Ending { hap, way: Way::Asked(Instant::now() + timeout) })
}

impl Ending {
    /// Returns when nothing of it is left and the record says so.
    pub fn finish(self, haps: &Haps) -> Result<Ended> {
        let killed = match self.way {
            Way::Killed(count) => count,
            Way::Asked(deadline) if await_end(haps, &self.hap, deadline) => 0,
            Way::Asked(_) => kill_tree(haps, &self.hap)?,
        };
        await_record(haps, &self.hap, killed)
    }
}

fn kill_tree(haps: &Haps, hap: &Hap) -> Result<usize> {
    let members = haps.members(hap);
    let (killed, left) =
        tree::kill(&|| members.list(), &|group| members.owns_group(group)).map_err(Error::system("kill it"))?;
    if left > 0 { Err(Error::WillNotEnd { hap: hap.title(), count: left }) } else { Ok(killed) }
}

fn check(hap: &Hap) -> Result<()> {
    if hap.status.is_active() || hap.leftover > 0 { Ok(()) } else { Err(not_active(hap)) }
}

/// Waits until nothing of it is left; says whether that is so.
fn await_end(haps: &Haps, hap: &Hap, deadline: Instant) -> bool {
    let members = haps.members(hap);
    // The supervisor ends with the last of its tree: the kernel wakes us then, unless we are of it.
    if let Ok(Some(supervisor)) = Handle::open(hap.record.supervisor)
        && !members.list().iter().any(|stat| stat.id.pid == own_pid())
    {
        let _ = supervisor.wait_at_most(deadline.saturating_duration_since(Instant::now()));
    }
    clock::wait_until(deadline, || others(members.list()).iter().all(Stat::is_zombie))
}

fn await_record(haps: &Haps, hap: &Hap, killed: usize) -> Result<Ended> {
    let deadline = Instant::now() + PATIENCE;
    let mut now = haps.again(hap)?;
    while (now.status.is_active() || is_being_recorded(haps, &now)) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(1));
        now = haps.again(hap)?;
    }
    Ok(Ended { hap: now, killed })
}

/// Its end is seen and has not yet its place in the record, where somebody is about to put it.
fn is_being_recorded(haps: &Haps, hap: &Hap) -> bool {
    let is_missing = haps.state().hap(hap.id).record().is_ok_and(|record| record.end.is_none());
    is_missing && matches!(proc::presence(hap.record.supervisor), Presence::Alive | Presence::Stopped)
}

fn others(mut members: Vec<Stat>) -> Vec<Stat> {
    members.retain(|stat| stat.id.pid != own_pid());
    members
}
