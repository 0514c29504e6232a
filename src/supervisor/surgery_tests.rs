//! An operation fails at each of its steps in turn, and the process is as it was.

use std::cell::Cell;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};

use super::surgery::{Failure, Logs, abandon, operate, put_back};
use crate::core::adoption::{Capture, Patient, Step};
use crate::core::record::ProcessId;
use crate::core::signal::Signal;
use crate::sys::pidfd::Handle;
use crate::sys::{clock, descriptor, proc, running, tree};

thread_local! {
    /// So many steps succeed, then one fails.
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Stands before each step of an operation.
pub(super) fn check(step: Step) -> Result<(), Failure> {
    LEFT.with(|left| match left.get() {
        Some(0) => {
            left.set(None);
            Err(Failure { step, error: io::Error::from_raw_os_error(libc::EIO) })
        }
        Some(count) => {
            left.set(Some(count - 1));
            Ok(())
        }
        None => Ok(()),
    })
}

/// A program on a terminal that computes something and writes the result to a file.
struct Subject {
    child: Child,
    process: ProcessId,
    _terminal: PtyMaster,
    directory: tempfile::TempDir,
}

///
/// It shows by its directory that it has begun: while a shell redirects a command of its own, its stdout is elsewhere.
const PROGRAM: &str = "exec 5>&1 6>/dev/null 7<&0; cd begun; n=0; s=0
while [ $n -lt 30000 ]; do n=$((n+1)); s=$(((s*31+n)%1000003)); done; echo $s > ../result; read x";

/// Its descriptors once they are replaced: all that were the terminal.
const REPLACED: [&str; 6] = ["null", "out", "err", "out", "null", "out"];

/// What [`PROGRAM`] computes.
fn expected() -> u64 {
    (1..=30_000).fold(0, |sum, number| (sum * 31 + number) % 1_000_003)
}

impl Subject {
    fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir(directory.path().join("begun")).expect("a new directory");
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).expect("a terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("our own terminal");
        let name = ptsname_r(&master).expect("it has a name");
        let slave = File::options().read(true).write(true).open(name).expect("its other end");
        let copy = || Stdio::from(slave.try_clone().expect("a descriptor"));
        let mut command = Command::new("sh");
        command.args(["-c", PROGRAM]).current_dir(directory.path()).stdin(copy()).stdout(copy()).stderr(copy());
        let child = command.spawn().expect("a shell");
        let process = proc::identify(i32::try_from(child.id()).expect("fits")).expect("it is there");
        let has_begun = || running::workdir(process.pid).is_ok_and(|workdir| workdir.ends_with("begun"));
        assert!(clock::wait_until(deadline(), has_begun), "it runs");
        Self { child, process, _terminal: master, directory }
    }

    fn stop(&self) {
        tree::send(self.process, Signal::STOP).expect("it is ours");
        self.until_still();
    }

    /// A thread that is let go takes a moment to stop again.
    fn until_still(&self) {
        let is_still = || running::threads(self.process.pid).iter().all(|(_, state)| *state == b'T');
        assert!(clock::wait_until(deadline(), is_still), "it is stopped");
    }

    fn go_on(&self) {
        tree::send(self.process, Signal::CONT).expect("it is ours");
    }

    fn handle(&self) -> Handle {
        Handle::open(self.process).expect("it is ours").expect("it is there")
    }

    /// All of a stopped process that an operation could change.
    fn look(&self) -> Vec<String> {
        self.until_still();
        let of = |name: &str| format!("/proc/{}/{name}", self.process.pid);
        let entries = fs::read_dir(of("fd")).expect("ours").flatten();
        let mut look: Vec<String> = entries
            .map(|entry| {
                let info = fs::read_to_string(of(&format!("fdinfo/{}", entry.file_name().display()))).expect("ours");
                format!("{} {:?} {info}", entry.path().display(), fs::read_link(entry.path()).expect("ours"))
            })
            .collect();
        look.sort();
        let status = fs::read_to_string(of("status")).expect("ours");
        look.extend(
            status
                .lines()
                .filter(|line| line.starts_with("Sig") && !line.starts_with("SigQ") || line.starts_with("Shd"))
                .map(str::to_owned),
        );
        let texts = ["maps", "syscall"].map(|name| fs::read_to_string(of(name)).expect("ours"));
        look.extend(texts.iter().flat_map(|text| text.lines().map(str::to_owned)));
        look
    }

    /// Where the descriptors lead that [`PROGRAM`] has opened, and the first three.
    fn links(&self) -> [String; 6] {
        [0, 1, 2, 5, 6, 7].map(|number| {
            let link = fs::read_link(format!("/proc/{}/fd/{number}", self.process.pid)).expect("open");
            link.file_name().expect("a name").to_string_lossy().into_owned()
        })
    }

    fn wait_for_result(&self) {
        let path = self.directory.path().join("result");
        let result = || fs::read_to_string(&path).unwrap_or_default();
        assert!(clock::wait_until(deadline(), || result().ends_with('\n')), "it computes");
        assert_eq!(result().trim(), expected().to_string());
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Nothing was changed: says what was.
#[track_caller]
fn assert_same(after: &[String], before: &[String], when: &str) {
    let only_in =
        |one: &[String], other: &[String]| one.iter().filter(|line| !other.contains(line)).cloned().collect::<Vec<_>>();
    assert_eq!((only_in(after, before), only_in(before, after)), (Vec::new(), Vec::new()), "{when}");
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn logs(directory: &Path) -> Logs {
    let log = |name| OwnedFd::from(File::options().append(true).create(true).open(directory.join(name)).expect("ours"));
    Logs { stdout: log("out"), stderr: log("err"), null: descriptor::null().expect("there is one") }
}

#[test]
fn whichever_step_fails_the_process_is_as_it_was_and_computes_the_right_thing() {
    let subject = Subject::start();
    let logs = logs(subject.directory.path());
    let handle = subject.handle();
    let mut noted: Option<Patient> = None;
    let mut failed = Vec::new();
    subject.stop();
    for steps in 0.. {
        subject.go_on();
        subject.stop();
        let before = subject.look();
        LEFT.set(Some(steps));
        let mut note = |patient: Option<&Patient>| {
            noted = patient.cloned();
            Ok(())
        };
        let operated = operate(&handle, Capture::Terminal, &logs, None, &mut note);
        LEFT.set(None);
        match operated {
            Err(failure) => {
                assert_eq!(failure.error.raw_os_error(), Some(libc::EIO), "{failure:?}");
                assert_same(&subject.look(), &before, &format!("after step {steps}, {failure:?}"));
                assert_eq!(noted, None, "nobody has our registers");
                failed.push(failure.step);
            }
            Ok(changes) => {
                assert_eq!(subject.links(), REPLACED);
                put_back(&handle, changes, &mut |_| Ok(())).expect("it can be changed back");
                assert_same(&subject.look(), &before, "changed and changed back");
                break;
            }
        }
    }
    // One terminal on five numbers, three steps more each.
    assert!(failed.len() > 20, "{failed:?}");
    for step in Step::ALL.into_iter().filter(|step| *step != Step::Stop) {
        assert!(failed.contains(&step), "{step:?} never failed: {failed:?}");
    }
    subject.go_on();
    subject.wait_for_result();
}

#[test]
fn a_surgeon_that_disappears_leaves_a_stopped_process_that_the_next_one_puts_right() {
    for steps in 0.. {
        let subject = Subject::start();
        let logs = logs(subject.directory.path());
        subject.stop();
        let before = subject.look();
        // A thread that ends lets go of what it traces just as a process that is killed.
        let (noted, is_over) =
            thread::scope(|scope| scope.spawn(|| abandoned(&subject, &logs, steps)).join().expect("no panic"));
        subject.until_still();
        operate(&subject.handle(), Capture::Terminal, &logs, noted.as_ref(), &mut |_| Ok(())).expect("it goes on");
        let after = subject.look();
        assert_eq!(subject.links(), REPLACED, "abandoned at step {steps}");
        let rest = |look: &[String]| {
            let is_changed = |line: &str| line.contains("/fd/") || line.starts_with("SigIgn");
            look.iter().filter(|line| !is_changed(line)).cloned().collect::<Vec<_>>()
        };
        assert_same(&rest(&after), &rest(&before), &format!("abandoned at step {steps}"));
        assert_eq!(after.len(), before.len(), "no descriptor more: {after:?}");
        subject.go_on();
        subject.wait_for_result();
        if is_over {
            return;
        }
    }
}

/// Operates until a step fails and leaves everything as it is then: what was noted last, and whether no step
/// was left to fail.
fn abandoned(subject: &Subject, logs: &Logs, steps: usize) -> (Option<Patient>, bool) {
    let mut noted: Option<Patient> = None;
    LEFT.set(Some(steps));
    let mut note = |patient: Option<&Patient>| {
        noted = patient.cloned();
        Ok(())
    };
    let is_over = abandon(&subject.handle(), logs, &mut note).is_ok();
    (noted, is_over)
}
