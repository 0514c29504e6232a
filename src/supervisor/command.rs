//! The process that becomes the command. All that it hands on is written down here.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use super::report::verdict::{self, Stage};
use super::report::{Go, Label};
use crate::sys::exec::Program;
use crate::sys::{descriptor, file, fork, mask};

/// What a command inherits beside its arguments and environment. Limits, niceness and the user
/// come from the caller by themselves.
pub(super) struct Inheritance<'a> {
    pub(super) stdout: BorrowedFd<'a>,
    pub(super) stderr: BorrowedFd<'a>,
    pub(super) workdir: BorrowedFd<'a>,
    pub(super) umask: u32,
}

/// Waits for the go and becomes the program. Without a go it ends and has executed nothing.
pub(super) fn become_command(
    program: &mut Program,
    label: &mut Label,
    inheritance: &Inheritance<'_>,
    go: BorrowedFd<'_>,
    verdict: BorrowedFd<'_>,
) -> ! {
    // What needs no go is done while the caller records.
    let settled = settle(inheritance);
    let error = match (Go::receive(go), settled) {
        (None, _) => (Stage::Setup, io::Error::from_raw_os_error(libc::ECANCELED)),
        (Some(_), Err(error)) => error,
        (Some(message), Ok(())) => {
            message.label(label);
            mask::unblock_all();
            (Stage::Exec, program.execute())
        }
    };
    verdict::send(error.0, &error.1, verdict);
    fork::exit_now(127);
}

/// Own session, no terminal; stdin empty, stdout and stderr in the logs, nothing else open (what is
/// ours closes on exec, what was the caller's the supervisor has closed); the caller's directory and
/// umask; every signal at its default, and none blocked once it is executed.
fn settle(inheritance: &Inheritance<'_>) -> Result<(), (Stage, io::Error)> {
    let setup = |error| (Stage::Setup, error);
    fork::new_session().map_err(setup)?;
    file::enter(inheritance.workdir).map_err(|error| (Stage::Workdir, error))?;
    descriptor::put_on(inheritance.stdout, 1).map_err(setup)?;
    descriptor::put_on(inheritance.stderr, 2).map_err(setup)?;
    let stdin = descriptor::null_for_reading().map_err(setup)?;
    descriptor::put_on(stdin.as_fd(), 0).map_err(setup)?;
    fork::set_umask(inheritance.umask);
    mask::reset_actions();
    Ok(())
}
