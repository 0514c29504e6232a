//! The record of a hap: what was asked, which processes it became, how it ended.
//!
//! `docs/state-format.md` describes its JSON field by field. A released version of it is never
//! changed, only followed by a next one.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::adoption::Adopted;
use super::command_line::quoted;
use super::name::Name;
use super::signal::Signal;

/// The version that this program writes, and the newest it reads.
pub const VERSION: u32 = 1;

/// Everything about one run of a hap, in one file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The format; see [`VERSION`].
    pub version: u32,
    /// Unique among the haps present.
    pub name: Name,
    /// The arguments for display: what is no UTF-8 is replaced. The `cmdline` file has the bytes.
    pub argv: Vec<String>,
    /// The command was one argument of shell text: `argv` is the shell, `-c` and that text.
    pub shell: bool,
    /// The working directory for display. The `cwd` link has the bytes.
    pub workdir: String,
    /// Stderr goes to the stdout log.
    pub merge: bool,
    /// The file mode creation mask of the command.
    pub umask: u32,
    /// Who started it.
    pub uid: u32,
    /// How many bytes of each log stay on the disk; absent where all do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_limit: Option<u64>,
    /// Beside each log stands when which part of it was written.
    #[serde(default, skip_serializing_if = "is_false")]
    pub timestamps: bool,
    /// How often it was restarted.
    pub restarts: u32,
    /// The only place where the process ids below mean something.
    pub place: Place,
    /// Waits for the command.
    pub supervisor: ProcessId,
    /// The command itself.
    pub process: ProcessId,
    /// When the command was started.
    pub started: Moment,
    /// It was running before it became a hap; absent for a command that `hap` has started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted: Option<Adopted>,
    /// How it ended; absent while nobody has seen an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands over references
fn is_false(flag: &bool) -> bool {
    !flag
}

/// A host, one boot of it and one pid namespace there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The host's name, as uname(2) gives it.
    pub host: String,
    /// `/proc/sys/kernel/random/boot_id`: new at every boot.
    pub boot_id: String,
    /// Inode number of `/proc/self/ns/pid` (`pid_namespaces(7)`).
    pub pid_namespace: u64,
}

/// One process, and never another that is given the same pid later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// Greater than 1.
    pub pid: i32,
    /// When it started, in clock ticks since boot: field 22 of `/proc/PID/stat` (`proc_pid_stat(5)`).
    pub start_ticks: u64,
    /// The number of its pidfd in the kernel's own file system for them, which no other process of this
    /// boot ever has (Linux 6.9); a tick lasts long enough for a pid to be given out twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pidfd_inode: Option<u64>,
}

impl ProcessId {
    /// What `/proc/PID/stat` alone shows of it.
    #[must_use]
    pub fn as_in_stat(self) -> Self {
        Self { pidfd_inode: None, ..self }
    }
}

/// One point in time on two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Nanoseconds since 1970-01-01 UTC, as the wall clock had it.
    pub unix_ns: i64,
    /// Nanoseconds since boot, `CLOCK_BOOTTIME`: counts sleep, is never set back.
    pub boot_ns: u64,
}

impl Moment {
    /// The time from an earlier moment of the same boot to this one; nothing if it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.boot_ns.saturating_sub(earlier.boot_ns))
    }
}

/// The end of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// What became of it.
    pub outcome: Outcome,
    /// When, in nanoseconds since 1970-01-01 UTC.
    pub unix_ns: i64,
    /// From start to end, by a clock that is never set back.
    pub runtime_ns: u64,
    /// Some of its descendants lived on. Once they are gone as well, nobody comes back to say so.
    pub survivors: bool,
    /// What it used; absent where nobody could know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It ended with this code.
    Exited(u8),
    /// A signal with this number ended it.
    Signaled(i32),
    /// It could not be executed, for this `errno`.
    NotStarted(i32),
    /// It is gone and its exit status with it.
    Lost(Loss),
}

/// Why nobody knows how a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// The machine went down with it.
    Rebooted,
    /// It and its supervisor were gone before anyone looked.
    Unwatched,
    /// Its supervisor was gone, and the kernel told nobody else the exit status.
    Unreadable,
}

/// What a command and the children it waited for used, as getrusage(2) counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time in user mode, microseconds.
    pub user_us: u64,
    /// CPU time in the kernel, microseconds.
    pub system_us: u64,
    /// Largest resident set of any one of them, KiB.
    pub max_rss_kib: u64,
}

impl Record {
    /// Reads a record; an error says what is wrong with it.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        if json.is_empty() {
            return Err("it is empty".into());
        }
        let record: Self = parse(json).map_err(|error| explain(json, &error))?;
        match record.flaw() {
            Some(reason) => Err(reason.into()),
            None => Ok(record),
        }
    }

    /// The command as one line that can be pasted into a shell.
    pub fn command_line(&self) -> String {
        match self.argv.as_slice() {
            [_, _, text] if self.shell => text.clone(),
            argv => quoted(argv),
        }
    }

    /// What a well-formed record of this version cannot contain, if this one does.
    fn flaw(&self) -> Option<&'static str> {
        let bad_pid = |process: ProcessId| process.pid <= 1;
        if self.version == 0 || self.version > VERSION {
            return Some("it was written by another version of hap");
        }
        if bad_pid(self.supervisor) || bad_pid(self.process) {
            return Some("it has an impossible pid");
        }
        if self.argv.is_empty() {
            return Some("it has no command");
        }
        match self.end.map(|end| end.outcome) {
            Some(Outcome::Signaled(number)) if Signal::new(number).is_none() => Some("it has an impossible signal"),
            _ => None,
        }
    }
}

/// Reads JSON quickly: its text is checked at once and not string by string, and the blanks that were kept
/// for an end are not looked at one by one.
fn parse(mut json: &[u8]) -> serde_json::Result<Record> {
    while let Some(rest) = json.strip_suffix(&[b' '; 32]) {
        json = rest;
    }
    match std::str::from_utf8(json) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(json),
    }
}

/// A record of a later version may lack anything that this one needs: then its version says more
/// than the first thing that is missed.
fn explain(json: &[u8], error: &serde_json::Error) -> String {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    match serde_json::from_slice(json) {
        Ok(Versioned { version }) if version > VERSION => {
            format!("it was written by a newer hap, in format version {version}")
        }
        _ => format!("it is damaged: {error}"),
    }
}

impl Outcome {
    /// The return code: 0 to 255, or minus the number of the signal. `None` where there is none.
    pub fn return_code(self) -> Option<i32> {
        match self {
            Self::Exited(code) => Some(i32::from(code)),
            Self::Signaled(number) => Some(-number),
            Self::NotStarted(_) | Self::Lost(_) => None,
        }
    }

    /// The exit code by which a shell would tell it: 128 and the signal's number, 127 and 126 for what
    /// could not be executed; 1 where nobody knows.
    pub fn shell_code(self) -> u8 {
        match self {
            Self::Exited(code) => code,
            Self::Signaled(number) => u8::try_from(128 + number).unwrap_or(u8::MAX),
            Self::NotStarted(libc::ENOENT) => 127,
            Self::NotStarted(_) => 126,
            Self::Lost(_) => 1,
        }
    }

    /// The signal that ended it.
    pub fn signal(self) -> Option<Signal> {
        match self {
            Self::Signaled(number) => Signal::new(number),
            Self::Exited(_) | Self::NotStarted(_) | Self::Lost(_) => None,
        }
    }
}

/// Writes an end as the JSON that serde reads, without allocating: the supervisor has given its
/// heap back by the time it needs this.
impl fmt::Display for End {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(r#"{"outcome":"#)?;
        match self.outcome {
            Outcome::Exited(code) => write!(out, r#"{{"exited":{code}}}"#)?,
            Outcome::Signaled(number) => write!(out, r#"{{"signaled":{number}}}"#)?,
            Outcome::NotStarted(errno) => write!(out, r#"{{"not_started":{errno}}}"#)?,
            Outcome::Lost(loss) => {
                let word = match loss {
                    Loss::Rebooted => "rebooted",
                    Loss::Unwatched => "unwatched",
                    Loss::Unreadable => "unreadable",
                };
                write!(out, r#"{{"lost":"{word}"}}"#)?;
            }
        }
        write!(out, r#","unix_ns":{},"runtime_ns":{}"#, self.unix_ns, self.runtime_ns)?;
        write!(out, r#","survivors":{}"#, self.survivors)?;
        if let Some(Usage { user_us, system_us, max_rss_kib }) = self.usage {
            write!(out, r#","usage":{{"user_us":{user_us},"system_us":{system_us},"max_rss_kib":{max_rss_kib}}}"#)?;
        }
        out.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::{End, Loss, Outcome, Usage};

    #[test]
    fn an_end_written_by_hand_is_what_serde_writes() {
        let outcomes = [
            Outcome::Exited(0),
            Outcome::Exited(255),
            Outcome::Signaled(15),
            Outcome::NotStarted(2),
            Outcome::Lost(Loss::Rebooted),
            Outcome::Lost(Loss::Unwatched),
            Outcome::Lost(Loss::Unreadable),
        ];
        let usages = [None, Some(Usage { user_us: 1, system_us: u64::MAX, max_rss_kib: 3 })];
        for outcome in outcomes {
            for usage in usages {
                let end = End { outcome, unix_ns: i64::MAX, runtime_ns: u64::MAX, survivors: true, usage };
                assert_eq!(end.to_string(), serde_json::to_string(&end).expect("serializes"));
            }
        }
    }
}
