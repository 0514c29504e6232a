//! `hap adopt`: a command that runs already becomes a hap, as if `hap run` had started it; or it is refused, and
//! nothing in it was changed.
#![allow(unsafe_code)] // `pre_exec` is the one way to start a process in a sandbox or as another user

mod world;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use world::process::{Process, kernel_is};
use world::session::on_terminal;
use world::{Companion, World, finish, json, wait_for};

/// A shell with job control on a terminal, and the job that it has started there.
struct Session {
    shell: Companion,
    terminal: Option<OwnedFd>,
    /// What the job has written to the terminal.
    shown: File,
    job: Process,
}

impl Session {
    /// Starts `job`, shell text, as a job of its own. Its pid is that of its first process.
    fn start(world: &World, job: &str) -> Self {
        let _ = fs::remove_file(world.work("job"));
        let mut script = world.script(&format!("set -m; {job} & echo $! > job; wait; wait; exec sleep 1000"));
        let (shell, terminal) = on_terminal(&mut script);
        let shown = File::from(terminal.try_clone().expect("a descriptor"));
        let job = world.process_in("job");
        Self { shell, terminal: Some(terminal), shown, job }
    }

    fn pid(&self) -> String {
        self.job.pid.to_string()
    }

    /// Waits until the terminal shows this.
    fn until_shown(&mut self, text: &str) {
        let mut seen = Vec::new();
        let mut block = [0; 1024];
        while !String::from_utf8_lossy(&seen).contains(text) {
            let length = self.shown.read(&mut block).expect("it writes");
            seen.extend(&block[..length]);
        }
    }

    /// Closes the terminal, as one closes a window.
    fn hang_up(&mut self) {
        self.shown = File::open("/dev/null").expect("there is one");
        self.terminal = None;
        self.shell.end();
    }
}

/// Counts in its output and writes to stderr at once, until it is told to end; then it ends with 7.
const COUNTER: &str =
    "sh -c 'echo oops >&2; n=0; while [ ! -e end ]; do n=$((n+1)); echo line $n; sleep 0.01; done; exit 7'";

fn link(process: Process, number: i32) -> PathBuf {
    process.files().into_iter().find(|(open, _)| *open == number).map(|(_, path)| path).unwrap_or_default()
}

/// Waits until `sleep` is not only executed but has begun to sleep.
#[track_caller]
fn until_asleep(process: Process) {
    let loads = || process.files().iter().any(|(_, path)| path.to_string_lossy().contains(".so"));
    wait_for("it to sleep", || process.name() == "sleep" && sleeps(process) && !loads());
}

fn sleeps(process: Process) -> bool {
    process.stat().is_some_and(|stat| stat.state == 'S')
}

fn ignores_hangup(process: Process) -> bool {
    let ignored = process.status_line("SigIgn").and_then(|mask| u64::from_str_radix(&mask, 16).ok());
    ignored.expect("a mask") & 1 == 1
}

/// All of a process that an adoption changes.
fn state(process: Process) -> (Vec<(i32, PathBuf)>, bool, bool) {
    (process.files(), ignores_hangup(process), process.is_stopped())
}

// ---- What it becomes ----

#[test]
fn a_command_on_a_terminal_is_adopted_with_its_output_and_outlives_the_terminal() {
    let world = World::new();
    let mut session = Session::start(&world, COUNTER);
    session.until_shown("line 3");
    let said = world.hap(&["adopt", "-n", "counter", &session.pid()]).ok();
    assert!(said.starts_with(&format!("Adopted hap 1 (counter), pid {}", session.job.pid)), "{said}");
    let status = world.status("counter");
    assert_eq!(
        (&status["status"], &status["adopted"], &status["pid"]),
        (&"running".into(), &true.into(), &session.job.pid.into())
    );
    assert_eq!(status["argv"].as_array().expect("arguments")[..2], ["sh", "-c"]);
    assert_eq!(status["workdir"], json(&format!("{:?}", world.path("work"))));
    assert_eq!(link(session.job, 0), PathBuf::from("/dev/null"));
    assert_eq!(link(session.job, 1), world.file("1", "stdout.log"));
    assert_eq!(link(session.job, 2), world.file("1", "stderr.log"));
    assert!(ignores_hangup(session.job));
    assert!(!world.file("1", "adoption.json").exists());
    wait_for("output", || world.hap(&["logs", "counter"]).ok().lines().count() > 3);
    session.hang_up();
    let lines = world.hap(&["logs", "counter"]).ok().lines().count();
    wait_for("more output", || world.hap(&["logs", "counter"]).ok().lines().count() > lines + 3);
    // Not a line is missing from where the log begins.
    let log = world.hap(&["logs", "counter"]).ok();
    let numbers: Vec<u32> = log.lines().map(|line| line["line ".len()..].parse().expect("a number")).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    fs::write(world.work("end"), "").expect("our own file");
    let outcome = world.hap(&["wait", "counter"]);
    if !kernel_is(6, 15) {
        skip!("this kernel tells only the parent how it ended");
    }
    assert_eq!(outcome.code, 7, "{outcome:?}");
    assert_eq!(world.status("counter")["rc"], 7);
    // Its job may have had a `sleep` at that moment.
    let shown = world.hap(&["status", "counter"]).ok();
    let is_told = |how: &str| shown.contains(&format!("Adopted: it was running already{how}\n"));
    assert!(is_told("") || is_told(", with 1 process more of its job"), "{shown}");
}

#[test]
fn one_that_was_stopped_goes_on() {
    let world = World::new();
    let mut session = Session::start(&world, COUNTER);
    session.until_shown("line 1");
    session.job.signal(libc::SIGTSTP);
    wait_for("it to stop", || session.job.is_stopped());
    world.hap(&["adopt", &session.pid()]).ok();
    assert_eq!(world.word("1"), "running");
    wait_for("output", || !world.hap(&["logs", "1"]).ok().is_empty());
}

#[test]
fn every_descriptor_of_its_terminal_is_replaced_and_no_other() {
    let world = World::new();
    let session = Session::start(
        &world,
        "sh -c 'exec 3>&1 4<&0 5>file 6>/dev/tty 7>&2 7>&-; read x < fifo 2>/dev/null; exec sleep 1000'",
    );
    wait_for("its descriptors", || link(session.job, 6) == Path::new("/dev/tty"));
    world.hap(&["adopt", &session.pid()]).ok();
    let (log, null) = (world.file("1", "stdout.log"), PathBuf::from("/dev/null"));
    let expected =
        [(0, &null), (1, &log), (2, &world.file("1", "stderr.log")), (3, &log), (5, &world.work("file")), (6, &log)];
    for (number, path) in expected {
        assert_eq!(link(session.job, number), *path, "{number}");
    }
    // The shell has opened the terminal for reading and writing.
    assert_eq!(link(session.job, 4), log);
}

#[test]
fn what_is_no_terminal_stays_unless_it_is_asked_for() {
    let world = World::new();
    let start = || {
        let mut command = world.program("sleep");
        command.arg("1000").stdout(File::create(world.work("out")).expect("a file")).stderr(Stdio::null());
        Companion::start(command)
    };
    let (plain, taken) = (start(), start());
    world.hap(&["adopt", "-n", "plain", &plain.pid().to_string()]).ok();
    assert_eq!(link(plain.process(), 1), world.work("out"));
    assert_eq!(link(plain.process(), 2), PathBuf::from("/dev/null"));
    world.hap(&["adopt", "--capture", "-n", "taken", &taken.pid().to_string()]).ok();
    assert_eq!(link(taken.process(), 1), world.file("2", "stdout.log"));
    assert_eq!(link(taken.process(), 2), world.file("2", "stderr.log"));
}

#[test]
fn with_no_capture_its_descriptors_stay_as_they_are() {
    let world = World::new();
    let session = Session::start(&world, "sleep 1000");
    until_asleep(session.job);
    let before = session.job.files();
    world.hap(&["adopt", "--no-capture", &session.pid()]).ok();
    assert_eq!(session.job.files(), before);
    assert!(ignores_hangup(session.job));
}

#[test]
fn it_is_paused_signalled_stopped_and_killed_like_any_other() {
    let world = World::new();
    let job = "sh -c 'trap \"echo got USR1\" USR1; sleep 999 & while :; do sleep 0.01; done'";
    let session = Session::start(&world, job);
    world.hap(&["adopt", &session.pid()]).ok();
    world.hap(&["pause", "1"]).ok();
    assert_eq!(world.word("1"), "paused");
    let tree = || [vec![session.job], session.job.descendants()].concat();
    assert!(tree().iter().all(|process| process.is_stopped() || !process.is_alive()), "{:?}", tree());
    world.hap(&["resume", "1"]).ok();
    world.hap(&["signal", "1", "USR1"]).ok();
    wait_for("its answer", || world.hap(&["logs", "1"]).ok().contains("got USR1"));
    let all = tree();
    world.hap(&["stop", "1"]).ok();
    assert!(all.iter().all(|process| !process.is_alive()), "{all:?}");
    let status = world.status("1");
    assert!(status["rc"] == -15 || !kernel_is(6, 15), "{status}");

    let other = Session::start(&world, COUNTER);
    world.hap(&["adopt", "-n", "other", &other.pid()]).ok();
    world.hap(&["kill", "other"]).ok();
    assert!(!other.job.is_alive());
}

#[test]
fn restarted_it_is_an_ordinary_hap_with_the_same_arguments_environment_and_directory() {
    let world = World::new();
    let text = "umask 027; export GREETING=hello; cd /; exec sh -c 'echo $GREETING $0 $1 in $PWD $(umask); exec sleep 1000' first 'sec ond'";
    let session = Session::start(&world, &format!("sh -c {}", shlex_quote(text)));
    until_asleep(session.job);
    world.hap(&["adopt", &session.pid()]).ok();
    // What the kernel shows is what was executed last.
    assert_eq!(world.status("1")["argv"], json(r#"["sleep", "1000"]"#));
    let environment = fs::read(world.file("1", "environ")).expect("a file");
    assert!(environment.split(|&byte| byte == 0).any(|entry| entry == b"GREETING=hello"));
    world.hap(&["restart", "1"]).ok();
    assert!(!session.job.is_alive());
    let status = world.status("1");
    assert_eq!(
        (&status["status"], &status["adopted"], &status["restarts"]),
        (&"running".into(), &false.into(), &1.into())
    );
    let again = world.main_process("1");
    assert_eq!(fs::read_link(format!("/proc/{}/cwd", again.pid)).expect("a link"), PathBuf::from("/"));
    assert_eq!(again.status_line("Umask").as_deref(), Some("0027"));
}

fn shlex_quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[test]
fn what_it_calls_itself_need_not_be_a_program() {
    let world = World::new();
    let mut command = world.program("sleep");
    command.arg0("-login").arg("1000");
    let program = Companion::start(command);
    world.hap(&["adopt", &program.pid().to_string()]).ok();
    let sleep = world::tools::find("sleep").expect("coreutils").canonicalize().expect("it is there");
    assert_eq!(world.status("1")["argv"], json(&format!("[{sleep:?}, \"1000\"]")));
}

#[test]
fn it_is_told_as_json_or_by_its_number_alone() {
    let world = World::new();
    let (one, other) = (Companion::stranger(), Companion::stranger());
    assert_eq!(world.hap(&["adopt", "-q", &one.pid().to_string()]).ok(), "1\n");
    let told = json(&world.hap(&["adopt", "--json", &other.pid().to_string()]).ok());
    assert_eq!((&told["hid"], &told["adopted"], &told["status"]), (&2.into(), &true.into(), &"running".into()));
    assert_eq!(world.status(&world.run(&["sleep", "60"]))["adopted"], false);
}

#[test]
fn its_supervisor_is_replaced_like_any_other() {
    let world = World::new();
    let mut stranger = Companion::stranger();
    world.hap(&["adopt", &stranger.pid().to_string()]).ok();
    world.kill_supervisor("1");
    assert_eq!(world.word("1"), "running");
    assert!(world.supervisor("1").is_alive());
    stranger.process().signal(libc::SIGUSR1);
    stranger.end();
    let status = world.until_ended("1");
    assert!(status["rc"] == -libc::SIGUSR1 || !kernel_is(6, 15), "{status}");
}

// ---- Its job ----

#[test]
fn the_whole_job_is_taken() {
    let world = World::new();
    let mut session = Session::start(&world, &format!("{COUNTER} | sh -c 'while read x; do echo got $x; done'"));
    session.until_shown("got line 2");
    // `$!` is the last of a pipeline, and its group bears the number of the first.
    let group = session.job.stat().expect("it is there").group;
    let first = Process::with_pid(group).expect("it is there");
    let outcome = world.hap(&["adopt", &group.to_string()]).ok();
    assert!(outcome.contains(" more of its job\n"), "{outcome}");
    assert_eq!(link(first, 2), world.file("1", "stderr.log"));
    assert!(link(first, 1).to_string_lossy().starts_with("pipe:"), "{:?}", link(first, 1));
    assert_eq!(link(session.job, 1), world.file("1", "stdout.log"));
    session.hang_up();
    let lines = world.hap(&["logs", "1"]).ok().lines().count();
    wait_for("more output", || world.hap(&["logs", "1"]).ok().lines().count() > lines + 3);
    world.hap(&["pause", "1"]).ok();
    assert!(first.is_stopped() && session.job.is_stopped());
    world.hap(&["resume", "1"]).ok();
    wait_for("both to go on", || !first.is_stopped() && !session.job.is_stopped());
    world.hap(&["signal", "1", "STOP"]).ok();
    let both = [first, session.job];
    wait_for("both to stop", || {
        // A shell that waits for its child's exec (vfork(2)) stops after that, and the child is stopped as well: so once more.
        if both.iter().any(|shell| shell.stat().is_some_and(|stat| stat.state == 'D')) {
            world.hap(&["signal", "1", "CONT"]).ok();
            world.hap(&["signal", "1", "STOP"]).ok();
        }
        both.iter().all(|shell| shell.is_stopped())
    });
    world.hap(&["kill", "1"]).ok();
    assert!(!first.is_alive() && !session.job.is_alive());
}

#[test]
fn what_lives_on_after_the_command_still_belongs_to_it() {
    let world = World::new();
    let session = Session::start(&world, "sleep 1000 | sleep 1001");
    let first = Process::with_pid(session.job.stat().expect("it is there").group).expect("it is there");
    world.hap(&["adopt", &first.pid.to_string()]).ok();
    first.kill();
    let status = world.until_ended("1");
    assert_eq!(status["leftover"], 1, "{status}");
    world.hap(&["kill", "1"]).ok();
    assert!(!session.job.is_alive());
}

#[test]
fn only_one_is_taken_if_only_one_is_asked_for() {
    let world = World::new();
    let session = Session::start(&world, "sleep 1000 | sleep 1001");
    let first = Process::with_pid(session.job.stat().expect("it is there").group).expect("it is there");
    until_asleep(first);
    until_asleep(session.job);
    let before = state(session.job);
    assert_eq!(
        world.hap(&["adopt", "--only", "-n", "one", &first.pid.to_string()]).ok(),
        format!("Adopted hap 1 (one), pid {}\n", first.pid)
    );
    assert_eq!(state(session.job), before);
    for verb in ["pause", "resume", "stop"] {
        world.hap(&[verb, "one"]).ok();
        assert_eq!(state(session.job), before, "{verb}");
    }
    assert!(!first.is_alive() && session.job.is_alive());
}

#[test]
fn without_job_control_a_script_does_not_adopt_itself() {
    let world = World::new();
    let script = "sh -c 'sleep 1001 & sleep 1002; :' > /dev/null 2>&1 & pid=$!; until [ \"$(ps -o comm= --ppid $pid | wc -l)\" = 2 ]; do sleep 0.01; done; \"$HAP\" adopt -q $pid; echo still here";
    assert_eq!(world.sh(script).ok(), "1\nstill here\n");
    let record = world.record("1");
    assert_eq!(record["adopted"]["group"], json("null"), "{record}");
    assert_eq!(record["adopted"]["others"].as_array().map(Vec::len), Some(2), "{record}");
    world.hap(&["kill", "1"]).ok();
}

#[test]
fn if_one_of_a_job_cannot_be_changed_none_is() {
    let world = World::new();
    // The second one has no descriptor left.
    let mut session = Session::start(
        &world,
        &format!(
            "{COUNTER} | sh -c 'exec 3>&2 4>&2 5>&2 6>&2 7>&2 8>&2 9>&2; ulimit -n 10; read x; echo full; while read x; do :; done'"
        ),
    );
    let first = Process::with_pid(session.job.stat().expect("it is there").group).expect("it is there");
    session.until_shown("full");
    let before = [state(first), state(session.job)];
    let refused = world.hap(&["adopt", &first.pid.to_string()]).fails(1);
    assert!(refused.contains(&format!("process {} was not adopted", session.job.pid)), "{refused}");
    // The words before that are the C library's.
    assert!(refused.contains("(os error 24)\n hint: it has no file descriptor left"), "{refused}");
    wait_for("both to go on", || [state(first), state(session.job)] == before);
    assert!(world.list().is_empty() && world.entries("haps").is_empty());
    fs::write(world.work("end"), "").expect("our own file");
    first.until_gone();
}

// ---- What is refused ----

/// It is refused for this reason, and nothing of it is changed. Before that it has come to rest: a shell moves its
/// own descriptors while it writes the file by which a test knows of it.
#[track_caller]
fn assert_refused(world: &World, process: Process, reason: &str) {
    wait_for("it to rest", || sleeps(process));
    let before = state(process);
    let refused = world.hap(&["adopt", &process.pid.to_string()]).fails(1);
    assert!(refused.contains(reason), "{refused}");
    assert_eq!(state(process), before);
    assert!(world.entries("haps").iter().all(|name| !name.starts_with('.')), "nothing half-made");
}

#[test]
fn a_job_of_the_shell_and_what_is_no_pid_are_wrong_usage() {
    let world = World::new();
    let refused = world.hap(&["adopt", "%1"]).fails(2);
    assert!(refused.contains("`hap adopt $(jobs -p %1)`"), "{refused}");
    for text in ["0", "-1", "-5", "99999999999", "train", "", "1.5", "+7x"] {
        world.hap(&["adopt", text]).fails(2);
    }
    assert_eq!(world.hap(&["adopt"]).code, 2);
    assert_eq!(world.hap(&["adopt", "--capture", "--no-capture", "77"]).code, 2);
}

#[test]
fn what_is_not_there_has_ended_or_is_the_system_is_refused() {
    let world = World::new();
    let gone = {
        let mut stranger = Companion::stranger();
        stranger.kill();
        stranger.pid()
    };
    assert!(world.hap(&["adopt", &gone.to_string()]).fails(1).contains("no such process"));
    assert!(world.hap(&["adopt", "1"]).fails(1).contains("first process"));
    let mut zombie = Companion::stranger();
    zombie.process().signal(libc::SIGKILL);
    wait_for("its end", || !zombie.process().is_alive());
    assert!(world.hap(&["adopt", &zombie.pid().to_string()]).fails(1).contains("already ended"));
    zombie.kill();
    let kernel = world::process::all()
        .into_iter()
        .find(|process| process.stat().is_some_and(|stat| stat.parent == 2) && process.status_line("VmSize").is_none());
    if let Some(kernel) = kernel {
        assert!(world.hap(&["adopt", &kernel.pid.to_string()]).fails(1).contains("thread of the kernel"));
    }
    assert!(world.list().is_empty());
}

#[test]
fn a_thread_is_refused_with_its_process() {
    let world = World::new();
    let (tell, told) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        tell.send(nix::unistd::gettid()).expect("somebody listens");
        ended.recv()
    });
    let refused = world.hap(&["adopt", &told.recv().expect("it is there").to_string()]).fails(1);
    assert!(refused.contains(&format!("a thread of process {}", std::process::id())), "{refused}");
    drop(end);
    let _ = thread.join();
}

#[test]
fn the_calling_shell_and_what_is_above_it_are_refused() {
    let world = World::new();
    let outcome = world.sh("\"$HAP\" adopt $$; \"$HAP\" adopt $PPID; exit 0");
    assert_eq!(outcome.stderr.matches("was started by it").count(), 2, "{outcome:?}");
    assert!(outcome.stderr.contains("jobs -p"), "{outcome:?}");
}

#[test]
fn what_is_a_hap_already_or_belongs_to_one_is_refused() {
    let world = World::new();
    let id = world.run_sh("sleep 1000 & echo $! > child; wait");
    let child = world.process_in("child");
    for process in [world.main_process(&id), child, world.supervisor(&id)] {
        assert_refused(&world, process, &format!("it belongs to hap {id}"));
    }
    let stranger = Companion::stranger();
    world.hap(&["adopt", "-n", "mine", &stranger.pid().to_string()]).ok();
    assert_refused(&world, stranger.process(), "it belongs to hap 2 (mine)");
    let other = World::new();
    for process in [child, world.supervisor(&id), world.supervisor("2")] {
        assert_refused(&other, process, "another state directory");
    }
}

#[test]
fn what_is_traced_already_is_refused() {
    let world = World::new();
    let stranger = Companion::stranger();
    until_asleep(stranger.process());
    let pid = nix::unistd::Pid::from_raw(stranger.pid());
    nix::sys::ptrace::seize(pid, nix::sys::ptrace::Options::empty()).expect("it is ours");
    assert_refused(&world, stranger.process(), &format!("process {} traces it", std::process::id()));
}

#[test]
fn a_32_bit_program_is_refused() {
    if !cfg!(target_arch = "x86_64") {
        skip!("other machines have other programs of 32 bits");
    }
    let world = World::new();
    fs::write(world.work("data"), narrow_program()).expect("a new file");
    let program = world.work("narrow");
    copy_program(&world, world.work("data"), &program);
    let Ok(child) = world.program(&program).spawn() else {
        skip!("this kernel executes no 32-bit programs");
    };
    let narrow = Companion(child);
    wait_for("its exec", || narrow.process().name() == "narrow");
    assert_refused(&world, narrow.process(), "32-bit");
}

/// An i386 program that waits for ever: `pause` (29) again and again.
fn narrow_program() -> Vec<u8> {
    let code = [0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7];
    let base = 0x0804_8000_u32;
    let mut file = b"\x7fELF\x01\x01\x01".to_vec();
    file.resize(16, 0);
    let half = |file: &mut Vec<u8>, number: u16| file.extend(number.to_le_bytes());
    let word = |file: &mut Vec<u8>, number: u32| file.extend(number.to_le_bytes());
    half(&mut file, 2);
    half(&mut file, 3);
    for number in [1, base + 84, 52, 0, 0] {
        word(&mut file, number);
    }
    for number in [52, 32, 1, 0, 0, 0] {
        half(&mut file, number);
    }
    for number in [1, 0, base, base, 84 + 9, 84 + 9, 5, 0x1000] {
        word(&mut file, number);
    }
    file.extend(code);
    file
}

#[test]
fn a_program_in_a_sandbox_of_its_own_is_refused() {
    let world = World::new();
    let mut command = world.program("sleep");
    command.arg("1000");
    // SAFETY: prctl(2) is a system call; the filter, one instruction that allows everything, lives through it.
    unsafe {
        command.pre_exec(|| {
            let mut allow = libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW };
            let filter = libc::sock_fprog { len: 1, filter: &raw mut allow };
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            match libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        });
    }
    let Ok(child) = command.spawn() else {
        skip!("there is no seccomp here");
    };
    let sandboxed = Companion(child);
    assert_refused(&world, sandboxed.process(), "seccomp");
}

#[test]
fn a_name_that_is_taken_changes_nothing() {
    let world = World::new();
    world.run(&["-n", "taken", "sleep", "60"]);
    let stranger = Companion::stranger();
    until_asleep(stranger.process());
    let before = state(stranger.process());
    let refused = world.hap(&["adopt", "-n", "taken", &stranger.pid().to_string()]).fails(1);
    assert!(refused.contains("the name taken is taken by hap 1"), "{refused}");
    assert_eq!(state(stranger.process()), before);
    assert_eq!(world.ids(), ["1"]);
}

/// A program that was just written by this process may be open for writing in a child of another test.
fn copy_program(world: &World, from: impl AsRef<OsStr>, to: &Path) {
    let mut command = world.program("cp");
    command.arg(from.as_ref()).arg(to);
    finish(command).ok();
    let mut command = world.program("chmod");
    command.arg("755").arg(to);
    finish(command).ok();
}

/// `hap` as another user, in a state directory of that one.
fn as_user(world: &World, user: u32, arguments: &[&str]) -> world::Outcome {
    let program = world.path("hap-of-all");
    if !program.exists() {
        copy_program(world, world::HAP, &program);
        fs::set_permissions(world.path(""), fs::Permissions::from_mode(0o755)).expect("our own");
    }
    let state = world.path(format!("state-of-{user}"));
    if !state.exists() {
        fs::create_dir(&state).expect("a new directory");
        std::os::unix::fs::chown(&state, Some(user), Some(user)).expect("root may");
        fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).expect("root may");
    }
    let mut command = world.program(program);
    command.args(arguments).env("HAPLESS_DIR", state).uid(user).gid(user);
    finish(command)
}

#[test]
fn only_root_adopts_what_belongs_to_another_and_nobody_starts_that_again_as_himself() {
    if !world::tools::is_root() {
        skip!("only root can be somebody else");
    }
    let world = World::new();
    let mut command = Command::new("sleep");
    command.arg("1000").current_dir("/").uid(12345).gid(12345).stdout(Stdio::null());
    let theirs = Companion::start(command);
    until_asleep(theirs.process());
    let before = state(theirs.process());
    let refused = as_user(&world, 12346, &["adopt", &theirs.pid().to_string()]).fails(1);
    assert!(refused.contains("it belongs to 12345"), "{refused}");
    let roots = Companion::stranger();
    as_user(&world, 12346, &["adopt", &roots.pid().to_string()]).fails(1);
    assert_eq!(state(theirs.process()), before);
    // Root may, although that user could not even open the log.
    world.hap(&["adopt", "--capture", &theirs.pid().to_string()]).ok();
    assert_eq!(link(theirs.process(), 1), world.file("1", "stdout.log"));
    assert_eq!(world.status("1")["uid"], 12345);
    let refused = world.hap(&["restart", "1"]).fails(1);
    assert!(refused.contains("ran as 12345") && theirs.process().is_alive(), "{refused}");
    world.hap(&["kill", "1"]).ok();
    // And that user may, too.
    let mut command = Command::new("sleep");
    command.arg("1000").current_dir("/").uid(12345).gid(12345);
    let theirs = Companion::start(command);
    as_user(&world, 12345, &["adopt", &theirs.pid().to_string()]).ok();
    as_user(&world, 12345, &["kill", "--all"]).ok();
    assert!(!theirs.process().is_alive());
}

#[test]
fn what_hides_its_memory_is_refused() {
    if !world::tools::is_root() {
        skip!("only root can be somebody else, and nothing hides from root");
    }
    let world = World::new();
    let mut command = Command::new("python3");
    command.args(["-c", "import ctypes, time; ctypes.CDLL(None).prctl(4, 0); print(flush=True); time.sleep(1000)"]);
    command.current_dir("/").uid(12345).gid(12345).stdout(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        skip!("no python3 here");
    };
    let mut line = [0; 1];
    child.stdout.take().expect("piped").read_exact(&mut line).expect("it says that it is ready");
    let hidden = Companion(child);
    let refused = as_user(&world, 12345, &["adopt", &hidden.pid().to_string()]).fails(1);
    assert!(refused.contains("protects it"), "{refused}");
}

#[test]
fn what_is_typed_at_its_terminal_afterwards_is_not_for_it() {
    let world = World::new();
    let session = Session::start(&world, "sh -c 'while read x; do echo read $x; done; echo empty; exec sleep 1000'");
    wait_for("it to stop or to wait", || session.job.stat().is_some());
    world.hap(&["adopt", &session.pid()]).ok();
    let terminal = session.terminal.as_ref().expect("open").as_fd().try_clone_to_owned().expect("a descriptor");
    File::from(terminal).write_all(b"secret\n").expect("it takes it");
    wait_for("the end of its input", || world.hap(&["logs", "1"]).ok().contains("empty"));
    assert!(!world.hap(&["logs", "1"]).ok().contains("secret"));
}
