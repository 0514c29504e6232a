//! Processes as `/proc` shows them, read independently of the program under test.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde_json::Value;

use super::wait_for;

/// One process and never another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    pub pid: i32,
    pub start_ticks: u64,
}

/// Some of `/proc/PID/stat`.
#[derive(Clone, Copy, Debug)]
pub struct Stat {
    pub state: char,
    pub parent: i32,
    pub group: i32,
    pub session: i32,
    pub terminal: i32,
    pub nice: i32,
    pub start_ticks: u64,
}

pub fn stat(pid: i32) -> Option<Stat> {
    parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// Reads a stat line; the name in parentheses may contain anything.
pub fn parse(line: &[u8]) -> Option<Stat> {
    let line = String::from_utf8_lossy(line);
    let fields: Vec<&str> = line.rsplit_once(") ")?.1.split_ascii_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<i64>().ok();
    let small = |field| number(field).and_then(|number| i32::try_from(number).ok());
    Some(Stat {
        state: fields.first()?.chars().next()?,
        parent: small(4)?,
        group: small(5)?,
        session: small(6)?,
        terminal: small(7)?,
        nice: small(19)?,
        start_ticks: number(22)?.try_into().ok()?,
    })
}

impl Process {
    pub fn with_pid(pid: i32) -> Option<Self> {
        Some(Self { pid, start_ticks: stat(pid)?.start_ticks })
    }

    /// Reads `{"pid":…,"start_ticks":…}`.
    pub fn read(value: &Value) -> Option<Self> {
        let pid = i32::try_from(value["pid"].as_i64()?).ok().filter(|&pid| pid > 1)?;
        Some(Self { pid, start_ticks: value["start_ticks"].as_u64()? })
    }

    #[track_caller]
    pub fn of_record(value: &Value) -> Self {
        Self::read(value).unwrap_or_else(|| panic!("no process: {value}"))
    }

    /// Its stat, if it is there at all.
    pub fn stat(self) -> Option<Stat> {
        stat(self.pid).filter(|stat| stat.start_ticks == self.start_ticks)
    }

    /// It is there and no zombie.
    pub fn is_alive(self) -> bool {
        self.stat().is_some_and(|stat| !matches!(stat.state, 'Z' | 'X'))
    }

    /// It is there and does not run.
    pub fn is_stopped(self) -> bool {
        self.stat().is_some_and(|stat| matches!(stat.state, 'T' | 't'))
    }

    /// Sends it, and nobody else, a signal.
    pub fn signal(self, number: i32) {
        let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.pid > 1) else { return };
        let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return };
        if self.stat().is_some() {
            let signal = Signal::from_named_raw(number).expect("a signal with a name");
            let _ = pidfd_send_signal(handle, signal);
        }
    }

    /// Kills it and waits until it is gone or a zombie.
    #[track_caller]
    pub fn kill(self) {
        self.signal(libc::SIGKILL);
        self.until_gone();
    }

    #[track_caller]
    pub fn until_gone(self) {
        wait_for(&format!("the end of {self:?}"), || !self.is_alive());
    }

    /// What it executes, as ps(1) shows it.
    pub fn name(self) -> String {
        fs::read_to_string(format!("/proc/{}/comm", self.pid)).unwrap_or_default().trim_end().to_owned()
    }

    /// The files it has open, by number.
    pub fn files(self) -> Vec<(i32, PathBuf)> {
        let entries = fs::read_dir(format!("/proc/{}/fd", self.pid)).into_iter().flatten().flatten();
        let number = |path: &Path| path.file_name()?.to_str()?.parse().ok();
        let mut files: Vec<(i32, PathBuf)> =
            entries.filter_map(|entry| Some((number(&entry.path())?, fs::read_link(entry.path()).ok()?))).collect();
        files.sort();
        files
    }

    /// One line of `/proc/PID/status`.
    pub fn status_line(self, key: &str) -> Option<String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        status_line(&status, key)
    }

    /// It has this signal blocked.
    pub fn holds_back(self, number: i32) -> bool {
        let blocked = self.status_line("SigBlk").and_then(|mask| u64::from_str_radix(&mask, 16).ok());
        blocked.is_some_and(|mask| mask >> (number - 1) & 1 == 1)
    }

    /// How often it has gone to sleep. A zombie still tells.
    pub fn sleeps(self) -> u64 {
        let count = self.status_line("voluntary_ctxt_switches").and_then(|count| count.parse().ok());
        count.expect("it is there, at least as a zombie")
    }

    /// All that descends from it.
    pub fn descendants(self) -> Vec<Process> {
        let mut found: Vec<Process> = Vec::new();
        let mut pending = vec![self.pid];
        let everybody: Vec<(Process, i32)> =
            all().into_iter().filter_map(|process| Some((process, process.stat()?.parent))).collect();
        while let Some(parent) = pending.pop() {
            let children = everybody.iter().filter(|(_, its_parent)| *its_parent == parent);
            for (child, _) in children {
                pending.push(child.pid);
                found.push(*child);
            }
        }
        found
    }
}

/// One value of the text of `/proc/PID/status`.
pub fn status_line(status: &str, key: &str) -> Option<String> {
    status.lines().find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(':')?.trim().to_owned()))
}

/// All processes that are there.
pub fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(Process::with_pid).collect()
}

/// All processes whose environment, working directory or open files show that they come from this world.
pub fn of_world(root: &Path) -> Vec<Process> {
    all().into_iter().filter(|process| is_of_world(*process, root)).collect()
}

fn is_of_world(process: Process, root: &Path) -> bool {
    let environment = fs::read(format!("/proc/{}/environ", process.pid)).unwrap_or_default();
    let needle = root.as_os_str().as_bytes();
    let is_named = environment.windows(needle.len()).any(|part| part == needle);
    let workdir = fs::read_link(format!("/proc/{}/cwd", process.pid));
    is_named || workdir.is_ok_and(|workdir| workdir.starts_with(root))
}

pub fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("a Linux kernel").trim_end().to_owned()
}

/// Whether the kernel is at least this version.
pub fn kernel_is(major: u32, minor: u32) -> bool {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(major), Some(minor))
}
