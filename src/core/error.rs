//! Everything that can go wrong, with what to do about it and which exit code it means.

use std::io;
use std::path::PathBuf;

use super::id::Id;
use super::name::{InvalidName, Name};
use super::title::Title;

/// The result of anything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One sentence says what went wrong ([`std::fmt::Display`]), one what to do about it ([`Error::remedy`]).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // each message says what its kind means
pub enum Error {
    #[error("no hap is called {alias}")]
    UnknownAlias { alias: String },
    #[error("the name {name} is taken by hap {holder}")]
    NameTaken { name: Name, holder: Id },
    #[error("{name} cannot be a name: a name {reason}")]
    InvalidName { name: String, reason: InvalidName },
    #[error("hap {hap} is not active: it is {status}")]
    NotActive { hap: Title, status: &'static str },
    #[error("hap {hap} is not paused: it is {status}")]
    NotPaused { hap: Title, status: &'static str },
    #[error("hap {hap} runs on host {host}")]
    Elsewhere { hap: Title, host: String },
    #[error("the record of hap {hap} cannot be read: {path}: {reason}")]
    Broken { hap: Id, path: PathBuf, reason: String },
    #[error("hap {hap} is being changed by another hap command")]
    Busy { hap: Title },
    #[error("{command}: command not found")]
    CommandNotFound { command: String },
    #[error("{command}: cannot be executed: {source}")]
    CommandNotExecutable { command: String, source: io::Error },
    #[error("cannot enter the working directory {path}: {source}")]
    BadWorkdir { path: PathBuf, source: io::Error },
    #[error("the command was not started: its supervisor was killed")]
    SupervisorKilled,
    #[error("cannot {attempt} {path}: {source}")]
    File { attempt: &'static str, path: PathBuf, source: io::Error },
    #[error("cannot {attempt}: {source}")]
    System { attempt: &'static str, source: io::Error },
    #[error("cannot write the output: {0}")]
    Output(io::Error),
    #[error("the state directory {path} is not safe: {reason}")]
    UnsafeStateDir { path: PathBuf, reason: &'static str },
    #[error("there is no place for the state directory: neither HAPLESS_DIR, XDG_STATE_HOME nor HOME is set")]
    NoStateDir,
    #[error("{variable} has the value {value:?}, which is not {expected}")]
    BadVariable { variable: &'static str, value: String, expected: &'static str },
    #[error("an argument contains a NUL, which no command can take")]
    NulInArgument,
    #[error("{argument} is no KEY=VALUE")]
    BadEnvironment { argument: String },
    #[error("{text} is no signal")]
    NoSuchSignal { text: String },
    #[error("signal {signal} could not be sent to hap {hap}: {source}")]
    NotSignalled { hap: Title, signal: String, source: io::Error },
    #[error("hap {hap} still has {count} processes that do not end")]
    WillNotEnd { hap: Title, count: usize },
    #[error("hap {hap} still has {count} processes that do not stop")]
    WillNotHalt { hap: Title, count: usize },
    #[error("the time is up and hap {hap} is still {status}")]
    TimedOut { hap: Title, status: &'static str },
    #[error("hap {hap} has no run {run}")]
    NoSuchRun { hap: Title, run: u32, last: u32 },
    #[error("hap {hap} has not been restarted: there is no run before")]
    NoRunBefore { hap: Title },
    #[error("hap {hap} keeps no times of its output")]
    NoTimes { hap: Title },
    #[error("{text} is no time")]
    NoSuchTime { text: String },
    #[error("{text} is no size of a log")]
    BadSize { text: String },
    #[error("hap {hap} goes on; only the waiting has ended")]
    Interrupted { hap: Title },
}

impl Error {
    /// What the user can do now.
    pub fn remedy(&self) -> String {
        match self {
            Self::UnknownAlias { .. } => "`hap` lists all haps with their ids and names".into(),
            Self::NameTaken { .. } => {
                "choose another name, or remove that hap with `hap clean` once it has ended".into()
            }
            Self::InvalidName { .. } => {
                "letters of any script, digits, '-', '_' and '.' are welcome, as in `train-2`".into()
            }
            Self::NotActive { hap, .. } => format!("`hap status {}` shows how it ended", hap.id),
            Self::NotPaused { hap, .. } => format!("`hap pause {}` pauses it while it runs", hap.id),
            Self::Elsewhere { host, .. } => format!("run this command on {host}"),
            Self::Broken { .. } => "repair or remove that file by hand: hap never deletes what it cannot read".into(),
            Self::Busy { .. } => "try again in a moment".into(),
            Self::CommandNotFound { .. } => "check the spelling and PATH, or give the path of the program".into(),
            Self::CommandNotExecutable { command, source } => match source.kind() {
                io::ErrorKind::PermissionDenied => {
                    format!("`chmod +x {command}` makes a program of it, or name its interpreter first")
                }
                _ => "see execve(2) for what this error means".into(),
            },
            Self::BadWorkdir { .. } => "choose an existing directory that you may enter with --workdir".into(),
            Self::SupervisorKilled => "nothing is left of it: run the command again".into(),
            Self::File { source, .. } | Self::System { source, .. } | Self::Output(source) => remedy_of(source).into(),
            Self::UnsafeStateDir { path, .. } => {
                format!(
                    "make it yours with `chown $(id -u) {0}; chmod 700 {0}`, or choose another with HAPLESS_DIR",
                    path.display()
                )
            }
            Self::NoStateDir => "set HAPLESS_DIR to a directory of yours".into(),
            Self::BadVariable { variable, .. } => format!("correct it or `unset {variable}`"),
            Self::NulInArgument => "remove it".into(),
            Self::BadEnvironment { .. } => "write it as in `--env LEVEL=3`".into(),
            Self::NoSuchSignal { .. } => {
                "give a number from 1 to 64 or a name such as TERM; `kill -l` lists them".into()
            }
            Self::NotSignalled { .. } => "you can signal only what runs as your own user".into(),
            Self::WillNotEnd { .. } | Self::WillNotHalt { .. } => {
                "they hang in the kernel, on a dead network disk perhaps, and go when it answers".into()
            }
            Self::TimedOut { hap, .. } => format!("`hap wait {}` waits on, `hap stop {0}` ends it", hap.id),
            Self::NoSuchRun { last: 1, .. } => "run 1 is the only one so far".into(),
            Self::NoSuchRun { last, .. } => format!("its runs are 1 to {last}, and {last} is the present one"),
            Self::NoRunBefore { hap } => format!("`hap logs {}` shows its output", hap.id),
            Self::NoTimes { .. } => "start it with `hap run --timestamps` to have them from then on".into(),
            Self::NoSuchTime { .. } => "write it as in `10m`, `2h`, `14:30` or `2025-11-23T14:30:00+01:00`".into(),
            Self::BadSize { .. } => "write it as in `512K`, `100M` or `2G`: at least 256K".into(),
            Self::Interrupted { hap } => {
                format!("`hap logs -f {0}` shows its output, `hap wait {0}` waits on, `hap stop {0}` ends it", hap.id)
            }
        }
    }

    /// The exit code of a command that ends with this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::CommandNotFound { .. } => 127,
            Self::CommandNotExecutable { .. } | Self::BadWorkdir { .. } => 126,
            Self::TimedOut { .. } => 124,
            // As a shell says that SIGINT ended a command.
            Self::Interrupted { .. } => 130,
            Self::NoSuchSignal { .. }
            | Self::BadEnvironment { .. }
            | Self::NoSuchTime { .. }
            | Self::BadSize { .. } => 2,
            _ => 1,
        }
    }

    /// For `map_err` after an operation on a file.
    pub fn file(attempt: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { attempt, path, source }
    }

    /// For `map_err` after a system call that concerns no file.
    pub fn system(attempt: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { attempt, source }
    }
}

fn remedy_of(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space there, `hap clean` removes ended haps, or choose another place with HAPLESS_DIR"
        }
        io::ErrorKind::ReadOnlyFilesystem => "choose a writable state directory with HAPLESS_DIR",
        io::ErrorKind::PermissionDenied => {
            "check who owns it and its mode, or choose another state directory with HAPLESS_DIR"
        }
        io::ErrorKind::NotFound => "check that it exists",
        io::ErrorKind::WouldBlock => "too many processes: see `ulimit -u`, or try again later",
        io::ErrorKind::OutOfMemory => "free some memory and try again",
        _ if source.raw_os_error() == Some(libc::EMFILE) => "too many open files: raise `ulimit -n`",
        _ if source.raw_os_error() == Some(libc::EFBIG) => "raise the file size limit: see `ulimit -f`",
        _ => "the reason above is the system's own; `HAPLESS_DEBUG=1` shows what led to it",
    }
}
