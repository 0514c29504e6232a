//! What `/proc` tells of processes: `proc_pid_stat(5)`, `proc_tid_children(5)`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::core::record::{Outcome, ProcessId};
use crate::core::status::Presence;
use crate::sys::{clock, file, host, wait};

/// One reading of `/proc/PID/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Who it is, as far as the stat tells.
    pub id: ProcessId,
    /// `R`, `S`, `D`, `T`, `t`, `Z`, `X`, ...
    pub state: u8,
    /// Parent.
    pub parent: i32,
    /// Process group.
    pub group: i32,
    /// Session.
    pub session: i32,
    /// Threads that have not ended.
    pub threads: u32,
    /// CPU time in user mode and in the kernel, clock ticks.
    pub cpu_ticks: u64,
    /// CPU time of the children that it has waited for, and of those that they have, clock ticks.
    pub children_ticks: u64,
    /// Resident set size, pages.
    pub resident_pages: u64,
    /// It waits for something in the kernel, a child in vfork(2) perhaps, and will stop as soon as that has come.
    pub is_held_up: bool,
    /// It has got SIGKILL, or is on its way out for another reason, and is not gone yet.
    is_dying: bool,
    /// The wait status, where we may see it and there is one.
    exit_status: i32,
}

/// Reads the stat of a process. `None` if there is none with this pid.
pub fn stat(pid: i32) -> Option<Stat> {
    let stat = read_stat(&format!("/proc/{pid}/stat"))?;
    let is_held_up = stat.state == b'D' && stop_is_pending(pid);
    let state = match stat.state {
        // Its main thread has ended and others go on: how they are is how it is.
        state if is_over(state) && !stat.is_zombie() => {
            states_of_threads(pid).into_iter().find(|&state| !is_over(state))
        }
        // Nothing of it runs before it obeys.
        b'D' if is_held_up => Some(b'T'),
        state => Some(state),
    };
    Some(Stat { state: state.unwrap_or(stat.state), is_held_up, ..stat })
}

fn states_of_threads(pid: i32) -> Vec<u8> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    threads.flatten().filter_map(|thread| Some(read_stat(thread.path().join("stat").to_str()?)?.state)).collect()
}

/// SIGSTOP was sent to a process whose main thread cannot be interrupted: it is on its list of pending
/// signals (`ShdPnd`, `proc_pid_status(5)`) or has already stopped its other threads.
fn stop_is_pending(pid: i32) -> bool {
    const SIGSTOP: u64 = 1 << (libc::SIGSTOP - 1);
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let pending = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
    let pending = pending.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0);
    pending & SIGSTOP != 0 || {
        let threads = states_of_threads(pid);
        threads.contains(&b'T') && threads.iter().all(|state| matches!(state, b'D' | b'T'))
    }
}

/// `PF_EXITING` among a task's flags (`<linux/sched.h>`), and SIGKILL among its own pending signals, to which a
/// signal that ends the whole process is added at once (kernel/signal.c, `complete_signal`).
const EXITING: u64 = 0x4;
const SIGKILL: u64 = 1 << (libc::SIGKILL - 1);

fn is_over(state: u8) -> bool {
    matches!(state, b'Z' | b'X' | b'x')
}

fn read_stat(path: &str) -> Option<Stat> {
    // The longest possible line: 52 fields, of which the second has at most 64 bytes.
    let mut buffer = [0; 2048];
    let length = file::read_once(path, &mut buffer).ok()?;
    parse_stat(&buffer[..length])
}

/// Parses a stat line. The command name, in parentheses, may itself contain anything, also `) `.
fn parse_stat(line: &[u8]) -> Option<Stat> {
    let name_end = line.iter().rposition(|&byte| byte == b')')?;
    let pid = std::str::from_utf8(line.split(|&byte| byte == b' ').next()?).ok()?.parse().ok()?;
    let rest = std::str::from_utf8(line.get(name_end + 1..)?).ok()?;
    let mut fields = [""; 50];
    for (slot, field) in fields.iter_mut().zip(rest.split_ascii_whitespace()) {
        *slot = field;
    }
    // proc_pid_stat(5) counts from 1, and the first two are before `rest`.
    let field = |number: usize| fields[number - 3];
    let state = *field(3).as_bytes().first()?;
    let flags: u64 = field(9).parse().unwrap_or(0);
    let pending: u64 = field(31).parse().unwrap_or(0);
    Some(Stat {
        id: ProcessId { pid, start_ticks: field(22).parse().ok()?, pidfd_inode: None },
        state,
        parent: field(4).parse().ok()?,
        group: field(5).parse().ok()?,
        session: field(6).parse().ok()?,
        threads: field(20).parse().ok()?,
        cpu_ticks: field(14).parse::<u64>().ok()?.saturating_add(field(15).parse().ok()?),
        children_ticks: field(16).parse::<u64>().ok()?.saturating_add(field(17).parse().ok()?),
        resident_pages: field(24).parse().unwrap_or(0),
        is_held_up: false,
        is_dying: !is_over(state) && (flags & EXITING != 0 || pending & SIGKILL != 0),
        exit_status: field(52).parse().unwrap_or(0),
    })
}

impl Stat {
    /// It has ended; only its parent has not fetched that yet. The main thread of a process may
    /// end before its other threads: then it looks like a zombie and is none.
    pub fn is_zombie(&self) -> bool {
        is_over(self.state) && self.threads <= 1
    }

    /// It does not run until it is continued, by a signal or by its tracer.
    pub fn is_halted(&self) -> bool {
        matches!(self.state, b'T' | b't')
    }

    /// Resident set size, bytes. What several processes share counts for each of them.
    pub fn resident_bytes(&self) -> u64 {
        self.resident_pages.saturating_mul(rustix::param::page_size() as u64)
    }

    fn presence(&self) -> Presence {
        if self.is_zombie() {
            Presence::Zombie(self.visible_outcome())
        } else if self.state == b'T' {
            Presence::Stopped
        } else {
            Presence::Alive
        }
    }

    /// The kernel shows the exit status to the process's own user and to root, and 0 to all others.
    fn visible_outcome(&self) -> Option<Outcome> {
        let owner = fs::metadata(format!("/proc/{}", self.id.pid)).ok()?.uid();
        let own_uid = host::own_uid();
        (own_uid == 0 || own_uid == owner).then(|| wait::outcome(self.exit_status))
    }
}

/// The identity of whoever has this pid now.
pub fn identify(pid: i32) -> Option<ProcessId> {
    Some(ProcessId { pidfd_inode: pidfd_inode(pid), ..stat(pid)?.id })
}

/// The stat of exactly this process. `None` if it is gone, also when its pid is another's now.
pub fn stat_of(process: ProcessId) -> Option<Stat> {
    let stat = stat(process.pid).filter(|stat| stat.id == process.as_in_stat())?;
    // Asked second: who has the number now had the pid when the stat was read, too.
    let is_same = process.pidfd_inode.is_none_or(|inode| pidfd_inode(process.pid) == Some(inode));
    is_same.then_some(stat)
}

/// See [`ProcessId::pidfd_inode`]. Before Linux 6.9 all pidfds share one inode.
fn pidfd_inode(pid: i32) -> Option<u64> {
    const PIDFS: u64 = 0x5049_4446;
    // The kernel does not change while we run.
    static IS_UNIQUE: OnceLock<bool> = OnceLock::new();
    let pid = rustix::process::Pid::from_raw(pid)?;
    let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()?;
    let ask = || rustix::fs::fstatfs(&pidfd).is_ok_and(|fs| u64::try_from(fs.f_type) == Ok(PIDFS));
    IS_UNIQUE.get_or_init(ask).then(|| rustix::fs::fstat(&pidfd).ok().map(|stat| stat.st_ino)).flatten()
}

/// How long a process that is dying is waited for.
const LAST_BREATH: Duration = Duration::from_millis(500);

/// What is seen of exactly this process, once it is gone if it is about to go: kill(2) returns before that.
pub fn settled_presence(process: ProcessId) -> Presence {
    match stat_of(process) {
        Some(stat) if !stat.is_dying => stat.presence(),
        None => Presence::Gone,
        Some(_) => {
            let is_settled = || stat_of(process).is_none_or(|stat| !stat.is_dying);
            clock::wait_until(Instant::now() + LAST_BREATH, is_settled);
            presence(process)
        }
    }
}

/// What is seen of exactly this process.
pub fn presence(process: ProcessId) -> Presence {
    stat_of(process).map_or(Presence::Gone, |stat| stat.presence())
}

/// The children of a process, those of all its threads.
pub fn children(pid: i32) -> Vec<i32> {
    let directory = format!("/proc/{pid}/task");
    let tasks = names_in(&directory);
    let lists = tasks.iter().filter_map(|task| fs::read_to_string(format!("{directory}/{task}/children")).ok());
    lists
        .flat_map(|list| list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<i32>>())
        .collect()
}

/// What the open descriptors of a process lead to, as far as we may see that.
pub fn open_files(pid: i32) -> Vec<PathBuf> {
    let directory = format!("/proc/{pid}/fd");
    names_in(&directory).iter().filter_map(|file| fs::read_link(format!("{directory}/{file}")).ok()).collect()
}

/// The entries of a directory in `/proc`. Not by way of the C library, whose heap a supervisor has given back.
fn names_in(directory: &str) -> Vec<String> {
    file::open_directory(Path::new(directory)).and_then(file::names_in).unwrap_or_default()
}

/// Whether this process, which has one thread, has any child at all. Allocates nothing.
pub fn has_children() -> bool {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let Ok(list) = rustix::fs::open("/proc/thread-self/children", flags, Mode::empty()) else { return true };
    let mut first = [0; 1];
    rustix::io::read(&list, &mut first).is_ok_and(|length| length > 0)
}

/// A number of clock ticks as time (`_SC_CLK_TCK`, sysconf(3)).
pub fn ticks(count: u64) -> Duration {
    Duration::from_millis(count.saturating_mul(1000) / rustix::param::clock_ticks_per_second().max(1))
}

/// The largest resident set that exactly this process has had, KiB (`VmHWM`, `proc_pid_status(5)`).
pub fn peak_memory_kib(process: ProcessId) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid)).ok()?;
    stat_of(process)?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse().ok())
}

/// All processes there are.
pub fn all() -> Vec<Stat> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| stat(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// The value of a variable in the environment that a process began with, of which this is the name and the
/// equals sign. `None` also if that may not be seen.
pub fn variable(pid: i32, name: &[u8]) -> Option<Vec<u8>> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    environment.split(|&byte| byte == 0).find_map(|entry| entry.strip_prefix(name)).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::{identify, parse_stat, presence, stat};
    use crate::core::record::ProcessId;
    use crate::core::status::Presence;

    fn line(name: &str, state: char, threads: u32) -> String {
        format!(
            "42 ({name}) {state} 1 42 42 0 -1 0 0 0 0 0 7 8 2 1 20 0 {threads} 0 12345 0 99 0 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 768\n"
        )
    }

    #[test]
    fn a_name_may_contain_anything() {
        for name in ["sh", "a) R 1 2 3", "(", "))) Z", "tab\there", ""] {
            let stat = parse_stat(line(name, 'S', 1).as_bytes()).expect("parses");
            assert_eq!(stat.id, ProcessId { pid: 42, start_ticks: 12345, pidfd_inode: None }, "{name:?}");
            assert_eq!((stat.state, stat.cpu_ticks, stat.children_ticks), (b'S', 15, 3));
            assert_eq!((stat.resident_pages, stat.exit_status), (99, 768));
        }
    }

    #[test]
    fn a_main_thread_that_ended_first_makes_no_zombie() {
        let is_zombie = |state, threads| parse_stat(line("x", state, threads).as_bytes()).expect("parses").is_zombie();
        assert!(is_zombie('Z', 0) && is_zombie('Z', 1));
        assert!(!is_zombie('Z', 3) && !is_zombie('S', 1));
    }

    #[test]
    fn garbage_is_no_stat() {
        for text in ["", "42", "42 (x", "42 (x)", "42 (x) S 1", "x (x) S 1 1 1"] {
            assert_eq!(parse_stat(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn a_pid_with_another_start_time_is_gone() {
        let own = identify(i32::try_from(std::process::id()).expect("fits")).expect("we exist");
        assert_eq!(presence(own), Presence::Alive);
        assert_eq!(presence(ProcessId { start_ticks: own.start_ticks + 1, ..own }), Presence::Gone);
        assert_eq!(presence(ProcessId { pidfd_inode: Some(1), ..own }), Presence::Gone);
        assert_eq!(presence(own.as_in_stat()), Presence::Alive);
        assert_eq!(stat(own.pid).map(|stat| stat.id), Some(own.as_in_stat()));
    }
}
