//! A process tree: finding all of it, halting it, ending it.
//!
//! A tree that is halted cannot grow, so it is halted first and dealt with then. Who halts a tree
//! from within it leaves itself out.

use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};

use crate::core::record::ProcessId;
use crate::core::signal::Signal;
use crate::sys::clock::{self, wait_until};
use crate::sys::fork::own_pid;
use crate::sys::pidfd::{self, Handle};
use crate::sys::proc::{self, Stat};

/// How long a process may take to halt or to die. Only one that hangs in the kernel takes longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long is waited for all of a tree to halt before it is looked at again.
const ROUND: Duration = Duration::from_millis(20);

/// How long is tried to have what is held up in vfork(2) stop as well.
const ENOUGH: Duration = Duration::from_millis(500);

/// All that descends from these processes and lives, they themselves left out, without those for
/// which `is_foreign` holds and what is below them.
pub fn descendants(roots: &[i32], is_foreign: &dyn Fn(&Stat) -> bool) -> Vec<Stat> {
    let mut found = Vec::new();
    let mut seen: HashSet<i32> = roots.iter().copied().collect();
    let mut pending = roots.to_vec();
    while let Some(parent) = pending.pop() {
        let new = proc::children(parent).into_iter().filter(|&child| seen.insert(child)).filter_map(proc::stat);
        for child in new.filter(|child| !is_foreign(child)) {
            pending.push(child.id.pid);
            found.push(child);
        }
    }
    found
}

/// A tree that was halted.
pub struct Halted {
    /// Its processes in the order in which they were found, parents first.
    pub members: Vec<ProcessId>,
    /// How many of them would not halt.
    pub running: usize,
}

/// Halts every process that `find` finds, again and again until it finds nothing that still runs.
///
/// What is in a group for which `owns` holds is halted with it.
pub fn halt(find: &dyn Fn() -> Vec<Stat>, owns: &dyn Fn(i32) -> bool) -> io::Result<Halted> {
    let deadline = Instant::now() + PATIENCE;
    // That is only for the eye: what is held up in vfork runs as little as what has stopped.
    let enough = Instant::now() + ENOUGH;
    loop {
        let halted = halt_until(deadline, find, owns)?;
        if Instant::now() > enough || !release_vforks(&halted.members)? {
            return Ok(halted);
        }
    }
}

fn halt_until(deadline: Instant, find: &dyn Fn() -> Vec<Stat>, owns: &dyn Fn(i32) -> bool) -> io::Result<Halted> {
    loop {
        let mut members = others(find());
        members.retain(|stat| !stat.is_zombie());
        let running: Vec<&Stat> = members.iter().filter(|stat| !stat.is_halted()).collect();
        if running.is_empty() || Instant::now() > deadline {
            let running = running.len();
            return Ok(Halted { members: members.iter().map(|stat| stat.id).collect(), running });
        }
        for stat in running {
            send(stat.id, Signal::STOP)?;
        }
        halt_groups(&members, owns)?;
        let ids: Vec<ProcessId> = members.iter().map(|member| member.id).collect();
        let is_halted = |id: &ProcessId| proc::stat_of(*id).is_none_or(|stat| stat.is_halted() || stat.is_zombie());
        wait_until(deadline.min(Instant::now() + ROUND), || ids.iter().all(is_halted));
    }
}

/// A parent in vfork(2) sleeps, and cannot stop, until its child executes something or ends; which a
/// child that was halted first cannot do. Lets those children go on for so long: whether there were any.
pub fn release_vforks(members: &[ProcessId]) -> io::Result<bool> {
    let is_held_up = |member: &ProcessId| proc::stat_of(*member).is_some_and(|stat| stat.is_held_up);
    let halted_child = |child| proc::stat(child).filter(Stat::is_halted);
    let mut any = false;
    for &parent in members.iter().filter(|member| is_held_up(member)) {
        for child in proc::children(parent.pid).into_iter().filter_map(halted_child) {
            any |= send(child.id, Signal::CONT)?;
        }
        wait_until(Instant::now() + ROUND, || !is_held_up(&parent));
    }
    Ok(any)
}

/// Halts the groups of those that are halted already. A signal to a group reaches all of it at one
/// moment, also a chain of processes that fork and exit faster than they can be looked up. A group
/// with a halted member cannot go and its number cannot come back as another's.
fn halt_groups(members: &[Stat], owns: &dyn Fn(i32) -> bool) -> io::Result<()> {
    let own_group = proc::stat(own_pid()).map(|stat| stat.group);
    let mut done = HashSet::new();
    for member in members {
        let halted = proc::stat_of(member.id).filter(Stat::is_halted);
        if let Some(stat) = halted.filter(|stat| Some(stat.group) != own_group && stat.group > 1)
            && done.insert(stat.group)
            && owns(stat.group)
        {
            pidfd::send_to_group(stat.group, Signal::STOP)?;
        }
    }
    Ok(())
}

/// Continues these processes, the last first: a parent must not wake and find its child stopped.
pub fn resume(members: &[ProcessId]) -> io::Result<()> {
    members.iter().rev().try_for_each(|&member| send(member, Signal::CONT).map(drop))
}

/// Kills every process that `find` finds, and returns when it finds none any more: how many were
/// killed, and how many would not die.
pub fn kill(find: &dyn Fn() -> Vec<Stat>, owns: &dyn Fn(i32) -> bool) -> io::Result<(usize, usize)> {
    let deadline = Instant::now() + PATIENCE;
    let mut killed = HashSet::new();
    loop {
        // What does not halt soon is killed all the same.
        for member in halt_until(deadline.min(clock::soon()), find, owns)?.members {
            if send(member, Signal::KILL)? {
                killed.insert(member);
            }
        }
        let is_over = || others(find()).iter().all(Stat::is_zombie);
        wait_until(deadline.min(Instant::now() + Duration::from_millis(200)), is_over);
        let left = others(find()).iter().filter(|stat| !stat.is_zombie()).count();
        if left == 0 || Instant::now() > deadline {
            return Ok((killed.len(), left));
        }
    }
}

/// Sends a signal to each process that is still there; says whether this one was.
pub fn send(process: ProcessId, signal: Signal) -> io::Result<bool> {
    match Handle::open(process)? {
        Some(handle) => handle.send(signal),
        None => Ok(false),
    }
}

fn others(mut members: Vec<Stat>) -> Vec<Stat> {
    let own_pid = own_pid();
    members.retain(|stat| stat.id.pid != own_pid);
    members
}
