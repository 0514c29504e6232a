//! `run`: starts a command, detached, and remembers it.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{self, Path, PathBuf};
use std::time::Duration;

use crate::core::command_line::is_shell_text;
use crate::core::error::{Error, Result};
use crate::core::name::Name;
use crate::core::record::{Record, VERSION};
use crate::ops::unbuffered;
use crate::store::{Contents, Naming, Published, StateDir};
use crate::supervisor::{self, Job, Keeping, Refused};
use crate::sys::exec::{Program, c_string};
use crate::sys::pidfd::Handle;
use crate::sys::{environment, file, fork, hole, host};

const FALLBACK_SHELL: &CStr = c"/bin/sh";

/// What login shells of accounts are that may not log in: they would swallow the command.
const NO_SHELLS: [&[u8]; 2] = [b"nologin", b"false"];

/// How long a supervisor may take to notice that there is nothing to supervise.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is asked of `run`.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The command and its arguments.
    pub command: Vec<OsString>,
    /// Its name; a generated one if there is none.
    pub name: Option<Name>,
    /// Where to run it; here if there is none.
    pub workdir: Option<PathBuf>,
    /// Entries `KEY=VALUE` to add to the environment or to replace there.
    pub environment: Vec<OsString>,
    /// Send stderr to the stdout log.
    pub merge: bool,
    /// How many bytes of each log stay on the disk, if the file system can free the others.
    pub log_limit: Option<u64>,
    /// Note when which part of the logs was written.
    pub timestamps: bool,
    /// Ask the usual runtimes not to buffer their output.
    pub unbuffered: bool,
}

/// Starts the command. Returns once it is executed and recorded; on an error nothing is left of it.
pub fn run(root: &Path, request: &Request) -> Result<Published> {
    let private = fork::private_umask();
    let environment = environment(request)?;
    let workdir = request.workdir.as_deref().unwrap_or(Path::new("."));
    let failed = |source| Error::BadWorkdir { path: workdir.to_owned(), source };
    let workdir_fd = file::open_workdir(workdir).map_err(failed)?;
    let (mut program, shell) = program(&request.command, environment, workdir_fd.as_fd())?;
    let state = StateDir::create(root)?;
    let staged = state.stage_files(request.merge)?;
    let log_limit = request.log_limit.filter(|_| hole::can_free(&staged.files().stdout));
    let keeping = Keeping { limit: log_limit, timestamps: request.timestamps };
    let (files, umask) = (staged.files(), private.before());
    let job = Job { program: &mut program, files, workdir: workdir_fd.as_fd(), umask, keeping };
    let launch = supervisor::begin(job)?;
    // While the processes are being made.
    let workdir = path_of(request.workdir.as_deref()).map_err(failed)?;
    let place = host::place().map_err(Error::system("tell which machine this is"))?;
    staged.describe(&Contents {
        arguments: program.arguments(),
        environment: program.environment(),
        workdir: &workdir,
        merge: request.merge,
    })?;
    let argv = lossy(program.arguments());
    let waiting = launch.identified()?;
    let naming = request.name.clone().map_or(Naming::Generated, Naming::Chosen);
    let published = staged.publish(naming, |name| Record {
        version: VERSION,
        name,
        argv,
        shell,
        workdir: workdir.to_string_lossy().into_owned(),
        merge: request.merge,
        umask,
        uid: host::own_uid(),
        log_limit,
        timestamps: request.timestamps,
        restarts: 0,
        place,
        supervisor: waiting.supervisor,
        process: waiting.process,
        started: waiting.started,
        adopted: None,
        end: None,
    })?;
    match waiting.go(published.id, &published.record.name) {
        Ok(()) => Ok(published),
        Err(refused) => {
            withdraw(&state, &published)?;
            Err(explain(refused, &published.record, &program, workdir_fd.as_fd()))
        }
    }
}

/// Leaves nothing of a hap whose command was not executed.
fn withdraw(state: &StateDir, published: &Published) -> Result<()> {
    // It writes an end into a record that is to go: not while the directory is removed.
    if let Ok(Some(supervisor)) = Handle::open(published.record.supervisor) {
        let _ = supervisor.wait_at_most(PATIENCE);
    }
    state.withdraw(published.id, &published.record)
}

pub(super) fn explain(refused: Refused, record: &Record, program: &Program, workdir: BorrowedFd<'_>) -> Error {
    let command = if record.argv[0].is_empty() { "''".to_owned() } else { record.argv[0].clone() };
    match refused {
        Refused::Workdir(source) => Error::BadWorkdir { path: PathBuf::from(&record.workdir), source },
        Refused::Setup(source) => Error::System { attempt: "start the command", source },
        // A script is there and its interpreter is not.
        Refused::Exec(source) if source.kind() == io::ErrorKind::NotFound && !program.exists_in(workdir) => {
            Error::CommandNotFound { command }
        }
        Refused::Exec(source)
            if source.kind() == io::ErrorKind::PermissionDenied && program.is_directory_in(workdir) =>
        {
            Error::CommandNotExecutable { command, source: io::ErrorKind::IsADirectory.into() }
        }
        Refused::Exec(source) => Error::CommandNotExecutable { command, source },
    }
}

/// The program to execute, and whether it is a shell that gets the single argument as its text.
fn program(command: &[OsString], environment: Vec<CString>, workdir: BorrowedFd<'_>) -> Result<(Program, bool)> {
    let arguments: Option<Vec<CString>> = command.iter().map(|argument| c_string(argument)).collect();
    let arguments = arguments.ok_or(Error::NulInArgument)?;
    let program = Program::new(arguments, environment);
    match program.arguments() {
        [text] if is_shell_text(text.as_bytes()) && !program.exists_in(workdir) && !is_a_path(workdir, text) => {
            let shell = shell(program.environment());
            let arguments = vec![shell, c"-c".to_owned(), text.clone()];
            Ok((Program::new(arguments, program.environment().to_vec()), true))
        }
        _ => Ok((program, false)),
    }
}

/// A file that is there but cannot be executed was meant as a file all the same.
fn is_a_path(workdir: BorrowedFd<'_>, text: &CStr) -> bool {
    text.to_bytes().contains(&b'/') && file::exists_at(workdir, text)
}

/// The user's shell, if it is one that can be executed.
fn shell(environment: &[CString]) -> CString {
    let shell = environment.iter().find_map(|entry| entry.as_bytes().strip_prefix(b"SHELL="));
    let is_usable = |path: &&[u8]| {
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        path.starts_with(b"/") && !NO_SHELLS.contains(&name) && file::is_executable(Path::new(OsStr::from_bytes(path)))
    };
    let shell = shell.filter(is_usable).and_then(|path| CString::new(path).ok());
    shell.unwrap_or_else(|| FALLBACK_SHELL.to_owned())
}

/// The caller's environment with the user's entries added or replaced, after what we know better.
fn environment(request: &Request) -> Result<Vec<CString>> {
    let mut environment = environment::entries();
    if request.unbuffered {
        unbuffered::ask(&mut environment);
    }
    for change in &request.environment {
        let bad = || Error::BadEnvironment { argument: change.to_string_lossy().into_owned() };
        let entry = c_string(change).ok_or_else(bad)?;
        let equals = entry.as_bytes().iter().position(|&byte| byte == b'=').filter(|&at| at > 0).ok_or_else(bad)?;
        environment.retain(|old| !old.as_bytes().starts_with(&entry.as_bytes()[..=equals]));
        environment.push(entry);
    }
    Ok(environment)
}

fn path_of(workdir: Option<&Path>) -> io::Result<PathBuf> {
    match workdir {
        None => file::own_workdir(),
        Some(path) => std::fs::canonicalize(path).or_else(|_| path::absolute(path)),
    }
}

fn lossy(strings: &[CString]) -> Vec<String> {
    strings.iter().map(|string| string.to_string_lossy().into_owned()).collect()
}
