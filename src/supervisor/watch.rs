//! The life of a supervisor: it sleeps until a child ends. No timers, no polling, no threads.

use std::os::fd::BorrowedFd;

use super::launch::SUPERVISOR;
use super::members;
use super::report::verdict;
use crate::core::record::{End, Moment, Outcome, ProcessId, Usage};
use crate::store;
use crate::sys::wait::{self, Reaped};
use crate::sys::{clock, fork, memory, proc};

/// Reaps all that comes back to it, records the end of the command the moment it has it, and ends
/// when its tree is empty: until then kill, stop and pause find through it what was left behind.
/// `before_waiting` is done before each sleep.
pub(super) fn watch(
    directory: BorrowedFd<'_>,
    verdict: BorrowedFd<'_>,
    command: ProcessId,
    started: Moment,
    mut before_waiting: impl FnMut(),
) -> ! {
    memory::set_title(SUPERVISOR.to_bytes());
    memory::give_back();
    let mut command = Some(command);
    loop {
        before_waiting();
        let Ok(Some(child)) = wait::wait_any() else { break };
        if let Some(id) = command.take_if(|command| command.pid == child.pid) {
            record(directory, verdict, id, child, started);
        }
        if command.is_none() && members::only_other_haps_are_left() {
            break;
        }
    }
    fork::exit_now(0)
}

fn record(directory: BorrowedFd<'_>, verdict: BorrowedFd<'_>, command: ProcessId, reaped: Reaped, started: Moment) {
    let Reaped { outcome, usage, .. } = reaped;
    let not_started = not_started(outcome, verdict);
    if not_started.is_some() && !store::is_record_of(directory, command) {
        // The caller was killed before it had recorded the command: there is nothing to end, and a
        // record that is there is of the run before a restart.
        return;
    }
    let end = end(not_started.unwrap_or(outcome), started, Some(usage), proc::has_children());
    // There is nobody to tell. What is not recorded is shown as lost, never as a success.
    let _ = store::seal(directory, &end);
}

/// The end of a command that has ended just now.
pub(super) fn end(outcome: Outcome, started: Moment, usage: Option<Usage>, survivors: bool) -> End {
    let now = clock::now();
    let runtime_ns = u64::try_from(now.since(started).as_nanos()).unwrap_or(u64::MAX);
    End { outcome, unix_ns: now.unix_ns, runtime_ns, survivors, usage }
}

/// Whether what ended was not the command but the process that could not become it. The caller
/// withdraws such a hap, unless it was killed before it could.
fn not_started(outcome: Outcome, verdict: BorrowedFd<'_>) -> Option<Outcome> {
    if outcome != Outcome::Exited(127) {
        return None;
    }
    let (_, error) = verdict::receive(verdict).ok().flatten()?;
    Some(Outcome::NotStarted(error.raw_os_error().unwrap_or(libc::EIO)))
}
