//! Real programs go on computing the right thing while they are adopted a hundred times in a row, whatever they
//! are doing at that moment. Each adoption takes their output into a log of its own; together these must be
//! the whole chain, line by line.

mod world;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use world::adoptee::compiled;
use world::process::Process;
use world::{Companion, World, finish, wait_for};

const TIMES: usize = 100;

/// Starts a program whose output goes to a file.
fn start(world: &World, mut program: Command) -> Companion {
    let output = File::create(world.work("output")).expect("a new file");
    program.stdout(output).stderr(Stdio::null());
    let program = Companion::start(program);
    wait_for("its first line", || fs::metadata(world.work("output")).is_ok_and(|output| output.len() > 0));
    program
}

/// Adopts a process once, in a state directory of its own, and forgets about it: the log that it has got.
fn adopt(world: &World, process: Process, turn: usize) -> PathBuf {
    let state = world.path(format!("state-{turn}"));
    let mut command = world.command(&["adopt", "--capture", "--only", "-q", &process.pid.to_string()]);
    command.env("HAPLESS_DIR", &state);
    assert_eq!(finish(command).ok(), "1\n");
    let hap = state.join("haps/1");
    let record = world::json(&fs::read_to_string(hap.join("record.json")).expect("a record"));
    Process::of_record(&record["supervisor"]).kill();
    hap.join("stdout.log")
}

/// All lines of the chain are there, in order and once.
#[track_caller]
fn assert_chain(logs: &[PathBuf]) {
    let text: String = logs.iter().map(|log| fs::read_to_string(log).expect("a log")).collect();
    let mut sum = 0_u64;
    let mut count = 0;
    for (line, round) in text.lines().zip(1..) {
        sum = (sum * 31 + round) % 1_000_003;
        assert_eq!(line, format!("{round} {sum}"));
        count = round;
    }
    assert!(count > 10, "only {count} lines: {text}");
}

/// A hundred times, then it is told to end.
#[track_caller]
fn assert_unshaken(world: &World, program: Command) {
    let mut program = start(world, program);
    let process = program.process();
    let adopted = (0..TIMES).map(|turn| adopt(world, process, turn));
    let logs: Vec<PathBuf> = [world.work("output")].into_iter().chain(adopted).collect();
    fs::write(world.work("end"), "").expect("our own file");
    assert_eq!(program.end(), 7, "{:?}", fs::read_to_string(logs.last().expect("there is one")));
    assert_chain(&logs);
}

#[track_caller]
fn assert_mode_unshaken(mode: &str, flags: &[&str]) {
    let world = World::new();
    let Some(program) = compiled(&world, flags) else {
        skip!("no C compiler here that can do {flags:?}");
    };
    let mut command = world.program(program);
    command.arg(mode);
    assert_unshaken(&world, command);
}

#[test]
fn one_that_is_blocked_in_read() {
    assert_mode_unshaken("read", &[]);
}

#[test]
fn one_that_is_blocked_in_nanosleep() {
    assert_mode_unshaken("nanosleep", &[]);
}

#[test]
fn one_that_is_blocked_in_futex() {
    assert_mode_unshaken("futex", &[]);
}

#[test]
fn one_that_is_blocked_in_epoll_wait() {
    assert_mode_unshaken("epoll", &[]);
}

#[test]
fn one_in_a_call_that_is_restarted_with_the_rest_of_its_time() {
    assert_mode_unshaken("poll", &[]);
}

#[test]
fn one_in_a_call_that_only_a_handler_ends() {
    assert_mode_unshaken("sigsuspend", &[]);
}

#[test]
fn one_that_asks_the_vdso_for_the_time_all_the_time() {
    assert_mode_unshaken("clock", &[]);
}

#[test]
fn one_of_many_threads() {
    assert_mode_unshaken("threads", &[]);
}

#[test]
fn a_static_one() {
    for mode in ["nanosleep", "threads"] {
        assert_mode_unshaken(mode, &["-static"]);
    }
}

#[test]
fn a_python_script() {
    let python = needs!("python3");
    let world = World::new();
    fs::write(world.work("chain.py"), PYTHON).expect("a new file");
    let mut command = world.program(python);
    command.args([Path::new("-u"), &world.work("chain.py")]);
    assert_unshaken(&world, command);
}

const PYTHON: &str = r#"
import hashlib, os, sys, threading, time
total, n, digest = 0, 0, hashlib.sha256()
while True:
    n += 1
    thread = threading.Thread(target=digest.update, args=(b"x" * 5000,))
    thread.start()
    thread.join()
    time.sleep(0.005)
    total = (total * 31 + n) % 1000003
    print(n, total)
    if os.path.exists("end"):
        right = hashlib.sha256(b"x" * 5000 * n).digest() == digest.digest()
        sys.exit(7 if right else 1)
"#;

#[test]
fn a_long_sleep_ends_although_it_is_interrupted_all_the_time() {
    let world = World::new();
    let Some(program) = compiled(&world, &[]) else {
        skip!("no C compiler here");
    };
    let mut command = world.program(program);
    command.arg("long-sleep").stdout(Stdio::null()).stderr(Stdio::null());
    fs::write(world.work("end"), "").expect("a new file");
    let mut program = Companion::start(command);
    let process = program.process();
    wait_for("it to sleep", || process.stat().is_some_and(|stat| stat.state == 'S'));
    // Each interruption that began the sleep anew would keep it from ending for as long as these go on.
    let mut turn = 0;
    while process.is_alive() {
        turn += 1;
        assert!(turn < 2000, "it never wakes");
        let state = world.path(format!("state-{turn}"));
        let mut command = world.command(&["adopt", "--only", "-q", &process.pid.to_string()]);
        command.env("HAPLESS_DIR", &state);
        if finish(command).code != 0 {
            break;
        }
        let record = world::json(&fs::read_to_string(state.join("haps/1/record.json")).expect("a record"));
        Process::of_record(&record["supervisor"]).kill();
    }
    assert_eq!(program.end(), 7);
    assert!(turn > 5, "it was interrupted only {turn} times");
}
