//! A command that was started without `hap` and became a hap while it ran.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::record::ProcessId;
use super::title::Title;

/// What a record says of a command that was adopted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// The process group that belongs to the hap as a whole: the job of a shell. Its number is nobody
    /// else's while one of the processes known by their identity is still in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<i32>,
    /// The other processes that were taken with the command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<ProcessId>,
}

/// Which of its descriptors are to lead into the logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// Those that lead to its terminal.
    #[default]
    Terminal,
    /// Its stdout and stderr wherever they lead, and all that lead to its terminal.
    Everything,
    /// None.
    Nothing,
}

/// An adoption that is under way: what is to be done, and what must be put right if whoever does it is
/// killed. Lies beside the record until it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adoption {
    /// What is asked for the command; of the others only terminals are taken.
    pub capture: Capture,
    /// The command and the others.
    pub processes: Vec<ProcessId>,
    /// Those that were stopped before anybody touched them.
    pub stopped: Vec<ProcessId>,
    /// The one that does not have its own registers at this moment.
    pub patient: Option<Patient>,
    /// It could not be done and everything was put back: there is no such hap.
    pub failed: bool,
}

/// A process one of whose threads runs system calls for us, as it was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patient {
    /// The process.
    pub process: ProcessId,
    /// The thread.
    pub thread: i32,
    /// Its registers, in the order of the kernel's `NT_PRSTATUS`.
    pub registers: Vec<u64>,
    /// The signals that it blocks, one bit each.
    pub mask: u64,
    /// Where the instruction is that it is made to execute.
    pub instruction: u64,
    /// Where the one page is that it gets for a while.
    pub page: u64,
    /// The descriptors that the process has.
    pub descriptors: Vec<i32>,
    /// The device numbers of the terminals that its stdin, stdout and stderr are.
    pub terminals: Vec<u64>,
}

/// Why a process cannot be adopted. Each is found out before anything in the process is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// There is no such process.
    Missing,
    /// It is one thread of this process.
    Thread {
        /// The process.
        of: i32,
    },
    /// It has ended; its parent has not fetched that yet.
    Ended,
    /// The first process of the system.
    Init,
    /// A part of the kernel.
    Kernel,
    /// It belongs to somebody else.
    Foreign {
        /// Whom it belongs to.
        user: String,
    },
    /// `hap` itself, or the shell that called it, or what called that.
    Caller,
    /// It is a hap, or belongs to one.
    Hap(Title),
    /// It is, or is below, a supervisor of a hap in another state directory.
    Supervised,
    /// Somebody traces it.
    Traced {
        /// The pid of the tracer.
        by: i32,
    },
    /// A 32-bit program: its system calls are others.
    Narrow,
    /// No code for the registers of this machine was written.
    Architecture,
    /// It runs under a seccomp filter that may kill it for our system calls.
    Sandboxed,
    /// Yama's `ptrace_scope` has this value.
    Yama(u8),
    /// The kernel protects it, or a security module does.
    Protected,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => out.write_str("there is no such process"),
            Self::Thread { of } => write!(out, "it is a thread of process {of}"),
            Self::Ended => out.write_str("it has already ended"),
            Self::Init => out.write_str("it is the first process of the system"),
            Self::Kernel => out.write_str("it is a thread of the kernel"),
            Self::Foreign { user } => write!(out, "it belongs to {user}"),
            Self::Caller => out.write_str("this hap command was started by it"),
            Self::Hap(title) => write!(out, "it belongs to hap {title}"),
            Self::Supervised => out.write_str("it belongs to a hap of another state directory"),
            Self::Traced { by } => write!(out, "process {by} traces it"),
            Self::Narrow => out.write_str("it is a 32-bit program"),
            Self::Architecture => out.write_str("hap can do this on x86-64 and aarch64 only"),
            Self::Sandboxed => out.write_str("it has a seccomp filter of its own"),
            Self::Yama(scope) => write!(out, "kernel.yama.ptrace_scope is {scope}"),
            Self::Protected => out.write_str("the kernel protects it from being traced"),
        }
    }
}

impl Obstacle {
    /// What the user can do now.
    pub fn remedy(&self) -> String {
        match self {
            Self::Missing => "`ps -u $USER` lists your processes, `jobs -p` those of this shell".into(),
            Self::Thread { of } => format!("`hap adopt {of}`"),
            Self::Ended => "there is nothing left of it: start it with `hap run`".into(),
            Self::Init | Self::Kernel => "adopt a program that you started".into(),
            Self::Foreign { user } => format!("ask {user} to adopt it, or be root"),
            Self::Caller => "name the program, not its shell: `hap adopt $(jobs -p %1)`".into(),
            Self::Hap(title) => format!("`hap status {}` shows it", title.id),
            Self::Supervised => "set HAPLESS_DIR to that state directory".into(),
            Self::Traced { by } => format!("end or detach that debugger first: `ps -p {by}`"),
            Self::Narrow | Self::Architecture => "keep its terminal open, or start it again with `hap run`".into(),
            Self::Sandboxed => "it may die of what hap has to do in it: start it again with `hap run`".into(),
            // Linux, Documentation/admin-guide/LSM/Yama.rst: 1 only descendants, 2 only CAP_SYS_PTRACE, 3 nobody.
            Self::Yama(scope @ 0..=2) => format!(
                "`sudo sysctl kernel.yama.ptrace_scope=0` allows it until it is set back to {scope}, \
                 `sudo setcap cap_sys_ptrace=ep $(command -v hap)` allows it to hap alone"
            ),
            Self::Yama(_) => "nobody can trace anything until the machine is started again without that".into(),
            Self::Protected => {
                "setuid programs and those that hide their memory can be adopted by root: `sudo hap adopt PID`".into()
            }
        }
    }
}

/// The part of an adoption at which it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // `Display` says what each is
pub enum Step {
    Stop,
    Note,
    Seize,
    Map,
    Connect,
    Fetch,
    Receive,
    Replace,
    Close,
    Hangup,
    Release,
}

impl Step {
    /// All of them, in the order in which they come.
    pub const ALL: [Self; 11] = [
        Self::Stop,
        Self::Note,
        Self::Seize,
        Self::Map,
        Self::Connect,
        Self::Fetch,
        Self::Receive,
        Self::Replace,
        Self::Close,
        Self::Hangup,
        Self::Release,
    ];
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Stop => "stop it",
            Self::Note => "note down how it is",
            Self::Seize => "take hold of it",
            Self::Map => "give it a page of memory",
            Self::Connect => "connect it with hap",
            Self::Fetch => "open its descriptors",
            Self::Receive => "hand a log to it",
            Self::Replace => "replace its descriptors",
            Self::Close => "close what it no longer needs",
            Self::Hangup => "make it ignore SIGHUP",
            Self::Release => "let it go",
        })
    }
}
