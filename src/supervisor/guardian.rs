//! A supervisor for a command that it has not started: that command's own was killed, or it never had one.
//!
//! It is not the command's parent, so it waits on a pidfd. The exit status it learns from the
//! kernel (`PIDFD_GET_INFO` with `PIDFD_INFO_EXIT`, Linux 6.15), or from `/proc` while the command
//! is a zombie. Where neither tells, the hap is lost, and says why.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use super::adoption::{self, Refusal};
use super::keeper::{Keeper, Keeping};
use super::launch::SUPERVISOR;
use super::marked;
use super::report::Report;
use super::watch::end;
use crate::core::adoption::Adopted;
use crate::core::error::{Error, Result};
use crate::core::record::{Loss, Outcome, ProcessId, Record};
use crate::core::status::Presence;
use crate::core::stream::Stream;
use crate::store;
use crate::sys::fork::{self, Side};
use crate::sys::pidfd::Handle;
use crate::sys::{descriptor, file, mask, memory, proc, wait};

/// A hap whose command has no supervisor, and whose lock is the caller's.
pub struct Ward<'a> {
    /// Its directory.
    pub directory: BorrowedFd<'a>,
    /// Its lock.
    pub lock: BorrowedFd<'a>,
    /// The command, proved to be it.
    pub command: &'a Handle,
    /// Its record.
    pub record: &'a Record,
}

/// Starts a supervisor that waits for the command to end. Returns, in the caller, once the record
/// says who it is and an adoption that was not finished is; an error if that cannot be.
pub fn guard(ward: &Ward<'_>) -> Result<ProcessId> {
    let (report, report_end) = descriptor::pipe().map_err(Error::system("make a pipe"))?;
    let blocked = mask::block_all();
    match fork::fork().map_err(Error::system("start a process"))? {
        Side::Child => detach(ward, report_end.as_fd()),
        Side::Parent(intermediate) => {
            drop(blocked);
            drop(report_end);
            let made = Report::receive(&report).map_err(Error::system("start a process"));
            let _ = wait::wait_for(intermediate);
            let supervisor = made?.ok_or(Error::SupervisorKilled)?.supervisor;
            let refusal = Refusal::hear(report).map_err(Error::system("hear from a process"))?;
            refusal.map_or(Ok(supervisor), Err)
        }
    }
}

fn detach(ward: &Ward<'_>, report: BorrowedFd<'_>) -> ! {
    fork::set_name(SUPERVISOR);
    match fork::new_session().and_then(|()| fork::fork()) {
        Ok(Side::Child) => stand_guard(ward, report),
        Ok(Side::Parent(_)) => fork::exit_now(0),
        Err(error) => {
            Report::send(Err(error), report);
            fork::exit_now(1)
        }
    }
}

fn stand_guard(ward: &Ward<'_>, report: BorrowedFd<'_>) -> ! {
    let kept = [ward.directory.as_raw_fd(), ward.lock.as_raw_fd(), ward.command.as_fd().as_raw_fd()];
    descriptor::close_all_but([kept[0], kept[1], kept[2], report.as_raw_fd()]);
    let recorded = take_over(ward);
    let is_recorded = recorded.is_ok();
    Report::send(recorded, report);
    if is_recorded {
        match adoption::finish(ward) {
            Err(refusal) => refusal.tell(report),
            Ok(others) => {
                let _ = record_others(ward, &others);
                descriptor::close_all_but(kept);
                memory::set_title(SUPERVISOR.to_bytes());
                memory::give_back();
                wait_for_end(ward, &others);
            }
        }
    }
    fork::exit_now(0)
}

fn take_over(ward: &Ward<'_>) -> io::Result<Report> {
    let null = descriptor::null()?;
    for number in 0..=2 {
        descriptor::put_on(null.as_fd(), number)?;
    }
    file::enter_root()?;
    let supervisor = own_identity()?;
    store::replace(ward.directory, &Record { supervisor, ..ward.record.clone() })?;
    Ok(Report { supervisor, process: ward.record.process, started: ward.record.started })
}

/// Those that an adopted command has started while it was being adopted came to it as well.
fn record_others(ward: &Ward<'_>, others: &[ProcessId]) -> io::Result<()> {
    match &ward.record.adopted {
        Some(adopted) if adopted.others != others => {
            let adopted = Some(Adopted { others: others.to_vec(), ..adopted.clone() });
            let supervisor = own_identity()?;
            store::replace(ward.directory, &Record { supervisor, adopted, ..ward.record.clone() })
        }
        Some(_) | None => Ok(()),
    }
}

fn own_identity() -> io::Result<ProcessId> {
    proc::identify(fork::own_pid()).ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))
}

fn wait_for_end(ward: &Ward<'_>, others: &[ProcessId]) {
    keep_logs(ward);
    let outcome = ward.command.wait().map(|()| outcome_of(ward.command));
    let outcome = outcome.ok().flatten().unwrap_or(Outcome::Lost(Loss::Unreadable));
    let lives = |process: &ProcessId| !matches!(proc::presence(*process), Presence::Gone | Presence::Zombie(_));
    let survivors = others.iter().any(lives) || marked::lives_on(ward.record.process);
    let _ = store::seal(ward.directory, &end(outcome, ward.record.started, None, survivors));
}

/// What was asked to be done about the logs goes on, until the command has ended.
fn keep_logs(ward: &Ward<'_>) {
    let keeping = Keeping::of(ward.record);
    let open = |stream| store::open_log_to_free(ward.directory, stream);
    if keeping.is_needed()
        && let Ok(stdout) = open(Stream::Stdout)
    {
        let stderr = if ward.record.merge { None } else { open(Stream::Stderr).ok() };
        let logs = [stdout.as_fd(), stderr.as_ref().map_or(stdout.as_fd(), AsFd::as_fd)];
        Keeper::new(keeping, ward.directory, logs).tend_until(ward.command.as_fd());
    }
}

/// How a command ended that is a zombie or was reaped just now.
fn outcome_of(command: &Handle) -> Option<Outcome> {
    match proc::presence(command.process()) {
        Presence::Zombie(Some(outcome)) => Some(outcome),
        Presence::Zombie(None) => command.wait_until_reaped().ok().and_then(|()| command.exit_status()),
        Presence::Gone | Presence::Alive | Presence::Stopped => command.exit_status(),
    }
    .or_else(|| command.exit_status())
}
