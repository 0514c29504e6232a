//! The laws of launching under `kill -9`: `hap run` is traced, and each of its processes in turn is
//! killed at each of its system calls, before it and after it. Whatever is left must be a recorded
//! command or none, never half a hap, and nothing that `hap clean` cannot remove.
#![allow(missing_docs, unsafe_code)] // a test; `pre_exec` is the one way to be traced from birth

use std::collections::HashMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde_json::Value;

/// The processes of a launch, in the order of their birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Caller,
    Intermediate,
    Supervisor,
    Command,
}

impl Role {
    fn child(self) -> Self {
        match self {
            Self::Caller => Self::Intermediate,
            Self::Intermediate => Self::Supervisor,
            Self::Supervisor | Self::Command => Self::Command,
        }
    }
}

#[test]
fn the_caller_may_be_killed_at_any_system_call() {
    kill_everywhere(Role::Caller);
}

#[test]
fn the_intermediate_process_may_be_killed_at_any_system_call() {
    kill_everywhere(Role::Intermediate);
}

#[test]
fn the_supervisor_may_be_killed_at_any_system_call() {
    kill_everywhere(Role::Supervisor);
}

#[test]
fn the_command_may_be_killed_at_any_system_call_before_it_is_executed() {
    kill_everywhere(Role::Command);
}

/// Kills it at its first stop, its second, and so on until there is none left to be killed at.
fn kill_everywhere(role: Role) {
    let mut tried = 0;
    for stop in 0.. {
        let world = tempfile::tempdir().expect("a directory");
        let launch = Launch::traced(world.path(), role, stop);
        launch.check(world.path(), &format!("{role:?} killed at stop {stop}"));
        if !launch.was_killed {
            break;
        }
        tried += 1;
    }
    eprintln!("{role:?}: killed at {tried} places");
    assert!(tried > 5, "{role:?} was killed at only {tried} places");
}

struct Launch {
    /// The exit code of `hap run`, if it was not killed.
    code: Option<i32>,
    was_killed: bool,
}

impl Launch {
    /// Runs `hap run` to the end of all its processes, but kills this one at this stop.
    fn traced(world: &Path, victim: Role, stop: usize) -> Self {
        let mut command = hap(world);
        command.args(["run", "-n", "victim", "sh", "-c", "echo $$ > marker"]).current_dir(world);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        // SAFETY: ptrace(PTRACE_TRACEME) is one system call.
        unsafe { command.pre_exec(|| ptrace::traceme().map_err(Into::into)) };
        let caller = Pid::from_raw(i32::try_from(command.spawn().expect("hap starts").id()).expect("a pid"));
        let mut tracer = Tracer { roles: HashMap::from([(caller, Role::Caller)]), victim, stop, seen: 0, killed: None };
        assert!(matches!(waitpid(caller, None), Ok(WaitStatus::Stopped(..))), "it stops at its exec");
        let follow = Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_TRACEVFORK | Options::PTRACE_O_TRACECLONE;
        ptrace::setoptions(caller, follow | Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACEEXEC)
            .expect("options");
        ptrace::syscall(caller, None).expect("it goes on");
        let code = tracer.run(caller);
        Self { code, was_killed: tracer.killed.is_some() }
    }

    fn check(&self, world: &Path, when: &str) {
        let haps = list(world, when);
        let marker = fs::read_to_string(world.join("marker")).ok();
        let ran: Option<i64> = marker.as_deref().and_then(|pid| pid.trim().parse().ok());
        assert!(haps.len() <= 1, "{when}: {haps:?}");
        for hap in &haps {
            assert_eq!(hap["name"], "victim", "{when}: a whole hap");
            assert_ne!(hap["status"], "running", "{when}: everything has ended");
        }
        if let Some(pid) = ran {
            assert_eq!(haps.first().map(|hap| &hap["pid"]), Some(&Value::from(pid)), "{when}: what ran is recorded");
        }
        match self.code {
            Some(0) => assert_eq!(haps.len(), 1, "{when}: what was promised is recorded"),
            Some(_) => {
                assert_eq!(ran, None, "{when}: what was refused did not run");
                assert!(haps.is_empty(), "{when}: what was refused left {haps:?}");
            }
            None => {}
        }
        self.check_that_clean_leaves_nothing(world, when);
    }

    fn check_that_clean_leaves_nothing(&self, world: &Path, when: &str) {
        assert!(hap(world).arg("clean").stdout(Stdio::null()).status().expect("hap clean").success(), "{when}");
        for name in ["haps", "names", "trash"] {
            let left: Vec<_> = fs::read_dir(world.join("state").join(name)).into_iter().flatten().flatten().collect();
            assert!(left.is_empty() || name == "names" && self.code.is_none(), "{when}: {name} still has {left:?}");
        }
        // A name is free again, whatever became of its link.
        let again = hap(world).args(["run", "-q", "-n", "victim", "true"]).output().expect("hap run");
        assert_eq!(String::from_utf8_lossy(&again.stdout), "1\n", "{when}: {again:?}");
        assert!(
            hap(world).args(["kill", "--all"]).stdout(Stdio::null()).status().expect("hap kill").success(),
            "{when}"
        );
    }
}

struct Tracer {
    roles: HashMap<Pid, Role>,
    victim: Role,
    stop: usize,
    seen: usize,
    killed: Option<Pid>,
}

impl Tracer {
    /// Lets all go on until none is left. Returns how the caller ended.
    fn run(&mut self, caller: Pid) -> Option<i32> {
        let mut code = None;
        while !self.roles.is_empty() {
            let pids: Vec<Pid> = self.roles.keys().copied().collect();
            for pid in pids {
                match waitpid(pid, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG)) {
                    Ok(WaitStatus::StillAlive) => {}
                    Ok(WaitStatus::Exited(pid, status)) => {
                        self.roles.remove(&pid);
                        code = if pid == caller { Some(status) } else { code };
                    }
                    Ok(WaitStatus::Signaled(..)) | Err(Errno::ECHILD) => drop(self.roles.remove(&pid)),
                    Ok(status) => self.step(status),
                    Err(error) => panic!("waitpid: {error}"),
                }
            }
            std::thread::yield_now();
        }
        code
    }

    fn step(&mut self, status: WaitStatus) {
        match status {
            WaitStatus::PtraceSyscall(pid) => self.at_system_call(pid),
            WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_EXEC) => {
                // The command is executed: it is no longer ours to kill.
                if self.roles[&pid] == Role::Command {
                    let _ = ptrace::detach(pid, None);
                    self.roles.remove(&pid);
                } else {
                    go_on(pid, None);
                }
            }
            WaitStatus::PtraceEvent(pid, ..) => {
                if let Ok(child) = ptrace::getevent(pid) {
                    let child = Pid::from_raw(i32::try_from(child).expect("a pid"));
                    self.roles.insert(child, self.roles[&pid].child());
                }
                go_on(pid, None);
            }
            // A new child begins with a SIGSTOP that is not meant for it.
            WaitStatus::Stopped(pid, Signal::SIGSTOP) => go_on(pid, None),
            WaitStatus::Stopped(pid, signal) => go_on(pid, Some(signal)),
            other => panic!("{other:?}"),
        }
    }

    fn at_system_call(&mut self, pid: Pid) {
        if self.roles[&pid] == self.victim && self.killed.is_none() {
            if self.seen == self.stop {
                self.killed = Some(pid);
                kill(pid, Signal::SIGKILL).expect("it is there");
                return;
            }
            self.seen += 1;
        }
        go_on(pid, None);
    }
}

/// Somebody else may have ended it meanwhile.
fn go_on(pid: Pid, signal: Option<Signal>) {
    match ptrace::syscall(pid, signal) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => panic!("ptrace: {error}"),
    }
}

fn hap(world: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hap"));
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", world);
    command.env("HAPLESS_DIR", world.join("state")).stdin(Stdio::null());
    command
}

/// The haps, once none of them is active: a command that was detached may take a moment to end.
fn list(world: &Path, when: &str) -> Vec<Value> {
    for _ in 0..2000 {
        let output = hap(world).arg("--json").output().expect("hap --json");
        assert!(output.status.success(), "{when}: {output:?}");
        let haps: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
        if haps.iter().all(|hap| hap["status"] != "running") {
            return haps;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("{when}: still running")
}
