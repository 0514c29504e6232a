//! A tracer: it runs `hap`, follows every process that comes of it, and kills one of them at one of its
//! system calls, before it or after it (ptrace(2)).

#![allow(unsafe_code)] // `pre_exec` is the one way to be traced from birth

use std::collections::HashMap;
use std::fmt::Debug;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::process;

/// What a process is for.
pub trait Role: Copy + Eq + Debug + Send {
    /// The one that was started.
    const CALLER: Self;

    /// What a process that this one makes is for.
    fn child(self) -> Self;

    /// It is no longer ours to kill once it has executed something.
    fn is_free_once_executed(self) -> bool {
        false
    }
}

/// What becomes of the others once the caller is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    Trace,
    LetGo,
}

/// Whom to kill and when.
pub struct Plan<'a, R> {
    pub victim: R,
    /// At which of its stops, counted from zero.
    pub stop: usize,
    /// Whether the victim may be killed before and after the system call with this number.
    pub counts: &'a mut (dyn FnMut(i64) -> bool + Send),
    /// Asked again and again once the caller is gone, whether somebody was killed and whether all have been asleep
    /// for a while.
    pub rest: &'a mut (dyn FnMut(bool, bool) -> Rest + Send),
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub struct Traced {
    /// The exit code of the caller, if it was not killed.
    pub code: Option<i32>,
    pub was_killed: bool,
}

/// Runs a command with all its processes to their end, but kills one of them as planned.
pub fn trace<R: Role>(command: Command, plan: Plan<'_, R>) -> Traced {
    // On a thread of its own: whoever is waited for here is nobody else's.
    thread::scope(|scope| scope.spawn(|| Tracer::start(command, plan).run()).join().expect("no panic"))
}

struct Tracer<'a, R> {
    plan: Plan<'a, R>,
    caller: Pid,
    roles: HashMap<Pid, R>,
    seen: usize,
    was_killed: bool,
    /// Whether the system call that the victim has entered counts.
    is_counted: bool,
}

/// So many times in a row nothing happens until all are said to be asleep, and how long each time is.
const IDLE: (usize, Duration) = (300, Duration::from_micros(100));

/// So many times nobody sleeps: what is traced is mostly on its way.
const SHORT: usize = 20;

impl<'a, R: Role> Tracer<'a, R> {
    fn start(mut command: Command, plan: Plan<'a, R>) -> Self {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        // SAFETY: ptrace(PTRACE_TRACEME) is one system call.
        unsafe { command.pre_exec(|| ptrace::traceme().map_err(Into::into)) };
        let caller = Pid::from_raw(i32::try_from(command.spawn().expect("hap starts").id()).expect("a pid"));
        assert!(matches!(waitpid(caller, None), Ok(WaitStatus::Stopped(..))), "it stops at its exec");
        let follow = Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_TRACEVFORK | Options::PTRACE_O_TRACECLONE;
        ptrace::setoptions(caller, follow | Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACEEXEC)
            .expect("options");
        go_on(caller, None);
        let roles = HashMap::from([(caller, R::CALLER)]);
        Self { plan, caller, roles, seen: 0, was_killed: false, is_counted: false }
    }

    /// Lets all go on until none is left.
    fn run(mut self) -> Traced {
        let mut code = None;
        let mut idle = 0;
        while !self.roles.is_empty() {
            if !self.roles.contains_key(&self.caller) {
                let is_asleep = idle >= IDLE.0 && self.roles.keys().all(|&pid| is_asleep(pid));
                if (self.plan.rest)(self.was_killed, is_asleep) == Rest::LetGo {
                    self.let_all_go();
                    break;
                }
            }
            idle += 1;
            for pid in self.roles.keys().copied().collect::<Vec<Pid>>() {
                match waitpid(pid, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG)) {
                    Ok(WaitStatus::StillAlive) => continue,
                    Ok(WaitStatus::Exited(pid, status)) => {
                        self.roles.remove(&pid);
                        code = if pid == self.caller { Some(status) } else { code };
                    }
                    Ok(WaitStatus::Signaled(..)) | Err(Errno::ECHILD) => drop(self.roles.remove(&pid)),
                    Ok(status) => self.step(status),
                    Err(error) => panic!("waitpid: {error}"),
                }
                idle = 0;
            }
            if idle > SHORT {
                thread::sleep(IDLE.1);
            } else {
                thread::yield_now();
            }
        }
        Traced { code, was_killed: self.was_killed }
    }

    fn step(&mut self, status: WaitStatus) {
        match status {
            WaitStatus::PtraceSyscall(pid) => self.at_system_call(pid),
            WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_EXEC) if self.roles[&pid].is_free_once_executed() => {
                let _ = ptrace::detach(pid, None);
                self.roles.remove(&pid);
            }
            WaitStatus::PtraceEvent(pid, _, event) => {
                self.meet_child(pid, event);
                go_on(pid, None);
            }
            // A new child begins with a SIGSTOP that is not meant for it.
            WaitStatus::Stopped(pid, Signal::SIGSTOP) => go_on(pid, None),
            WaitStatus::Stopped(pid, signal) => go_on(pid, Some(signal)),
            other => panic!("{other:?}"),
        }
    }

    fn meet_child(&mut self, pid: Pid, event: i32) {
        if event != libc::PTRACE_EVENT_EXEC
            && let Ok(child) = ptrace::getevent(pid)
        {
            let child = Pid::from_raw(i32::try_from(child).expect("a pid"));
            self.roles.insert(child, self.roles[&pid].child());
        }
    }

    fn at_system_call(&mut self, pid: Pid) {
        if self.roles[&pid] == self.plan.victim && !self.was_killed && self.counts(pid) {
            if self.seen == self.plan.stop {
                self.was_killed = true;
                kill(pid, Signal::SIGKILL).expect("it is there");
                return;
            }
            self.seen += 1;
        }
        go_on(pid, None);
    }

    fn counts(&mut self, pid: Pid) -> bool {
        let info = ptrace::syscall_info(pid).ok().filter(|info| info.op == libc::PTRACE_SYSCALL_INFO_ENTRY);
        if let Some(info) = info {
            // SAFETY: at the entry of a call that is what the union has.
            let number = unsafe { info.u.entry.nr };
            self.is_counted = (self.plan.counts)(i64::try_from(number).expect("a number"));
        }
        self.is_counted
    }

    /// Nobody may stay in our hands: who is stopped by a tracer for ever can neither end nor watch.
    fn let_all_go(&mut self) {
        while let Some(pid) = self.roles.keys().next().copied() {
            let _ = kill(pid, Signal::SIGSTOP);
            match waitpid(pid, Some(WaitPidFlag::__WALL)) {
                Ok(WaitStatus::Stopped(pid, Signal::SIGSTOP)) => {
                    let _ = ptrace::detach(pid, None);
                    // If that was the SIGSTOP that a child begins with, ours is still to come.
                    let _ = kill(pid, Signal::SIGCONT);
                    self.roles.remove(&pid);
                }
                Ok(WaitStatus::PtraceEvent(pid, _, event)) => {
                    self.meet_child(pid, event);
                    go_on(pid, None);
                }
                Ok(WaitStatus::PtraceSyscall(pid) | WaitStatus::Stopped(pid, _)) => go_on(pid, None),
                Ok(_) | Err(_) => drop(self.roles.remove(&pid)),
            }
        }
    }
}

fn is_asleep(pid: Pid) -> bool {
    process::stat(pid.as_raw()).is_none_or(|stat| stat.state == 'S')
}

/// Somebody else may have ended it meanwhile.
fn go_on(pid: Pid, signal: Option<Signal>) {
    match ptrace::syscall(pid, signal) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => panic!("ptrace: {error}"),
    }
}
