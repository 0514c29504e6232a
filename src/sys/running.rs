//! A running program as `/proc` shows it: what it was started with, who it belongs to, its threads.

use std::ffi::CString;
use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

/// Some of `/proc/PID/status` (`proc_pid_status(5)`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The process that a thread belongs to: its own pid for a process.
    pub process: i32,
    /// Who traces it; 0 if nobody does.
    pub tracer: i32,
    /// Real, effective and saved user.
    pub users: Vec<u32>,
    /// Its file mode creation mask.
    pub umask: u32,
    /// It has memory of its own: the kernel's threads have none.
    pub has_memory: bool,
    /// How many seccomp filters it runs under; where the kernel does not count them (before 5.9) the mode.
    pub filters: u32,
    /// The capabilities in effect, one bit each.
    pub capabilities: u64,
}

/// `CAP_SYS_PTRACE` (capabilities(7)).
const CAN_TRACE: u32 = 19;

/// Reads them. `None` if there is nothing with this pid.
pub fn facts(pid: i32) -> Option<Facts> {
    Some(parse(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?))
}

fn parse(text: &str) -> Facts {
    let value = |key: &str| text.lines().find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(':')?.trim()));
    let number = |key: &str| value(key).and_then(|text| text.parse().ok());
    let users = value("Uid").into_iter().flat_map(str::split_ascii_whitespace).take(3);
    Facts {
        process: number("Tgid").unwrap_or(0),
        tracer: number("TracerPid").unwrap_or(0),
        users: users.filter_map(|user| user.parse().ok()).collect(),
        umask: value("Umask").and_then(|mask| u32::from_str_radix(mask, 8).ok()).unwrap_or(0o022),
        has_memory: value("VmSize").is_some(),
        filters: number("Seccomp_filters").or_else(|| number("Seccomp")).unwrap_or(0).cast_unsigned(),
        capabilities: value("CapEff").and_then(|mask| u64::from_str_radix(mask, 16).ok()).unwrap_or(0),
    }
}

impl Facts {
    /// It may trace whom it likes.
    pub fn may_trace(&self) -> bool {
        self.capabilities >> CAN_TRACE & 1 == 1
    }
}

/// The value of Yama's `ptrace_scope`, where there is Yama.
pub fn yama_scope() -> Option<u8> {
    fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").ok()?.trim().parse().ok()
}

/// The threads of a process and the state of each.
pub fn threads(pid: i32) -> Vec<(i32, u8)> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let state = |thread: i32| {
        let stat = fs::read(format!("/proc/{pid}/task/{thread}/stat")).ok()?;
        let name_end = stat.iter().rposition(|&byte| byte == b')')?;
        Some((thread, *stat.get(name_end + 2)?))
    };
    entries.flatten().filter_map(|entry| state(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// Its arguments, byte for byte; none if it has overwritten them with nothing.
pub fn arguments(pid: i32) -> io::Result<Vec<CString>> {
    strings(&format!("/proc/{pid}/cmdline"))
}

/// The environment that it was started with, byte for byte.
pub fn environment(pid: i32) -> io::Result<Vec<CString>> {
    strings(&format!("/proc/{pid}/environ"))
}

/// What it may have written there itself need not end with a NUL.
fn strings(path: &str) -> io::Result<Vec<CString>> {
    let bytes = fs::read(path)?;
    let strings = bytes.strip_suffix(b"\0").unwrap_or(&bytes).split(|&byte| byte == 0);
    let strings = strings.map(|string| CString::new(string).expect("split at each NUL"));
    Ok(if bytes.is_empty() { Vec::new() } else { strings.collect() })
}

/// Its working directory.
pub fn workdir(pid: i32) -> io::Result<PathBuf> {
    fs::read_link(format!("/proc/{pid}/cwd"))
}

/// The program that it executes.
pub fn executable(pid: i32) -> io::Result<PathBuf> {
    fs::read_link(format!("/proc/{pid}/exe"))
}

/// Whether that is a 64-bit program: `EI_CLASS` of elf(5).
pub fn is_64_bit(pid: i32) -> io::Result<bool> {
    const CLASS: usize = 4;
    const CLASS_64: u8 = 2;
    let mut head = [0; CLASS + 1];
    fs::File::open(format!("/proc/{pid}/exe"))?.read_exact(&mut head)?;
    Ok(head[CLASS] == CLASS_64)
}

/// Whether we may trace it, found out without doing so: its memory is opened after the same check
/// (`PTRACE_MODE_ATTACH`, ptrace(2)). One that is ending has no memory any more.
pub fn open_memory(pid: i32) -> io::Result<()> {
    fs::File::open(format!("/proc/{pid}/mem")).map(drop)
}

#[cfg(test)]
mod tests {
    use super::{Facts, arguments, environment, facts, is_64_bit, parse, threads};

    #[test]
    fn a_status_is_read() {
        let text = "Name:\tx\nUmask:\t0077\nTgid:\t42\nTracerPid:\t7\nUid:\t1\t2\t3\t4\nVmSize:\t 9 kB\nCapEff:\t0000000000080000\nSeccomp:\t2\nSeccomp_filters:\t3\n";
        let read = parse(text);
        let users = vec![1, 2, 3];
        let expected =
            Facts { process: 42, tracer: 7, users, umask: 0o077, has_memory: true, filters: 3, capabilities: 1 << 19 };
        assert_eq!(read, expected);
        assert!(read.may_trace() && !parse("").may_trace() && !parse("").has_memory);
    }

    #[test]
    fn we_are_seen_as_we_are() {
        let own = i32::try_from(std::process::id()).expect("fits");
        assert_eq!(facts(own).expect("we are there").process, own);
        assert!(threads(own).iter().any(|&(thread, _)| thread == own));
        let expected: Vec<_> = std::env::args_os().collect();
        assert_eq!(arguments(own).expect("readable").len(), expected.len());
        assert_eq!(environment(own).expect("readable"), crate::sys::environment::entries());
        assert!(is_64_bit(own).expect("readable"));
    }
}
