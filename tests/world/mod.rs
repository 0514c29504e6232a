//! An empty world for each test: its own state directory, its own home, a cleared environment. Whatever
//! is started in it is dead when it is dropped.
#![allow(dead_code, unreachable_pub)] // each test file uses another part of it

pub mod adoptee;
pub mod following;
pub mod process;
pub mod session;
pub mod strangers;
pub mod terminal;
pub mod tools;
pub mod tracer;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use process::Process;

/// How long one command may take, and how long a fact may be waited for.
pub const LIMIT: Duration = Duration::from_secs(30);

/// The program under test: the one built with the tests, or the one that this variable names when they are built.
pub const HAP: &str = match option_env!("HAP_UNDER_TEST") {
    Some(path) => path,
    None => env!("CARGO_BIN_EXE_hap"),
};

/// Whether that is built as it is released.
pub const IS_RELEASED: bool = option_env!("HAP_UNDER_TEST").is_some() || !cfg!(debug_assertions);

pub const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// See the module.
pub struct World {
    root: PathBuf,
    _directory: tempfile::TempDir,
}

/// What a command that has ended left behind.
#[derive(Clone)]
pub struct Outcome {
    /// Its stdout, as text.
    pub stdout: String,
    /// Its stderr, as text.
    pub stderr: String,
    /// Its exit code; minus the signal that ended it.
    pub code: i32,
    /// Its stdout, byte for byte.
    pub bytes: Vec<u8>,
}

impl World {
    pub fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("hap-world-").tempdir().expect("a directory of our own");
        let root = directory.path().canonicalize().expect("it is there");
        for name in ["home", "work"] {
            fs::create_dir(root.join(name)).expect("a new directory");
        }
        Self { root, _directory: directory }
    }

    /// A path in this world.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(name)
    }

    /// A path below the directory that commands run in.
    pub fn work(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join("work").join(name)
    }

    /// A path in the state directory.
    pub fn state(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join("state").join(name)
    }

    /// A file of a hap.
    pub fn file(&self, id: &str, name: &str) -> PathBuf {
        self.state("haps").join(id).join(name)
    }

    /// `hap`, or any other program, in this world.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", PATH).env("LANG", "C.UTF-8").env("HOME", self.path("home"));
        command.env("HAPLESS_DIR", self.path("state")).current_dir(self.path("work")).stdin(Stdio::null());
        command
    }

    /// `hap` with these arguments, not yet started.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = self.program(HAP);
        command.args(arguments);
        command
    }

    /// `hap` as another user, which only root can start. It is a copy in this world: where the program was
    /// built, that user may not go.
    pub fn command_as<A: AsRef<OsStr>>(&self, user: u32, arguments: &[A]) -> Command {
        let copy = self.path("hap");
        if !copy.exists() {
            fs::set_permissions(&self.root, fs::Permissions::from_mode(0o755)).expect("our own");
            self.install(HAP.as_ref(), &copy);
        }
        let mut command = self.program(copy);
        command.args(arguments).uid(user).gid(user);
        command
    }

    /// Runs `hap` with these arguments to its end.
    #[track_caller]
    pub fn hap<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Outcome {
        finish(self.command(arguments))
    }

    /// A shell script in this world, to which `$HAP` is the program under test. Not yet started.
    pub fn script(&self, text: &str) -> Command {
        let mut command = self.program("/bin/sh");
        command.args(["-c", text]).env("HAP", HAP);
        command
    }

    /// Runs a shell script to its end.
    #[track_caller]
    pub fn sh(&self, text: &str) -> Outcome {
        finish(self.script(text))
    }

    /// `hap run` with these arguments: the id.
    #[track_caller]
    pub fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> String {
        let words = ["run", "-q"].map(OsString::from).into_iter();
        let arguments: Vec<OsString> = words.chain(arguments.iter().map(OsString::from)).collect();
        id_in(&self.hap(&arguments))
    }

    /// `hap run sh -c TEXT`: the id.
    #[track_caller]
    pub fn run_sh(&self, text: &str) -> String {
        self.run(&["sh", "-c", text])
    }

    /// What `hap status --json` says of one hap.
    #[track_caller]
    pub fn status(&self, alias: &str) -> Value {
        json(&self.hap(&["status", "--json", alias]).ok())
    }

    /// What `hap --json` says of all of them.
    #[track_caller]
    pub fn list(&self) -> Vec<Value> {
        match json(&self.hap(&["--json"]).ok()) {
            Value::Array(haps) => haps,
            other => panic!("no array: {other}"),
        }
    }

    /// The ids in the list.
    #[track_caller]
    pub fn ids(&self) -> Vec<String> {
        self.list().iter().map(|hap| hap["hid"].to_string()).collect()
    }

    /// The status word of a hap.
    #[track_caller]
    pub fn word(&self, alias: &str) -> String {
        self.status(alias)["status"].as_str().expect("a word").to_owned()
    }

    /// Waits until a hap has ended: what `hap status --json` says then.
    #[track_caller]
    pub fn until_ended(&self, alias: &str) -> Value {
        let mut status = Value::Null;
        wait_for(&format!("the end of hap {alias}"), || {
            status = self.status(alias);
            !["unbound", "running", "paused"].contains(&status["status"].as_str().expect("a word"))
        });
        status
    }

    /// Waits until the end of a hap is in its record: it is seen a moment before it is written down.
    #[track_caller]
    pub fn until_recorded(&self, id: &str) {
        wait_for(&format!("the recorded end of hap {id}"), || self.record(id)["end"].is_object());
    }

    /// Waits until a file of this world has a whole line, and returns its contents without the line end.
    #[track_caller]
    pub fn until_written(&self, path: impl AsRef<Path>) -> String {
        let path = self.root.join("work").join(path);
        let mut text = String::new();
        wait_for(&format!("a line in {}", path.display()), || {
            text = fs::read_to_string(&path).unwrap_or_default();
            text.ends_with('\n')
        });
        text.trim_end().to_owned()
    }

    /// Waits until a process has written its pid into a file: that process.
    #[track_caller]
    pub fn process_in(&self, path: impl AsRef<Path>) -> Process {
        let pid = self.until_written(path).parse().expect("a pid");
        Process::with_pid(pid).expect("it is there")
    }

    /// A hap's record, as it lies on the disk.
    #[track_caller]
    pub fn record(&self, id: &str) -> Value {
        json(&fs::read_to_string(self.file(id, "record.json")).expect("a record"))
    }

    /// Changes a hap's record behind `hap`'s back.
    pub fn edit_record(&self, id: &str, edit: impl FnOnce(&mut Value)) {
        let mut record = self.record(id);
        edit(&mut record);
        fs::write(self.file(id, "record.json"), record.to_string()).expect("the record can be written");
    }

    /// The supervisor of a hap, which must be there.
    #[track_caller]
    pub fn supervisor(&self, id: &str) -> Process {
        Process::of_record(&self.record(id)["supervisor"])
    }

    /// The command of a hap, which must have been there.
    #[track_caller]
    pub fn main_process(&self, id: &str) -> Process {
        Process::of_record(&self.record(id)["process"])
    }

    /// Kills the supervisor of a hap and returns when it is gone.
    #[track_caller]
    pub fn kill_supervisor(&self, id: &str) {
        let supervisor = self.supervisor(id);
        assert!(supervisor.is_alive(), "the supervisor of hap {id} is there");
        supervisor.kill();
    }

    /// Kills supervisor and command at once, so that nobody sees the end; says whether that worked
    /// out: an init that reaps nobody leaves a zombie that still tells how it ended.
    #[must_use]
    pub fn lose(&self, id: &str) -> bool {
        let (supervisor, command) = (self.supervisor(id), self.main_process(id));
        supervisor.signal(libc::SIGSTOP);
        command.kill();
        supervisor.kill();
        let deadline = Instant::now() + Duration::from_secs(5);
        while command.stat().is_some() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
        command.stat().is_none()
    }

    /// Whatever lies in the directory of haps, hidden or not.
    pub fn entries(&self, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(self.state(directory)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Writes an executable file and returns its path.
    pub fn executable(&self, name: &str, text: &str) -> PathBuf {
        let text_file = self.root.join("text-of-executable");
        fs::write(&text_file, text).expect("a file");
        let path = self.work(name);
        self.install(&text_file, &path);
        path
    }

    /// Copies what is to be executed. Not in this process: what another test starts at that moment would inherit
    /// the descriptor that writes, and nobody can execute what is being written (`ETXTBSY`, execve(2)).
    fn install(&self, from: &Path, to: &Path) {
        let mut install = self.program("install");
        install.args(["-m", "755"]).args([from, to]);
        finish(install).ok();
    }

    /// Ends all that was started in this world: through `hap`, then what that may have missed.
    fn kill_everything(&self) {
        if self.path("state").exists() {
            let _ = finish_within(self.command(&["kill", "--all"]), LIMIT);
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let mut left = process::of_world(&self.root);
            left.extend(self.recorded());
            left.retain(|process| process.is_alive() && process.pid != own_pid());
            if left.is_empty() || Instant::now() > deadline {
                return;
            }
            for process in left {
                process.signal(libc::SIGKILL);
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// The processes that the records name, where those are of this boot.
    fn recorded(&self) -> Vec<Process> {
        let records = self.entries("haps").into_iter().filter_map(|id| fs::read(self.file(&id, "record.json")).ok());
        let records = records.filter_map(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let here = records.filter(|record| record["place"]["boot_id"] == process::boot_id());
        here.flat_map(|record| ["supervisor", "process"].map(|role| Process::read(&record[role]))).flatten().collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill_everything();
        open_up(&self.root);
    }
}

/// Lets a directory be removed whose modes a test has changed.
fn open_up(directory: &Path) {
    let _ = fs::set_permissions(directory, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "exit {}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

impl Outcome {
    /// It succeeded and had nothing to complain about: its stdout.
    #[track_caller]
    pub fn ok(&self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{self:?}");
        self.stdout.clone()
    }

    /// It failed with this code, printed no data, and said one line what and one line what to do: its stderr.
    #[track_caller]
    pub fn fails(&self, code: i32) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{self:?}");
        self.assert_calm();
        assert!(self.stderr.lines().count() >= 2, "what went wrong and what to do: {self:?}");
        self.stderr.clone()
    }

    /// It did not panic and was not ended by a signal.
    #[track_caller]
    pub fn assert_calm(&self) {
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        assert!([0, 1, 2, 126, 127].contains(&self.code), "{self:?}");
    }
}

fn own_pid() -> i32 {
    i32::try_from(std::process::id()).expect("a pid fits")
}

/// Reads JSON.
#[track_caller]
pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text:?}"))
}

/// The id that `hap run -q` printed.
#[track_caller]
pub fn id_in(outcome: &Outcome) -> String {
    let id = outcome.ok();
    let id = id.strip_suffix('\n').expect("a whole line");
    assert!(id.parse::<u32>().is_ok(), "an id alone: {outcome:?}");
    id.to_owned()
}

/// Waits for a fact, and says which one never came.
#[track_caller]
pub fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Runs a command until it has ended and its stdout and stderr are closed by everybody.
#[track_caller]
pub fn finish(command: Command) -> Outcome {
    finish_within(command, LIMIT).unwrap_or_else(|hung| panic!("{hung}"))
}

/// The same with another limit; an error says what hung.
pub fn finish_within(mut command: Command, limit: Duration) -> Result<Outcome, String> {
    let deadline = Instant::now() + limit;
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
    let stdout = read_all(child.stdout.take().expect("piped"));
    let stderr = read_all(child.stderr.take().expect("piped"));
    let hung = |child: &mut Child, what: &str| {
        let is_running = child.try_wait().is_ok_and(|status| status.is_none());
        let _ = child.kill();
        let _ = child.wait();
        format!("{command:?} {what} for {limit:?}, it is {}", if is_running { "running" } else { "over" })
    };
    let mut collected = [Vec::new(), Vec::new()];
    for (stream, name, bytes) in [(stdout, "stdout", 0), (stderr, "stderr", 1)] {
        match stream.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(read) => collected[bytes] = read,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                return Err(hung(&mut child, &format!("and its children kept {name} open")));
            }
        }
    }
    let Some(status) = wait_until(&mut child, deadline) else { return Err(hung(&mut child, "did not end")) };
    let [bytes, stderr] = collected;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Outcome { stdout: text(&bytes), stderr: text(&stderr), code: code_of(status), bytes })
}

/// Waits for a child, but not for ever.
pub fn wait_until(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            return Some(status);
        }
        if Instant::now() > deadline {
            return None;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// An exit code, or minus a signal.
pub fn code_of(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| -status.signal().expect("an end is one or the other"))
}

fn read_all(mut stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

/// A child of the test itself, killed when it is dropped.
pub struct Companion(pub Child);

impl Companion {
    #[track_caller]
    pub fn start(mut command: Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Somebody who has nothing to do with any hap.
    pub fn stranger() -> Self {
        let mut command = Command::new("sleep");
        command.arg("1000").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self::start(command)
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).expect("a pid fits")
    }

    pub fn process(&self) -> Process {
        Process::with_pid(self.pid()).expect("it is there, at least as a zombie")
    }

    /// Kills it and waits for its end.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Waits for its end.
    #[track_caller]
    pub fn end(&mut self) -> i32 {
        code_of(wait_until(&mut self.0, Instant::now() + LIMIT).expect("it ends in time"))
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        self.kill();
    }
}
