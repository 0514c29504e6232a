//! `hap adopt` under `kill -9`: each of its processes is killed at each of its system calls, before it and after it,
//! also while the adopted program has registers that are not its own. Whatever is left must be no hap and a
//! process that nobody has touched, or one that the next `hap` makes whole; and the program computes the right thing.
#![allow(missing_docs)] // a test

mod world;

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::thread;

use world::adoptee::compiled;
use world::process::{Process, kernel_is};
use world::session::on_terminal;
use world::tracer::{self, Plan, Rest, Traced};
use world::{World, wait_for};

/// The processes of an adoption, in the order of their birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Caller,
    Intermediate,
    Supervisor,
}

impl tracer::Role for Role {
    const CALLER: Self = Self::Caller;

    fn child(self) -> Self {
        if self == Self::Caller { Self::Intermediate } else { Self::Supervisor }
    }
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
    let (mut program, terminal) = on_terminal(&mut command);
    // Who writes to a terminal that nobody reads stands still once it is full. It stays open: to be hung up is another thing.
    let mut shown = File::from(terminal.try_clone().expect("a descriptor"));
    thread::spawn(move || io::copy(&mut shown, &mut io::sink()));
    let process = program.process();
    wait_for("it to begin", || fs::metadata(world.work("chain")).is_ok_and(|chain| chain.len() > 0));
    let before = process.files();
    let Traced { code, was_killed } = adopt(&world, process, victim, stop);
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

/// System calls that only look, or change nothing but the process itself: what is killed before or after one of them leaves
/// what it leaves at the next one that does more.
const LOOKING: [i64; 17] = [
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_close,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_getdents64,
    libc::SYS_lseek,
    libc::SYS_readlinkat,
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_madvise,
    libc::SYS_pidfd_open,
];

/// `hap adopt`, traced until all of it has ended or is a supervisor that waits.
fn adopt(world: &World, process: Process, victim: Role, stop: usize) -> Traced {
    let mut has_begun = victim != Role::Caller;
    let mut counts = |number| {
        // What the caller does before it makes something is looking as well.
        has_begun = has_begun || number == libc::SYS_mkdirat;
        has_begun && (victim != Role::Supervisor || !LOOKING.contains(&number))
    };
    let mut rest = |was_killed, is_asleep| if was_killed || is_asleep { Rest::LetGo } else { Rest::Trace };
    let command = world.command(&["adopt", &process.pid.to_string()]);
    tracer::trace(command, Plan { victim, stop, counts: &mut counts, rest: &mut rest })
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

#[test]
fn the_supervisor_of_an_adoption_may_be_killed_at_any_system_call() {
    let world = World::new();
    let Some(program) = compiled(&world, &[]) else {
        skip!("no C compiler here");
    };
    kill_at_every_stop(&program, Role::Supervisor);
}
