//! `hap adopt` under `kill -9`: each of its processes is killed at each of its system calls, before it and after it,
//! also while the adopted program has registers that are not its own. Whatever is left must be no hap and a
//! process that nobody has touched, or one that the next `hap` makes whole; and the program computes the right thing.
#![allow(unsafe_code)] // `pre_exec` is the one way to be traced from birth

mod world;

use std::collections::HashMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;
use std::thread;

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use world::adoptee::compiled;
use world::process::{Process, kernel_is};
use world::session::on_terminal;
use world::{World, wait_for};

/// The processes of an adoption, in the order of their birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Caller,
    Intermediate,
    Supervisor,
}

/// Kills it at its first stop, its second, and so on until there is none left to be killed at.
fn kill_at_every_stop(program: &Path, victim: Role) {
    let mut tried = 0;
    for stop in 0.. {
        if !survives(program, victim, stop) {
            break;
        }
        tried += 1;
    }
    eprintln!("{victim:?}: killed at {tried} places");
    assert!(tried > 5, "{victim:?} was killed at only {tried} places");
}

/// One trial; says whether anybody was killed.
fn survives(program: &Path, victim: Role, stop: usize) -> bool {
    let when = format!("{victim:?} killed at stop {stop}");
    let world = World::new();
    // Threads that compute all the time, a chain of sums on the terminal and the same in a file.
    let mut command = world.program(program);
    command.args(["threads", "chain"]);
    let (mut program, _terminal) = on_terminal(&mut command);
    let process = program.process();
    wait_for("it to begin", || fs::metadata(world.work("chain")).is_ok_and(|chain| chain.len() > 0));
    let before = process.files();
    let (code, was_killed) =
        thread::scope(|scope| scope.spawn(|| Tracer::new(victim, stop).run(&world, process)).join().expect("no panic"));
    // Whoever comes next finds it whole, or not at all.
    let haps = world.list();
    match haps.as_slice() {
        [] => {
            assert_ne!(code, Some(0), "{when}: what was promised is there");
            assert_eq!(process.files(), before, "{when}: nobody has touched it");
        }
        [hap] => {
            assert_eq!((&hap["adopted"], &hap["pid"]), (&true.into(), &process.pid.into()), "{when}");
            let is_done = || {
                let _ = world.list();
                process.files().iter().any(|(number, path)| *number == 1 && *path == world.file("1", "stdout.log"))
            };
            wait_for(&format!("{when}: its output to be taken"), is_done);
            wait_for(&format!("{when}: the end of the adoption"), || {
                let _ = world.list();
                !world.file("1", "adoption.json").exists()
            });
            assert_eq!(process.files().len(), before.len(), "{when}: {:?}", process.files());
        }
        more => panic!("{when}: {more:?}"),
    }
    wait_for(&format!("{when}: it to run"), || !process.is_stopped());
    let length = || fs::metadata(world.work("chain")).expect("a file").len();
    let now = length();
    wait_for(&format!("{when}: it to compute"), || length() > now);
    fs::write(world.work("end"), "").expect("our own file");
    assert_eq!(program.end(), 7, "{when}");
    assert_chain(&fs::read_to_string(world.work("chain")).expect("a file"), &when);
    if !haps.is_empty() && kernel_is(6, 15) {
        assert_eq!(world.until_ended("1")["rc"], 7, "{when}");
    }
    was_killed
}

fn assert_chain(text: &str, when: &str) {
    let mut sum = 0_u64;
    for (line, round) in text.lines().zip(1..) {
        sum = (sum * 31 + round) % 1_000_003;
        assert_eq!(line, format!("{round} {sum}"), "{when}");
    }
}

struct Tracer {
    roles: HashMap<Pid, Role>,
    victim: Role,
    stop: usize,
    seen: usize,
    /// The caller has begun to make something: what it does before that is looking.
    has_begun: bool,
    was_killed: bool,
}

impl Tracer {
    fn new(victim: Role, stop: usize) -> Self {
        Self { roles: HashMap::new(), victim, stop, seen: 0, has_begun: false, was_killed: false }
    }

    /// `hap adopt`, traced until all of it has ended or is a supervisor that waits: its exit code, and whether
    /// anybody was killed.
    fn run(mut self, world: &World, process: Process) -> (Option<i32>, bool) {
        let mut command = world.command(&["adopt", &process.pid.to_string()]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        // SAFETY: ptrace(PTRACE_TRACEME) is one system call.
        unsafe { command.pre_exec(|| ptrace::traceme().map_err(Into::into)) };
        let caller = Pid::from_raw(i32::try_from(command.spawn().expect("hap starts").id()).expect("a pid"));
        self.roles.insert(caller, Role::Caller);
        assert!(matches!(waitpid(caller, None), Ok(WaitStatus::Stopped(..))), "it stops at its exec");
        let follow = Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_TRACEVFORK | Options::PTRACE_O_TRACECLONE;
        ptrace::setoptions(caller, follow | Options::PTRACE_O_TRACESYSGOOD).expect("options");
        go_on(caller, None);
        let mut code = None;
        let mut idle = 0;
        // A supervisor that waits makes no more system calls; this thread ends then and lets it go.
        while !self.roles.is_empty() && (self.roles.contains_key(&caller) || idle < 300) {
            idle += 1;
            for pid in self.roles.keys().copied().collect::<Vec<Pid>>() {
                match waitpid(pid, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG)) {
                    Ok(WaitStatus::StillAlive) => continue,
                    Ok(WaitStatus::Exited(pid, status)) => {
                        self.roles.remove(&pid);
                        code = if pid == caller { Some(status) } else { code };
                    }
                    Ok(WaitStatus::Signaled(..)) | Err(Errno::ECHILD) => drop(self.roles.remove(&pid)),
                    Ok(status) => self.step(status),
                    Err(error) => panic!("waitpid: {error}"),
                }
                idle = 0;
            }
            if idle > 0 {
                thread::sleep(std::time::Duration::from_micros(100));
            }
        }
        (code, self.was_killed)
    }

    fn step(&mut self, status: WaitStatus) {
        match status {
            WaitStatus::PtraceSyscall(pid) => self.at_system_call(pid),
            WaitStatus::PtraceEvent(pid, ..) => {
                if let Ok(child) = ptrace::getevent(pid) {
                    let child = Pid::from_raw(i32::try_from(child).expect("a pid"));
                    let role = if self.roles[&pid] == Role::Caller { Role::Intermediate } else { Role::Supervisor };
                    self.roles.insert(child, role);
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
        if self.roles[&pid] == self.victim && !self.was_killed && self.counts(pid) {
            if self.seen == self.stop {
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
        // SAFETY: at the entry of a call that is what the union has.
        let number = info.map(|info| unsafe { info.u.entry.nr });
        let is_mkdir = number.and_then(|number| i64::try_from(number).ok()) == Some(libc::SYS_mkdirat);
        self.has_begun = self.has_begun || is_mkdir;
        self.has_begun || self.victim != Role::Caller
    }
}

/// Somebody else may have ended it meanwhile.
fn go_on(pid: Pid, signal: Option<Signal>) {
    match ptrace::syscall(pid, signal) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => panic!("ptrace: {error}"),
    }
}

#[test]
fn whoever_adopts_may_be_killed_at_any_system_call() {
    let world = World::new();
    let Some(program) = compiled(&world, &[]) else {
        skip!("no C compiler here");
    };
    kill_at_every_stop(&program, Role::Caller);
    kill_at_every_stop(&program, Role::Intermediate);
}
