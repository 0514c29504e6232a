//! The life of a supervisor: it sleeps until a child ends. No timers, no polling, no threads.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::keeper::Keeper;
use super::launch::SUPERVISOR;
use super::members;
use super::report::verdict;
use crate::core::record::{End, Moment, Outcome, ProcessId, Usage};
use crate::store;
use crate::sys::wait::{self, Reaped};
use crate::sys::{clock, descriptor, fork, memory, proc};

/// Reaps all that comes back to it, records the end of the command the moment it has it, and ends
/// when its tree is empty: until then kill, stop and pause find through it what was left behind.
///
/// For a process that was forked to be a supervisor: it forgets all that it was before, unless it keeps logs.
pub(super) fn watch(
    directory: BorrowedFd<'_>,
    verdict: BorrowedFd<'_>,
    command: ProcessId,
    started: Moment,
    keeper: Option<Keeper<'_>>,
) -> ! {
    let title = memory::set_title(SUPERVISOR.to_bytes());
    if let Ok(Some((_, error))) = verdict::receive(verdict) {
        record_refusal(directory, command, &error, started);
        fork::exit_now(0)
    }
    descriptor::close(verdict.as_raw_fd());
    if let Some(mut keeper) = keeper {
        memory::give_back();
        watch_tree(directory, command, started, || keeper.tend_until_a_child_ends());
    } else {
        memory::forget(&title);
        watch_tree(directory, command, started, || ());
    }
    fork::exit_now(0)
}

/// `before_waiting` is done before each sleep.
fn watch_tree(directory: BorrowedFd<'_>, command: ProcessId, started: Moment, mut before_waiting: impl FnMut()) {
    let mut command = Some(command);
    loop {
        before_waiting();
        let Ok(Some(child)) = wait::wait_any() else { break };
        if command.take_if(|command| command.pid == child.pid).is_some() {
            let end = end(child.outcome, started, Some(child.usage), proc::has_children());
            // There is nobody to tell. What is not recorded is shown as lost, never as a success.
            let _ = store::seal(directory, &end);
        }
        if command.is_none() && (!proc::has_children() || members::only_other_haps_are_left()) {
            break;
        }
    }
}

/// What ended was not the command but the process that could not become it. The caller withdraws such
/// a hap, unless it was killed before it could. If it was killed before it had recorded the command, there is
/// nothing to end: a record that is there is of the run before a restart.
fn record_refusal(directory: BorrowedFd<'_>, command: ProcessId, error: &io::Error, started: Moment) {
    let Ok(Some(Reaped { usage, .. })) = wait::wait_for(command.pid) else { return };
    if store::is_record_of(directory, command) {
        let outcome = Outcome::NotStarted(error.raw_os_error().unwrap_or(libc::EIO));
        let _ = store::seal(directory, &end(outcome, started, Some(usage), proc::has_children()));
    }
}

/// The end of a command that has ended just now.
pub(super) fn end(outcome: Outcome, started: Moment, usage: Option<Usage>, survivors: bool) -> End {
    let now = clock::now();
    let runtime_ns = u64::try_from(now.since(started).as_nanos()).unwrap_or(u64::MAX);
    End { outcome, unix_ns: now.unix_ns, runtime_ns, survivors, usage }
}
