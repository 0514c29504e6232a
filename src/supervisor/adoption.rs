//! Making a hap of processes that somebody else started, and finishing that where it was begun by somebody
//! who was killed.
//!
//! All of them are stopped first (SIGSTOP) and continued last. That is what makes it safe: see `sys::ptrace`.
//! The record is there before anything is touched, and beside it what is under way: whoever is killed at
//! any instant leaves processes as they were, or stopped ones that the next `hap` goes on with. Only forward
//! then: what a killed one had replaced is closed for good, and doing it again does no harm.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::guardian::Ward;
use super::members;
use super::report;
use super::surgery::{self, Changes, Failure, Logs};
use crate::core::adoption::{Adoption, Capture, Patient, Step};
use crate::core::error::Error;
use crate::core::record::ProcessId;
use crate::core::signal::Signal;
use crate::core::status::Presence;
use crate::store::adoption_file;
use crate::sys::pidfd::Handle;
use crate::sys::{clock, descriptor, proc, running, tree};

/// How long a process may take to stop. Only one that hangs in the kernel takes longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long is waited for all of them to stop before it is looked at what keeps them.
const ROUND: Duration = Duration::from_millis(20);

/// Why it could not be done. Everything was put back.
#[derive(Debug)]
pub(super) struct Refusal {
    pid: i32,
    failure: Failure,
}

/// Does what is still to be done for a hap to be adopted. Returns the processes that came to it beside its
/// command; an error if it could not be done.
pub(super) fn finish(ward: &Ward<'_>) -> Result<Vec<ProcessId>, Refusal> {
    let known = ward.record.adopted.as_ref().map(|adopted| adopted.others.clone()).unwrap_or_default();
    let Some(adoption) = adoption_file::unfinished(ward.directory) else { return Ok(known) };
    let mut work = Work { ward, adoption };
    let done = work.stop_all().and_then(|()| work.operate_on_all());
    match done {
        Ok(()) => {
            work.let_go(|_| true);
            let _ = adoption_file::forget(ward.directory);
            let command = ward.record.process;
            Ok(work
                .adoption
                .processes
                .into_iter()
                .filter(|process| *process != command && !is_over(*process))
                .collect())
        }
        Err(refusal) => {
            work.adoption.failed = true;
            let _ = adoption_file::note(ward.directory, &work.adoption);
            let stopped = work.adoption.stopped.clone();
            work.let_go(|process| !stopped.contains(&process));
            Err(refusal)
        }
    }
}

/// An adoption that is under way.
struct Work<'a> {
    ward: &'a Ward<'a>,
    adoption: Adoption,
}

impl Work<'_> {
    /// Stops every one of them, and those that they start meanwhile, until nothing of it runs.
    fn stop_all(&mut self) -> Result<(), Refusal> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            for &process in &self.adoption.processes {
                tree::send(process, Signal::STOP).map_err(|error| refusal(process, Step::Stop, error))?;
            }
            let running = || self.adoption.processes.iter().find(|process| !is_still(**process));
            if !clock::wait_until(Instant::now() + ROUND, || running().is_none()) {
                if let Some(process) = running().filter(|_| Instant::now() > deadline) {
                    return Err(refusal(*process, Step::Stop, io::Error::from_raw_os_error(libc::ETIMEDOUT)));
                }
                let released = tree::release_vforks(&self.adoption.processes).map(drop);
                released.map_err(|error| refusal(self.ward.record.process, Step::Stop, error))?;
                continue;
            }
            let new = self.newcomers();
            if new.is_empty() {
                return Ok(());
            }
            self.adoption.processes.extend(new);
        }
    }

    fn newcomers(&self) -> Vec<ProcessId> {
        let Some(group) = self.ward.record.adopted.as_ref().and_then(|adopted| adopted.group) else {
            return Vec::new();
        };
        let Some(command) = proc::stat_of(self.ward.record.process) else { return Vec::new() };
        // Who went to another session is not on the terminal any more.
        let job = members::job(self.ward.record.process, Some(group), &|stat| stat.session != command.session);
        let known: Vec<ProcessId> = self.adoption.processes.iter().map(|process| process.as_in_stat()).collect();
        let new = job.into_iter().filter(|stat| !known.contains(&stat.id) && !stat.is_zombie());
        new.filter_map(|stat| proc::identify(stat.id.pid)).collect()
    }

    fn operate_on_all(&mut self) -> Result<(), Refusal> {
        let (directory, command) = (self.ward.directory, self.ward.record.process);
        let (stdout, stderr) =
            adoption_file::open_logs(directory).map_err(|error| refusal(command, Step::Receive, error))?;
        let null = descriptor::null().map_err(|error| refusal(command, Step::Receive, error))?;
        let logs = Logs { stdout, stderr, null };
        let mut done = Vec::new();
        for process in self.adoption.processes.clone() {
            match self.operate_on(process, &logs) {
                Ok(changes) => done.extend(changes),
                Err(refusal) => {
                    self.put_back(done);
                    return Err(refusal);
                }
            }
        }
        Ok(())
    }

    /// `None` if it has ended meanwhile.
    fn operate_on(&mut self, process: ProcessId, logs: &Logs) -> Result<Option<(Handle, Changes)>, Refusal> {
        let failed = |error| refusal(process, Step::Seize, error);
        let Some(handle) = Handle::open(process).map_err(failed)? else { return Ok(None) };
        // What was asked for is meant for the command: a pipe between two of a job is to stay.
        let capture = match self.adoption.capture {
            Capture::Everything if process != self.ward.record.process => Capture::Terminal,
            capture => capture,
        };
        let before = self.adoption.patient.clone();
        let operated = surgery::operate(&handle, capture, logs, before.as_ref(), &mut |patient| self.note(patient));
        match operated {
            Ok(changes) => Ok(Some((handle, changes))),
            Err(_) if is_over(process) => Ok(None),
            Err(failure) => Err(Refusal { pid: process.pid, failure }),
        }
    }

    fn put_back(&mut self, done: Vec<(Handle, Changes)>) {
        for (handle, changes) in done.into_iter().rev() {
            let _ = surgery::put_back(&handle, changes, &mut |patient| self.note(patient));
        }
    }

    fn note(&mut self, patient: Option<&Patient>) -> io::Result<()> {
        self.adoption.patient = patient.cloned();
        adoption_file::note(self.ward.directory, &self.adoption)
    }

    /// Continues them, the last first: a parent must not wake and find its child stopped.
    fn let_go(&self, is_meant: impl Fn(ProcessId) -> bool) {
        for &process in self.adoption.processes.iter().rev().filter(|process| is_meant(**process)) {
            let _ = tree::send(process, Signal::CONT);
        }
    }
}

fn refusal(process: ProcessId, step: Step, error: io::Error) -> Refusal {
    Refusal { pid: process.pid, failure: Failure { step, error } }
}

fn is_over(process: ProcessId) -> bool {
    matches!(proc::presence(process), Presence::Gone | Presence::Zombie(_))
}

/// No thread of it runs.
fn is_still(process: ProcessId) -> bool {
    is_over(process)
        || running::threads(process.pid).iter().all(|(_, state)| matches!(state, b'T' | b't' | b'Z' | b'X' | b'x'))
}

const NUMBERS: usize = 3;

impl Refusal {
    /// Tells it to the caller, if that still waits.
    pub(super) fn tell(&self, to: impl AsFd) {
        let step = Step::ALL.iter().position(|&step| step == self.failure.step).unwrap_or_default();
        let errno = self.failure.error.raw_os_error().unwrap_or(libc::EIO);
        let numbers = [self.pid, i32::try_from(step).unwrap_or_default(), errno];
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
        let _ = rustix::io::write(to, &bytes);
    }

    /// Waits for it: the other end is closed without a word once all is done.
    pub(super) fn hear(from: impl AsFd) -> io::Result<Option<Error>> {
        let mut bytes = [0; NUMBERS * size_of::<i32>()];
        if report::read(from, &mut bytes)? < bytes.len() {
            return Ok(None);
        }
        let mut numbers = [0; NUMBERS];
        for (number, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(size_of::<i32>())) {
            *number = i32::from_ne_bytes(bytes.try_into().expect("four bytes"));
        }
        let [pid, step, errno] = numbers;
        let step = usize::try_from(step).ok().and_then(|step| Step::ALL.get(step)).copied().unwrap_or(Step::Seize);
        Ok(Some(Error::NotAdopted { pid, step, source: io::Error::from_raw_os_error(errno) }))
    }
}
