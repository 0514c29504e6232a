//! Everything that can go wrong, with what to do about it and which exit code it means.

use std::io;
use std::path::PathBuf;

use super::adoption::{Obstacle, Step};
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
    #[error("{}", no_hap(alias))]
    UnknownAlias { alias: String },
    #[error("{}", no_hap(alias))]
    Misspelt { alias: String, near: Vec<String> },
    #[error("hap {id} is no longer there")]
    Gone { id: Id },
    #[error("no hap is called {alias} any more")]
    Renamed { alias: String, hap: Title },
    #[error("the name {name} is taken by hap {holder}")]
    NameTaken { name: Name, holder: Id },
    #[error("{name} cannot be a name: a name {reason}")]
    InvalidName { name: String, reason: InvalidName },
    #[error("hap {hap} is not active: it is {status}")]
    NotActive { hap: Title, status: &'static str },
    #[error("hap {hap} is not paused: it is {status}")]
    NotPaused { hap: Title, status: &'static str },
    #[error("hap {hap} belongs to another machine or container ({host})")]
    Elsewhere { hap: Title, host: String },
    #[error("the record of hap {hap} cannot be read: {path}: {reason}")]
    Broken { hap: Id, path: PathBuf, reason: String },
    #[error("hap {hap} is being changed by another hap command")]
    Busy { hap: Title },
    #[error("{command}: command not found")]
    CommandNotFound { command: String },
    #[error("{command}: cannot be executed: {}", reason(source))]
    CommandNotExecutable { command: String, source: io::Error },
    #[error("cannot enter the working directory {path}: {}", reason(source))]
    BadWorkdir { path: PathBuf, source: io::Error },
    #[error("the command was not started: its supervisor was killed")]
    SupervisorKilled,
    #[error("cannot {attempt} {path}: {}", reason(source))]
    File { attempt: &'static str, path: PathBuf, source: io::Error },
    #[error("cannot {attempt}: {}", reason(source))]
    System { attempt: &'static str, source: io::Error },
    #[error("cannot write the output: {}", reason(.0))]
    Output(io::Error),
    #[error("hap {hap} was started, but that cannot be written to the output: {}", reason(source))]
    Untold { hap: Title, source: io::Error },
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
    #[error("{signal} could not be sent to hap {hap}: {}", reason(source))]
    NotSignalled { hap: Title, signal: String, source: io::Error },
    #[error("hap {hap} still has {}", stubborn(*count, "end"))]
    WillNotEnd { hap: Title, count: usize },
    #[error("hap {hap} still has {}", stubborn(*count, "stop"))]
    WillNotHalt { hap: Title, count: usize },
    #[error("the time is up and hap {hap} is still {status}")]
    TimedOut { hap: Title, status: &'static str },
    #[error("{text:?} is no pid")]
    BadPid { text: String },
    #[error("process {pid} cannot be adopted: {obstacle}")]
    NotAdoptable { pid: i32, obstacle: Obstacle },
    #[error("process {pid} was not adopted, it goes on as before: hap could not {step}: {source}")]
    NotAdopted { pid: i32, step: Step, source: io::Error },
    #[error("hap {hap} ran as {user}, and you are not")]
    RanAsAnother { hap: Title, user: String },
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
    #[error("{what} needs a terminal")]
    NoTerminal { what: &'static str, instead: &'static str },
}

impl Error {
    /// What the user can do now.
    pub fn remedy(&self) -> String {
        match self {
            Self::UnknownAlias { .. } => "`hap` lists all haps with their ids and names".into(),
            Self::Misspelt { near, .. } => format!("did you mean {}?", one_of(near)),
            Self::Gone { .. } => {
                "it was cleaned, or its command could not be started; `hap` lists what there is".into()
            }
            Self::Renamed { hap, .. } => format!("it was renamed: it is hap {hap} now"),
            Self::NameTaken { holder, .. } => {
                format!("choose another name, or give that hap one: `hap rename {holder} NEW-NAME`")
            }
            Self::InvalidName { .. } => {
                "letters of any script, digits, '-', '_' and '.' are welcome, as in `train-2`".into()
            }
            Self::NotActive { hap, .. } => format!("`hap status {}` shows how it ended", hap.id),
            Self::NotPaused { hap, .. } => format!("`hap pause {}` pauses it while it runs", hap.id),
            Self::Elsewhere { .. } => {
                "run this command there; if there is no more, `hap clean --elsewhere` removes it".into()
            }
            Self::Broken { .. } => "repair or remove that file by hand: hap never deletes what it cannot read".into(),
            Self::Busy { .. } => "try again in a moment".into(),
            Self::CommandNotFound { .. } => "check the spelling and PATH, or give the path of the program".into(),
            Self::CommandNotExecutable { command, source } => remedy_of_exec(command, source),
            Self::BadWorkdir { .. } => {
                "see to it that it exists and that you may enter it; `hap run --workdir` chooses another".into()
            }
            Self::SupervisorKilled => "nothing is left of it: run the command again".into(),
            Self::File { source, .. } | Self::System { source, .. } => remedy_of(source).into(),
            Self::Output(source) if is_full(source) => "free some space there, or send it somewhere else".into(),
            Self::Output(_) => "check where it goes".into(),
            Self::Untold { hap, .. } => format!("do not start it again: `hap status {}` shows it", hap.id),
            Self::UnsafeStateDir { .. } => {
                "it must be a directory of yours with the mode 700 (`chmod 700`); HAPLESS_DIR chooses another".into()
            }
            Self::NoStateDir => "set HAPLESS_DIR to a directory of yours".into(),
            Self::BadVariable { variable, .. } => format!("correct it or `unset {variable}`"),
            Self::NulInArgument => "leave it out, or hand it over in a file".into(),
            Self::BadEnvironment { .. } => "write it as in `--env LEVEL=3`".into(),
            Self::NoSuchSignal { .. } => {
                "give a number from 1 to 64 or a name such as TERM; `kill -l` lists them".into()
            }
            Self::NotSignalled { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => "you can signal only what runs as your own user".into(),
                _ => remedy_of(source).into(),
            },
            Self::WillNotEnd { .. } | Self::WillNotHalt { .. } => {
                "what hangs in the kernel, on a dead network disk perhaps, goes when that answers".into()
            }
            Self::TimedOut { hap, .. } => format!("`hap wait {}` waits on, `hap stop {0}` ends it", hap.id),
            Self::BadPid { text } => match text.strip_prefix('%') {
                Some(_) => format!("only your shell knows its jobs: `hap adopt $(jobs -p {text})`"),
                None => "`jobs -l` lists what this shell has started, `ps -u $USER` all that you run".into(),
            },
            Self::NotAdoptable { obstacle, .. } => obstacle.remedy(),
            Self::NotAdopted { source, .. } => match source.raw_os_error() {
                Some(libc::EMFILE) => "it has no file descriptor left to give: `prlimit --nofile` gives it more".into(),
                Some(libc::ETIMEDOUT) => {
                    "it hangs in the kernel, on a dead network disk perhaps: try again then".into()
                }
                _ => "see ptrace(2) for what may be in the way; `hap adopt --only` takes it without its job".into(),
            },
            Self::RanAsAnother { user, .. } => format!("`sudo -u {user} hap run COMMAND` starts it for {user}"),
            Self::NoSuchRun { last: 1, .. } => "run 1 is the only one so far".into(),
            Self::NoSuchRun { last, .. } => format!("its runs are 1 to {last}, and {last} is the present one"),
            Self::NoRunBefore { hap } => format!("`hap logs {}` shows its output", hap.id),
            Self::NoTimes { .. } => "start it with `hap run --timestamps` to have them from then on".into(),
            Self::NoSuchTime { .. } => "write it as in `10m`, `2h`, `14:30` or `2025-11-23T14:30:00+01:00`".into(),
            Self::BadSize { .. } => "write it as in `512K`, `100M` or `2G`: at least 256K".into(),
            Self::Interrupted { hap } => {
                format!("`hap logs -f {0}` shows its output, `hap wait {0}` waits on, `hap stop {0}` ends it", hap.id)
            }
            Self::NoTerminal { instead, .. } => (*instead).into(),
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
            | Self::BadPid { .. }
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

/// What the user typed, as it can be recognised.
fn no_hap(alias: &str) -> String {
    match alias {
        "" => "an empty text is no hap's name".to_owned(),
        _ if alias.bytes().all(|byte| byte.is_ascii_digit()) => format!("there is no hap {alias}"),
        _ => format!("no hap is called {alias}"),
    }
}

/// `train`, `train or brain`, `a, b or c`.
fn one_of(names: &[String]) -> String {
    match names {
        [names @ .., last] if !names.is_empty() => format!("{} or {last}", names.join(", ")),
        names => names.concat(),
    }
}

fn stubborn(count: usize, verb: &str) -> String {
    if count == 1 { format!("a process that does not {verb}") } else { format!("{count} processes that do not {verb}") }
}

/// The system's words, without the number that follows them.
fn reason(source: &io::Error) -> String {
    let text = source.to_string();
    text.split_once(" (os error").map_or(text.as_str(), |(words, _)| words).to_owned()
}

fn is_full(source: &io::Error) -> bool {
    matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// execve(2) says what each of its errors means.
fn remedy_of_exec(command: &str, source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("`chmod +x {command}` makes a program of it, or name its interpreter first")
        }
        io::ErrorKind::IsADirectory => "give the path of a program in it".into(),
        io::ErrorKind::NotFound => "it is there, but what it is to be run with is not: see its first line".into(),
        io::ErrorKind::ArgumentListTooLong => "hand its input over in a file: `getconf ARG_MAX` is the limit".into(),
        io::ErrorKind::ExecutableFileBusy => "somebody is still writing it: try again in a moment".into(),
        _ => "`file` tells what it is: it may be broken, or made for another machine".into(),
    }
}

fn remedy_of(source: &io::Error) -> &'static str {
    match source.kind() {
        _ if is_full(source) => {
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

#[cfg(test)]
mod tests {
    use super::Error;
    use crate::core::id::Id;
    use crate::core::name::{InvalidName, Name};
    use crate::core::title::Title;
    use std::io;
    use std::path::PathBuf;

    fn id(number: u32) -> Id {
        Id::new(number).expect("not zero")
    }

    fn hap() -> Title {
        Title { id: id(3), name: Name::new("train").expect("valid") }
    }

    fn unknown(alias: &str) -> Error {
        Error::UnknownAlias { alias: alias.to_owned() }
    }

    fn misspelt(near: &[&str]) -> Error {
        Error::Misspelt { alias: "trian".to_owned(), near: near.iter().map(|name| (*name).to_owned()).collect() }
    }

    fn os(errno: i32) -> io::Error {
        io::Error::from_raw_os_error(errno)
    }

    fn file(errno: i32) -> Error {
        Error::file("write", "/state/x")(os(errno))
    }

    fn exec(errno: i32) -> Error {
        Error::CommandNotExecutable { command: "./x".to_owned(), source: os(errno) }
    }

    #[track_caller]
    fn reads(error: &Error, code: u8, what: &str, remedy: &str) {
        assert_eq!((error.to_string().as_str(), error.remedy().as_str(), error.exit_code()), (what, remedy, code));
    }

    #[test]
    fn who_names_no_hap_is_told_which_was_meant() {
        let list = "`hap` lists all haps with their ids and names";
        reads(&unknown("train"), 1, "no hap is called train", list);
        reads(&unknown("12"), 1, "there is no hap 12", list);
        reads(&unknown(""), 1, "an empty text is no hap's name", list);
        reads(&misspelt(&["train"]), 1, "no hap is called trian", "did you mean train?");
        assert_eq!(misspelt(&["a", "b"]).remedy(), "did you mean a or b?");
        assert_eq!(misspelt(&["a", "b", "c"]).remedy(), "did you mean a, b or c?");
        let gone = "it was cleaned, or its command could not be started; `hap` lists what there is";
        reads(&Error::Gone { id: id(7) }, 1, "hap 7 is no longer there", gone);
        let renamed = Error::Renamed { alias: "model".to_owned(), hap: hap() };
        reads(&renamed, 1, "no hap is called model any more", "it was renamed: it is hap 3 (train) now");
    }

    #[test]
    fn names_and_records() {
        let name = Name::new("train").expect("valid");
        let rename = "choose another name, or give that hap one: `hap rename 3 NEW-NAME`";
        reads(&Error::NameTaken { name, holder: id(3) }, 1, "the name train is taken by hap 3", rename);
        let invalid = Error::InvalidName { name: "a/b".to_owned(), reason: InvalidName::BadCharacter };
        let what = "a/b cannot be a name: a name must not contain '/', '@', white space or unprintable characters";
        reads(&invalid, 1, what, "letters of any script, digits, '-', '_' and '.' are welcome, as in `train-2`");
        let broken = Error::Broken { hap: id(3), path: PathBuf::from("/state/x"), reason: "it is empty".to_owned() };
        let what = "the record of hap 3 cannot be read: /state/x: it is empty";
        reads(&broken, 1, what, "repair or remove that file by hand: hap never deletes what it cannot read");
    }

    #[test]
    fn what_cannot_be_done_to_a_hap_now() {
        let not_active = Error::NotActive { hap: hap(), status: "failed" };
        let not_paused = Error::NotPaused { hap: hap(), status: "running" };
        let elsewhere = Error::Elsewhere { hap: hap(), host: "there".to_owned() };
        let there = "run this command there; if there is no more, `hap clean --elsewhere` removes it";
        let how = "`hap status 3` shows how it ended";
        reads(&not_active, 1, "hap 3 (train) is not active: it is failed", how);
        let pause = "`hap pause 3` pauses it while it runs";
        reads(&not_paused, 1, "hap 3 (train) is not paused: it is running", pause);
        reads(&elsewhere, 1, "hap 3 (train) belongs to another machine or container (there)", there);
        let busy = Error::Busy { hap: hap() };
        reads(&busy, 1, "hap 3 (train) is being changed by another hap command", "try again in a moment");
    }

    #[test]
    fn what_ends_late_or_not_at_all() {
        let hangs = "what hangs in the kernel, on a dead network disk perhaps, goes when that answers";
        let one = Error::WillNotEnd { hap: hap(), count: 1 };
        reads(&one, 1, "hap 3 (train) still has a process that does not end", hangs);
        let more = Error::WillNotEnd { hap: hap(), count: 2 };
        reads(&more, 1, "hap 3 (train) still has 2 processes that do not end", hangs);
        let late = Error::TimedOut { hap: hap(), status: "running" };
        let waits = "`hap wait 3` waits on, `hap stop 3` ends it";
        reads(&late, 124, "the time is up and hap 3 (train) is still running", waits);
        let interrupted = Error::Interrupted { hap: hap() };
        let goes_on = "`hap logs -f 3` shows its output, `hap wait 3` waits on, `hap stop 3` ends it";
        reads(&interrupted, 130, "hap 3 (train) goes on; only the waiting has ended", goes_on);
    }

    #[test]
    fn commands_that_cannot_be_started() {
        let missing = Error::CommandNotFound { command: "pyhton".to_owned() };
        let spelling = "check the spelling and PATH, or give the path of the program";
        reads(&missing, 127, "pyhton: command not found", spelling);
        let chmod = "`chmod +x ./x` makes a program of it, or name its interpreter first";
        reads(&exec(libc::EACCES), 126, "./x: cannot be executed: Permission denied", chmod);
        let interpreter = "it is there, but what it is to be run with is not: see its first line";
        reads(&exec(libc::ENOENT), 126, "./x: cannot be executed: No such file or directory", interpreter);
        let long = "hand its input over in a file: `getconf ARG_MAX` is the limit";
        reads(&exec(libc::E2BIG), 126, "./x: cannot be executed: Argument list too long", long);
        let busy = "somebody is still writing it: try again in a moment";
        reads(&exec(libc::ETXTBSY), 126, "./x: cannot be executed: Text file busy", busy);
        let strange = "`file` tells what it is: it may be broken, or made for another machine";
        reads(&exec(libc::ENOEXEC), 126, "./x: cannot be executed: Exec format error", strange);
        let workdir = Error::BadWorkdir { path: PathBuf::from("/gone"), source: os(libc::ENOENT) };
        let what = "cannot enter the working directory /gone: No such file or directory";
        reads(
            &workdir,
            126,
            what,
            "see to it that it exists and that you may enter it; `hap run --workdir` chooses another",
        );
        let killed = "the command was not started: its supervisor was killed";
        reads(&Error::SupervisorKilled, 1, killed, "nothing is left of it: run the command again");
    }

    #[test]
    fn arguments_and_variables_that_make_no_sense() {
        let nul = "an argument contains a NUL, which no command can take";
        reads(&Error::NulInArgument, 1, nul, "leave it out, or hand it over in a file");
        let environment = Error::BadEnvironment { argument: "LEVEL".to_owned() };
        reads(&environment, 2, "LEVEL is no KEY=VALUE", "write it as in `--env LEVEL=3`");
        let signal = Error::NoSuchSignal { text: "99".to_owned() };
        reads(&signal, 2, "99 is no signal", "give a number from 1 to 64 or a name such as TERM; `kill -l` lists them");
        let bad = Error::BadVariable { variable: "HAPLESS_DEBUG", value: "maybe".to_owned(), expected: "0 or 1" };
        let what = "HAPLESS_DEBUG has the value \"maybe\", which is not 0 or 1";
        reads(&bad, 1, what, "correct it or `unset HAPLESS_DEBUG`");
        let no_terminal = Error::NoTerminal { what: "hap top", instead: "`hap` prints the list" };
        reads(&no_terminal, 1, "hap top needs a terminal", "`hap` prints the list");
    }

    #[test]
    fn places_that_cannot_be_used() {
        let no_place = "there is no place for the state directory: neither HAPLESS_DIR, XDG_STATE_HOME nor HOME is set";
        reads(&Error::NoStateDir, 1, no_place, "set HAPLESS_DIR to a directory of yours");
        let unsafe_place =
            Error::UnsafeStateDir { path: PathBuf::from("/tmp/x"), reason: "other users may write to it" };
        let what = "the state directory /tmp/x is not safe: other users may write to it";
        let yours = "it must be a directory of yours with the mode 700 (`chmod 700`); HAPLESS_DIR chooses another";
        reads(&unsafe_place, 1, what, yours);
        let full = "free some space there, `hap clean` removes ended haps, or choose another place with HAPLESS_DIR";
        reads(&file(libc::ENOSPC), 1, "cannot write /state/x: No space left on device", full);
        assert_eq!(file(libc::EROFS).remedy(), "choose a writable state directory with HAPLESS_DIR");
        let denied = "check who owns it and its mode, or choose another state directory with HAPLESS_DIR";
        assert_eq!(file(libc::EACCES).remedy(), denied);
        assert_eq!(file(libc::ENOENT).remedy(), "check that it exists");
        assert_eq!(file(libc::EMFILE).remedy(), "too many open files: raise `ulimit -n`");
        assert_eq!(file(libc::EFBIG).remedy(), "raise the file size limit: see `ulimit -f`");
        let other = "the reason above is the system's own; `HAPLESS_DEBUG=1` shows what led to it";
        assert_eq!(file(libc::EIO).remedy(), other);
    }

    #[test]
    fn what_the_system_refuses() {
        let fork = Error::system("start a process")(os(libc::EAGAIN));
        let busy = "too many processes: see `ulimit -u`, or try again later";
        reads(&fork, 1, "cannot start a process: Resource temporarily unavailable", busy);
        assert_eq!(Error::system("x")(os(libc::ENOMEM)).remedy(), "free some memory and try again");
        let output = "free some space there, or send it somewhere else";
        reads(&Error::Output(os(libc::ENOSPC)), 1, "cannot write the output: No space left on device", output);
        assert_eq!(Error::Output(os(libc::EIO)).remedy(), "check where it goes");
        let refused = Error::NotSignalled { hap: hap(), signal: "SIGHUP".to_owned(), source: os(libc::EPERM) };
        let yours = "you can signal only what runs as your own user";
        reads(&refused, 1, "SIGHUP could not be sent to hap 3 (train): Operation not permitted", yours);
    }
}
