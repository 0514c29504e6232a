//! Making the supervisor and the process that is to become the command.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use super::command::{Inheritance, become_command};
use super::keeper::{Keeper, Keeping};
use super::report::verdict::{self, Stage};
use super::report::{Go, Label, Report};
use super::watch::watch;
use crate::core::error::{Error, Result};
use crate::core::id::Id;
use crate::core::name::Name;
use crate::core::record::{Moment, ProcessId};
use crate::store::RunFiles;
use crate::sys::exec::Program;
use crate::sys::fork::{self, Side};
use crate::sys::readiness::{self, Interest};
use crate::sys::{clock, descriptor, file, mask, pidfd, proc, wait};

/// The name of every supervisor in ps(1).
pub(super) const SUPERVISOR: &std::ffi::CStr = c"hap-supervisor";

/// A command and where it is to run.
pub struct Job<'a> {
    /// The command.
    pub program: &'a mut Program,
    /// Its hap's files, of which the supervisor keeps directory and lock.
    pub files: &'a RunFiles,
    /// Its working directory.
    pub workdir: BorrowedFd<'a>,
    /// Its file mode creation mask.
    pub umask: u32,
    /// What is done about its logs while it runs.
    pub keeping: Keeping,
}

/// Processes that are being made. If this is dropped, they end.
pub struct Started {
    report: OwnedFd,
    go: OwnedFd,
    verdict: OwnedFd,
}

/// A process that is recorded nowhere yet and waits for the go. If this is dropped, it ends.
pub struct Waiting {
    /// The supervisor.
    pub supervisor: ProcessId,
    /// What will be the command.
    pub process: ProcessId,
    /// When it was made.
    pub started: Moment,
    go: OwnedFd,
    verdict: OwnedFd,
    /// Open for as long as the supervisor is to stand back.
    _report: OwnedFd,
}

/// Why a command was not executed.
pub enum Refused {
    /// Its working directory cannot be entered.
    Workdir(io::Error),
    /// It cannot be executed.
    Exec(io::Error),
    /// Something before that failed.
    Setup(io::Error),
}

/// The pipes between caller, supervisor and command.
struct Pipes {
    report: (OwnedFd, OwnedFd),
    go: (OwnedFd, OwnedFd),
    verdict: (OwnedFd, OwnedFd),
}

/// Makes supervisor and command, and waits until they say who they are.
pub fn prepare(job: Job<'_>) -> Result<Waiting> {
    begin(job)?.identified()
}

/// Makes supervisor and command. Returns only in the caller.
pub fn begin(mut job: Job<'_>) -> Result<Started> {
    let mut label = Label::new();
    job.program.reserve_variables(Label::owns, label.entries());
    let failed = Error::system("make a pipe");
    let pipes = Pipes::new().map_err(failed)?;
    // Nothing that is sent to the caller's terminal or group may reach the new processes.
    let blocked = mask::block_all();
    let intermediate = fork::fork_beside(&mut || detach(&mut job, &mut label, &pipes));
    drop(blocked);
    // Who ignores SIGCHLD has no children to wait for.
    let _ = wait::wait_for(intermediate.map_err(Error::system("start a process"))?);
    Ok(pipes.into_started())
}

impl Pipes {
    fn new() -> io::Result<Self> {
        Ok(Self { report: descriptor::pipe()?, go: descriptor::pipe()?, verdict: descriptor::pipe()? })
    }

    fn into_started(self) -> Started {
        let Self { report: (report, _), go: (_, go), verdict: (verdict, _) } = self;
        Started { report, go, verdict }
    }
}

impl Started {
    /// Waits until they say who they are.
    pub fn identified(self) -> Result<Waiting> {
        let Self { report, go, verdict } = self;
        let told = Report::receive(&report).map_err(Error::system("start a process"))?;
        let Report { supervisor, process, started } = told.ok_or(Error::SupervisorKilled)?;
        Ok(Waiting { supervisor, process, started, go, verdict, _report: report })
    }
}

impl Waiting {
    /// Lets it go, now that it is recorded. Returns when it is executed or cannot be.
    pub fn go(self, id: Id, name: &Name) -> Result<(), Refused> {
        Go::send(id, name, self.process, &self.go).map_err(Refused::Setup)?;
        match verdict::receive(&self.verdict).map_err(Refused::Setup)? {
            None => Ok(()),
            Some((Stage::Workdir, error)) => Err(Refused::Workdir(error)),
            Some((Stage::Setup, error)) => Err(Refused::Setup(error)),
            Some((Stage::Exec, error)) => Err(Refused::Exec(error)),
        }
    }
}

/// The intermediate process: leaves the session and dies, so that nothing connects the supervisor
/// with the caller. It has the supervisor's name already, since the supervisor inherits it at birth.
fn detach(job: &mut Job<'_>, label: &mut Label, pipes: &Pipes) -> ! {
    fork::set_name(SUPERVISOR);
    match fork::new_session().and_then(|()| fork::fork()) {
        Ok(Side::Child) => supervise(job, label, pipes),
        Ok(Side::Parent(_)) => fork::exit_now(0),
        Err(error) => {
            Report::send(Err(error), &pipes.report.1);
            fork::exit_now(1)
        }
    }
}

/// The supervisor: makes the command's process, tells who they are, and watches.
fn supervise(job: &mut Job<'_>, label: &mut Label, pipes: &Pipes) -> ! {
    let made = become_supervisor(job, pipes).and_then(|()| {
        let started = clock::now();
        match fork::fork()? {
            Side::Child => {
                // The caller learns from its closing that the supervisor was killed.
                descriptor::close(pipes.report.1.as_raw_fd());
                let inheritance = Inheritance {
                    stdout: job.files.stdout.as_fd(),
                    stderr: job.files.stderr.as_fd(),
                    workdir: job.workdir,
                    umask: job.umask,
                };
                become_command(job.program, label, &inheritance, pipes.go.0.as_fd(), pipes.verdict.1.as_fd())
            }
            Side::Parent(command) => identify(command, started),
        }
    });
    let Ok(report) = made else {
        Report::send(made, &pipes.report.1);
        fork::exit_now(1)
    };
    let (directory, lock) = (job.files.directory.as_fd(), job.files.lock.as_fd());
    let (verdict, to_caller) = (pipes.verdict.0.as_fd(), pipes.report.1.as_fd());
    let logs = [&job.files.stdout, &job.files.stderr].map(AsFd::as_fd);
    let [out, err] = if job.keeping.is_needed() { logs } else { [directory; 2] };
    descriptor::close_all_but([directory, lock, verdict, to_caller, out, err].map(|fd| fd.as_raw_fd()));
    Report::send(Ok(report), to_caller);
    let keeper = if job.keeping.is_needed() {
        // Logs with a limit are looked after from their first line on.
        Some(Keeper::new(job.keeping, directory, logs))
    } else {
        stand_back(to_caller, report.process);
        None
    };
    descriptor::close(to_caller.as_raw_fd());
    watch(directory, verdict, report.process, report.started, keeper)
}

/// Sleeps until the caller has what it waits for and lets go, or is gone, or the command has ended. Were it the exec
/// that wakes the supervisor too, the caller would stand in line behind it wherever processors are few.
fn stand_back(to_caller: BorrowedFd<'_>, command: ProcessId) {
    // Whatever wakes us, or keeps us from sleeping: the verdict tells what has become of the command.
    if let Ok(end) = pidfd::end_of_child(command.pid) {
        let _ = readiness::wait(&[Interest::Abandoned(to_caller), Interest::Readable(end.as_fd())], None);
    }
}

/// Nothing short of SIGKILL takes it away from its command, and it takes nothing away from others:
/// no terminal, no directory, no descriptor of the caller's.
fn become_supervisor(job: &Job<'_>, pipes: &Pipes) -> io::Result<()> {
    descriptor::close_all_but([
        job.files.directory.as_raw_fd(),
        job.files.lock.as_fd().as_raw_fd(),
        job.files.stdout.as_raw_fd(),
        job.files.stderr.as_raw_fd(),
        job.workdir.as_raw_fd(),
        pipes.report.1.as_raw_fd(),
        pipes.go.0.as_raw_fd(),
        pipes.verdict.0.as_raw_fd(),
        pipes.verdict.1.as_raw_fd(),
    ]);
    mask::hear_of_children();
    fork::adopt_orphans()?;
    let null = descriptor::null()?;
    for number in 0..=2 {
        descriptor::put_on(null.as_fd(), number)?;
    }
    file::enter_root()
}

fn identify(command: i32, started: Moment) -> io::Result<Report> {
    let gone = || io::Error::from_raw_os_error(libc::ESRCH);
    let supervisor = proc::identify(fork::own_pid()).ok_or_else(gone)?;
    let process = proc::identify(command).ok_or_else(gone)?;
    Ok(Report { supervisor, process, started })
}
