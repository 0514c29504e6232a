//! `restart`: the same command once more, under the same id and name.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::core::error::{Error, Result};
use crate::core::record::{End, Loss, Outcome, Record};
use crate::core::status::{Kind, Status};
use crate::ops::adopt::is_its_user;
use crate::ops::details::user;
use crate::ops::find::{Haps, not_active};
use crate::ops::hap::{Hap, is_over};
use crate::ops::kill;
use crate::ops::run::explain;
use crate::store::{Flaw, HapDir, LockRefused};
use crate::supervisor::marked::Marked;
use crate::supervisor::{self, Job, Keeping, Waiting};
use crate::sys::exec::Program;
use crate::sys::lock::Held;
use crate::sys::pidfd::Handle;
use crate::sys::{clock, file, fork, host};

/// How long the supervisor of the run before may take to go once its tree is empty: its disk may be slow.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the next run needs, checked before the current one is touched.
struct Plan {
    program: Program,
    workdir: OwnedFd,
}

/// Ends the hap if it is active, as `stop` does, and starts it again. Returns its new record. If it
/// cannot be started, it is kept as it was.
pub fn restart(haps: &Haps, hap: &Hap, timeout: Duration) -> Result<Record> {
    if hap.status.kind() == Kind::Elsewhere {
        return Err(not_active(hap));
    }
    if !is_its_user(&hap.record) {
        return Err(Error::RanAsAnother { hap: hap.title(), user: user(hap.record.uid) });
    }
    let directory = haps.state().hap(hap.id);
    let plan = plan(directory, hap)?;
    if !hap.is_over() {
        kill::stop(haps, hap.clone(), timeout)?;
    }
    let lock = lock(directory, hap)?;
    let before = directory.newest_record().map_err(|flaw| broken(directory, flaw))?;
    if before.process != hap.record.process || !is_over(haps.state(), &before, haps.here(), &Marked::default()) {
        return Err(Error::Busy { hap: hap.title() });
    }
    start(haps, hap, plan, lock, with_end(before, hap))
}

fn start(haps: &Haps, hap: &Hap, plan: Plan, lock: Held, before: Record) -> Result<Record> {
    let _private = fork::private_umask();
    let rerun = haps.state().hap(hap.id).prepare_rerun(lock, &before)?;
    let place = host::place().map_err(Error::system("tell which machine this is"))?;
    let Plan { mut program, workdir } = plan;
    let (files, umask, keeping) = (rerun.files(), before.umask, Keeping::of(&before));
    let job = Job { program: &mut program, files, workdir: workdir.as_fd(), umask, keeping };
    let waiting: Waiting = supervisor::prepare(job)?;
    let (supervisor, process, started) = (waiting.supervisor, waiting.process, waiting.started);
    let restarts = before.restarts + 1;
    let record = Record { restarts, place, supervisor, process, started, adopted: None, end: None, ..before };
    let refused = match rerun.commit(&record) {
        Ok(()) => {
            waiting.go(hap.id, &record.name).map_err(|refused| explain(refused, &record, &program, workdir.as_fd()))
        }
        Err(error) => {
            drop(waiting);
            Err(error)
        }
    };
    let Err(refused) = refused else { return Ok(record) };
    if let Ok(Some(supervisor)) = Handle::open(supervisor) {
        let _ = supervisor.wait_at_most(PATIENCE);
    }
    rerun.roll_back()?;
    Err(refused)
}

/// An end that nobody saw is written down before it becomes history.
fn with_end(before: Record, hap: &Hap) -> Record {
    let loss = match hap.status {
        Status::Lost(loss) => loss,
        _ => Loss::Unwatched,
    };
    let now = clock::now();
    let outcome = Outcome::Lost(loss);
    let unseen = End { outcome, unix_ns: now.unix_ns, runtime_ns: 0, survivors: false, usage: None };
    Record { end: before.end.or(Some(unseen)), ..before }
}

fn plan(directory: HapDir<'_>, hap: &Hap) -> Result<Plan> {
    let arguments = directory.arguments().map_err(|flaw| broken(directory, flaw))?;
    let environment = directory.environment().map_err(|flaw| broken(directory, flaw))?;
    let path = directory.workdir().unwrap_or_else(|_| PathBuf::from(&hap.record.workdir));
    let workdir = file::open_workdir(&path).map_err(|source| Error::BadWorkdir { path, source })?;
    let program = Program::new(arguments, environment);
    if program.exists_in(workdir.as_fd()) {
        return Ok(Plan { program, workdir });
    }
    Err(Error::CommandNotFound { command: hap.record.argv[0].clone() })
}

fn broken(directory: HapDir<'_>, flaw: Flaw) -> Error {
    Error::Broken { hap: directory.id(), path: directory.path().join(flaw.file), reason: flaw.reason }
}

/// The lock of a hap whose supervisor is about to go. Who finds that it stays is second.
fn lock(directory: HapDir<'_>, hap: &Hap) -> Result<Held> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let is_taken = || directory.record().is_ok_and(|record| record.process != hap.record.process);
        match directory.lock() {
            Ok(lock) => return Ok(lock),
            Err(LockRefused::Unusable(error)) => return Err(Error::file("lock", directory.lock_path())(error)),
            Err(LockRefused::Held) if Instant::now() > deadline || is_taken() => {
                return Err(Error::Busy { hap: hap.title() });
            }
            Err(LockRefused::Held) => thread::sleep(Duration::from_millis(1)),
        }
    }
}
