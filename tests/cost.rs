//! What `hap` costs, counted and not timed: system calls, wake-ups, memory. A count is the same on every
//! machine and every day, up to what the C library does at start; each bound is what was counted when it was set, with
//! room for that. Whoever goes beyond one has made `hap` slower: see docs/performance.md for why it is what it is.
#![allow(missing_docs, unsafe_code)] // a test; `pre_exec` is the one way to be traced from birth

mod world;

use std::collections::HashMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::thread;

use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use world::process::{Process, stat};
use world::{World, wait_for};

/// Who makes system calls in a launch, in the order in which they are born.
const CALLER: usize = 0;
const INTERMEDIATE: usize = 1;
const SUPERVISOR: usize = 2;
const COMMAND: usize = 3;

#[test]
fn a_launch_makes_few_system_calls() {
    let world = World::new();
    world.run(&["true"]);
    let counts = system_calls(&world, &["run", "true"]);
    assert_eq!(counts.len(), 4, "nobody else takes part: {counts:?}");
    assert_at_most(counts[CALLER], 123, "the caller");
    // Musl's fork(2) blocks signals and lets them through again.
    let of_intermediate = if world::IS_RELEASED { 8 } else { 5 };
    assert_at_most(counts[INTERMEDIATE], of_intermediate, "the intermediate process");
    assert_at_most(counts[SUPERVISOR], 85, "the supervisor, from its birth to its end");
    assert_at_most(counts[COMMAND], 85, "the command, until it is executed");
}

#[test]
fn nothing_is_done_for_version_but_to_start_and_print() {
    let world = World::new();
    assert_at_most(system_calls(&world, &["--version"])[CALLER], 25, "hap --version");
}

#[test]
fn a_list_reads_one_file_of_each_that_has_ended() {
    let world = World::new();
    let list = || system_calls(&world, &["status"])[CALLER];
    run_to_the_end(&world, 10);
    let of_ten = list();
    run_to_the_end(&world, 50);
    let of_sixty = list();
    assert_at_most(of_ten, 96, "a list of ten");
    // Open, look whether it is a file, read, close; and now and then some memory. Rust's library, built for
    // development, asks whether a file is open before it closes it.
    let of_one = if world::IS_RELEASED { 4 } else { 5 };
    assert_at_most(of_sixty - of_ten, 50 * of_one + 6, "fifty more");
}

#[test]
fn a_name_is_found_without_looking_at_the_others() {
    let world = World::new();
    world.run(&["-n", "needle", "true"]);
    run_to_the_end(&world, 2);
    let verbs: [&[&str]; 4] =
        [&["status", "needle"], &["logs", "needle"], &["wait", "needle"], &["status", "--json", "needle"]];
    let among_few = verbs.map(|verb| system_calls(&world, verb)[CALLER]);
    run_to_the_end(&world, 40);
    // `logs` also looks where its output goes, and how the kernel may copy there.
    let bounds = [58, 64, 58, 58];
    for ((verb, few), bound) in verbs.iter().zip(among_few).zip(bounds) {
        assert_at_most(system_calls(&world, verb)[CALLER], few, &format!("{verb:?} among many"));
        assert_at_most(few, bound, &format!("{verb:?}"));
    }
}

#[test]
fn a_supervisor_sleeps_until_the_kernel_wakes_it_however_long_that_takes() {
    let world = World::new();
    let id = world.run(&["sleep", "1000"]);
    let supervisor = supervisor(&world, &id);
    wait_for("it to be in wait4(2), which has no time limit, without a timer", || has_fallen_asleep(supervisor));
    let before = wake_ups(supervisor);
    for words in [&["status"][..], &["status", "-v", "1"], &["logs", "1"], &["--json"], &["run", "true"]] {
        assert_eq!(world.hap(words).code, 0);
    }
    assert_eq!(wake_ups(supervisor), before, "nothing that looks at it wakes it");
    assert!(has_fallen_asleep(supervisor));
}

#[test]
fn a_supervisor_takes_little_memory_of_its_own() {
    let world = World::new();
    let environment: Vec<(String, String)> = (0..200).map(|n| (format!("BALLAST_{n}"), "x".repeat(400))).collect();
    let mut command = world.command(&["run", "-q", "sleep", "1000"]);
    assert!(command.envs(environment).stdout(Stdio::null()).status().expect("hap run").success());
    let supervisor = supervisor(&world, "1");
    wait_for("the supervisor to fall asleep", || has_fallen_asleep(supervisor));
    // A build for development has more of everything.
    let bound = if world::IS_RELEASED { 60 } else { 120 };
    assert_at_most(anonymous_kib(supervisor), bound, "KiB that are its own, of whatever size the environment was");
}

#[track_caller]
fn assert_at_most(count: usize, bound: usize, what: &str) {
    eprintln!("{what}: {count} of at most {bound}");
    assert!(count <= bound, "{what}: {count}, and {bound} were enough");
}

fn run_to_the_end(world: &World, count: usize) {
    for _ in 0..count {
        let id = world.run(&["true"]);
        assert_eq!(world.hap(&["wait", &id]).code, 0);
    }
    let records = || fs::read_dir(world.state("haps")).expect("a state directory").flatten();
    wait_for("all to be on the disk", || records().all(|hap| !hap.path().join("record.next").exists()));
}

fn supervisor(world: &World, id: &str) -> i32 {
    Process::read(&world.record(id)["supervisor"]).expect("a supervisor").pid
}

/// Whether it waits for a child and for nothing else: no timer of any kind is set.
fn has_fallen_asleep(pid: i32) -> bool {
    let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let is_waiting = call.split(' ').next().and_then(|number| number.parse().ok()) == Some(libc::SYS_wait4);
    // The third argument of wait4(2) are its options: with none it waits until there is something.
    let waits_for_ever = call.split(' ').nth(3) == Some("0x0");
    let timers = fs::read_to_string(format!("/proc/{pid}/timers")).unwrap_or_default();
    stat(pid).is_some_and(|stat| stat.state == 'S') && is_waiting && waits_for_ever && timers.is_empty()
}

fn wake_ups(pid: i32) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    status.lines().filter(|line| line.contains("ctxt_switches")).collect::<Vec<_>>().join(" ")
}

fn anonymous_kib(pid: i32) -> usize {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("it lives");
    let line = rollup.lines().find_map(|line| line.strip_prefix("Anonymous:")).expect("the kernel says it");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Runs `hap` to its end and that of all it started: how many system calls each process made, by the order
/// of their births. A command is counted until it is executed.
fn system_calls(world: &World, words: &[&str]) -> Vec<usize> {
    // The kernel tells the thread that traces, and nobody else.
    thread::scope(|scope| scope.spawn(|| count_here(world, words)).join().expect("no panic"))
}

fn count_here(world: &World, words: &[&str]) -> Vec<usize> {
    let mut command = world.command(words);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: ptrace(PTRACE_TRACEME) is one system call.
    unsafe { command.pre_exec(|| ptrace::traceme().map_err(Into::into)) };
    let caller = Pid::from_raw(i32::try_from(command.spawn().expect("hap starts").id()).expect("a pid"));
    assert!(matches!(waitpid(caller, None), Ok(WaitStatus::Stopped(..))), "it stops at its exec");
    let follow = Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_TRACEVFORK | Options::PTRACE_O_TRACECLONE;
    ptrace::setoptions(caller, follow | Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACEEXEC).expect("options");
    ptrace::syscall(caller, None).expect("it goes on");

    let mut births = vec![caller];
    let mut stops: HashMap<Pid, usize> = HashMap::new();
    while let Ok(status) = waitpid(None, Some(WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD)) {
        // Somebody else may have ended it meanwhile.
        let go_on = |pid, signal| _ = ptrace::syscall(pid, signal);
        match status {
            WaitStatus::PtraceSyscall(pid) => {
                *stops.entry(pid).or_default() += 1;
                go_on(pid, None);
            }
            WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_EXEC) => drop(ptrace::detach(pid, None)),
            WaitStatus::PtraceEvent(pid, ..) => {
                let child = ptrace::getevent(pid).expect("a child");
                births.push(Pid::from_raw(i32::try_from(child).expect("a pid")));
                go_on(pid, None);
            }
            // A new child begins with a SIGSTOP that is not meant for it.
            WaitStatus::Stopped(pid, Signal::SIGSTOP) => go_on(pid, None),
            WaitStatus::Stopped(pid, signal) => go_on(pid, Some(signal)),
            WaitStatus::Exited(..) | WaitStatus::Signaled(..) => {}
            other => panic!("{other:?}"),
        }
    }
    // Each call stops at its beginning and at its end, but for the last one of a process.
    births.iter().map(|pid| stops.get(pid).copied().unwrap_or(0).div_ceil(2)).collect()
}
