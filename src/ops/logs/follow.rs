//! `logs --follow`: what there is, then what comes, until the hap has ended and all is written.
//!
//! Whatever wakes the follower is only a hint to look again. The order is always first the status, then the
//! rest of the log: so the last bytes before the end are not missed.

use std::cmp::Ordering;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::lines::{Lines, Voice};
use super::news::News;
use super::reading::{Block, Look};
use super::{Log, own_streams};
use crate::core::error::{Error, Result};
use crate::core::record::{ProcessId, Record};
use crate::core::status::Status;
use crate::ops::find::Haps;
use crate::ops::hap::Hap;
use crate::store::Times;
use crate::sys::clock;
use crate::sys::file;
use crate::sys::pidfd::Handle;

/// What happened to a log while it was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It became shorter: what is in it now is shown from its beginning.
    Truncated,
    /// It is no longer in its place: what the command still writes to it is shown.
    Deleted,
    /// Another file took its place: both are shown.
    Replaced,
    /// The hap was restarted: the log of the new run is shown.
    Restarted,
    /// So many bytes of it were freed before they could be shown.
    Dropped(u64),
}

/// Who is told what happened.
pub(super) type Tell = Box<dyn FnMut(&Hap, Told) + Send>;

/// A hap that is followed.
pub struct Followed {
    hap: Hap,
    trails: Vec<Trail>,
    /// Processes whose end is news.
    processes: Vec<ProcessId>,
    is_over: bool,
}

/// One of its logs.
struct Trail {
    voice: Voice,
    /// The one that the command writes.
    own: Log,
    /// Another file that lies in its place.
    usurper: Option<Log>,
    /// Nothing lies in its place.
    is_missing: bool,
    /// It is watched itself, not only its place.
    is_watched: bool,
    noted: Noted,
}

/// When which part of a log was written, as far as it was noted by now.
#[derive(Default)]
struct Noted {
    times: Option<Times>,
    /// What was noted before this is of bytes that were truncated. Nanoseconds since 1970-01-01 UTC.
    since: i64,
}

/// Everything that is the same for all that are followed.
struct Scene {
    haps: Haps,
    lines: Lines,
    tell: Tell,
    block: Block,
    /// Go on when a hap has ended: it may be restarted.
    retry: bool,
}

/// What both threads work on, one at a time: the one that notify tells of growth, and the one that sleeps
/// on all else.
struct Stage {
    scene: Scene,
    followed: Vec<Followed>,
    failure: Option<Error>,
}

impl Followed {
    /// Follows these logs of a hap from where they are; each speaks with its own voice.
    pub fn new(hap: Hap, logs: Vec<(Voice, Log)>) -> Self {
        let trails = logs.into_iter().map(|(voice, log)| Trail::new(voice, log)).collect();
        Self { hap, trails, processes: Vec::new(), is_over: false }
    }
}

/// Follows all of them until each has ended, or until nobody reads the output any more.
pub fn follow(haps: Haps, followed: Vec<Followed>, lines: Lines, retry: bool, tell: Tell) -> Result<()> {
    let logs = followed.iter().flat_map(|one| one.trails.iter().map(|trail| trail.own.path().to_owned()));
    let logs: Vec<PathBuf> = logs.collect();
    let out = lines.out().try_clone_to_owned().map_err(Error::Output)?;
    let scene = Scene { haps, lines, tell, block: Block::new(), retry };
    let stage = Arc::new(Mutex::new(Stage { scene, followed, failure: None }));
    let for_notify = Arc::clone(&stage);
    let mut news = News::of(logs, move || enter(&for_notify).grown())?;
    let mut guards = Guards::default();
    loop {
        let (strays, processes) = {
            let mut stage = enter(&stage);
            stage.look()?;
            if stage.followed.iter().all(|one| one.is_over) {
                return Ok(());
            }
            (stage.strays(), stage.processes())
        };
        if !strays.is_empty() {
            // notify's thread may wait for the stage while it is asked: so not from within. Then what was
            // written before is looked for.
            for stray in strays {
                news.watch_open(stray);
            }
            continue;
        }
        guards.watch_over(&processes);
        let woken = news.wait(&guards.handles(), out.as_fd())?;
        if woken.is_abandoned {
            return Ok(());
        }
        guards.forget(&woken.ended);
    }
}

fn enter(stage: &Mutex<Stage>) -> MutexGuard<'_, Stage> {
    stage.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage {
    /// Looks at everything.
    fn look(&mut self) -> Result<()> {
        let Self { scene, followed, failure } = self;
        failure.take().map_or(Ok(()), Err)?;
        followed.iter_mut().filter(|one| !one.is_over).try_for_each(|one| one.look(scene))
    }

    /// Shows what has come to the logs. Says whether that failed.
    fn grown(&mut self) -> bool {
        let Self { scene, followed, .. } = self;
        let shown = followed.iter_mut().filter(|one| !one.is_over).try_for_each(|one| one.show(scene));
        self.failure = self.failure.take().or(shown.err());
        self.failure.is_some()
    }

    /// Logs that were moved away since the last time: the events of the directory are no longer theirs.
    fn strays(&mut self) -> Vec<RawFd> {
        let trails = self.followed.iter_mut().flat_map(|one| &mut one.trails);
        let strays = trails.filter_map(|trail| {
            let is_news = trail.is_astray() && !std::mem::replace(&mut trail.is_watched, true);
            is_news.then(|| trail.own.fd().as_raw_fd())
        });
        strays.collect()
    }

    fn processes(&self) -> Vec<ProcessId> {
        self.followed.iter().filter(|one| !one.is_over).flat_map(|one| one.processes.iter().copied()).collect()
    }
}

/// Processes whose end is news, each until it has ended.
#[derive(Default)]
struct Guards(Vec<(ProcessId, Option<Handle>)>);

impl Guards {
    fn watch_over(&mut self, processes: &[ProcessId]) {
        self.0.retain(|(known, _)| processes.contains(known));
        for process in processes {
            if !self.0.iter().any(|(known, _)| known == process) {
                self.0.push((*process, Handle::open(*process).ok().flatten()));
            }
        }
    }

    fn handles(&self) -> Vec<BorrowedFd<'_>> {
        self.0.iter().filter_map(|(_, handle)| handle.as_ref().map(AsFd::as_fd)).collect()
    }

    /// There is an answer for each handle.
    fn forget(&mut self, ended: &[bool]) {
        let handles = self.0.iter_mut().filter(|(_, handle)| handle.is_some());
        for ((_, handle), ended) in handles.zip(ended) {
            handle.take_if(|_| *ended);
        }
    }
}

impl Followed {
    /// Shows what has come to its logs.
    fn show(&mut self, scene: &mut Scene) -> Result<()> {
        self.trails.iter_mut().try_for_each(|trail| trail.show(&self.hap, scene))
    }

    /// Shows what there is to show, and whether it goes on.
    fn look(&mut self, scene: &mut Scene) -> Result<()> {
        let now = again(&scene.haps, &self.hap)?;
        self.show(scene)?;
        match now {
            None => self.end(scene),
            // Nothing comes to the log of a run that is over.
            Some(_) if self.trails.iter().all(|trail| trail.own.run.is_some()) => self.end(scene),
            Some(now) if now.record.restarts != self.hap.record.restarts => self.change_run(now, scene),
            Some(now) => self.go_on(&now, scene),
        }
    }

    /// The same run goes on, or has ended.
    fn go_on(&mut self, now: &Hap, scene: &mut Scene) -> Result<()> {
        for trail in &mut self.trails {
            trail.look_at_path(&self.hap, scene)?;
        }
        let may_go_on = now.status.is_active() || now.status == Status::Elsewhere;
        self.watch_over(now);
        if may_go_on || scene.retry { Ok(()) } else { self.end(scene) }
    }

    /// Another run has begun: this one has ended, and all of it is shown.
    fn change_run(&mut self, now: Hap, scene: &mut Scene) -> Result<()> {
        if !scene.retry {
            return self.end(scene);
        }
        let mut logs = Vec::new();
        for stream in
            own_streams(&now).into_iter().filter(|stream| self.trails.iter().any(|trail| trail.own.stream() == *stream))
        {
            let log = Log::open(&scene.haps, &now, stream, None)?;
            let is_old = |trail: &Trail| file::is_same(trail.own.fd(), log.fd()).unwrap_or(false);
            if self.trails.iter().any(is_old) {
                // The record is replaced first, the logs a moment later: that is told as well.
                return Ok(());
            }
            logs.push(log);
        }
        for (trail, log) in self.trails.iter_mut().zip(logs) {
            scene.finish(trail)?;
            *trail = Trail::new(trail.voice, log);
        }
        (scene.tell)(&now, Told::Restarted);
        self.watch_over(&now);
        self.hap = now;
        self.show(scene)
    }

    fn end(&mut self, scene: &mut Scene) -> Result<()> {
        self.is_over = true;
        self.trails.iter().try_for_each(|trail| scene.finish(trail))
    }

    /// A supervisor that is killed writes nothing into the directory, and without one neither does the end
    /// of the command.
    fn watch_over(&mut self, now: &Hap) {
        let is_active = now.status.is_active();
        self.processes = if is_active { vec![now.record.supervisor, now.record.process] } else { Vec::new() };
    }
}

impl Trail {
    fn new(voice: Voice, own: Log) -> Self {
        Self { voice, own, usurper: None, is_missing: false, is_watched: false, noted: Noted::default() }
    }

    /// The events of its directory are not those of the file that the command writes.
    fn is_astray(&self) -> bool {
        self.is_missing || self.usurper.is_some()
    }

    /// Shows what has come.
    fn show(&mut self, hap: &Hap, scene: &mut Scene) -> Result<()> {
        scene.show(hap, &mut self.own, self.voice, &mut self.noted)?;
        match &mut self.usurper {
            Some(usurper) => scene.show(hap, usurper, self.voice, &mut self.noted),
            None => Ok(()),
        }
    }

    /// Looks whether the path still leads to the file that is read, and goes on also with what is there now.
    fn look_at_path(&mut self, hap: &Hap, scene: &mut Scene) -> Result<()> {
        let there = self.own.path().symlink_metadata();
        let Ok(there) = there else {
            if !std::mem::replace(&mut self.is_missing, true) {
                (scene.tell)(hap, Told::Deleted);
            }
            return Ok(());
        };
        let is_there =
            |log: &Log| log.file.metadata().is_ok_and(|open| (open.dev(), open.ino()) == (there.dev(), there.ino()));
        if is_there(&self.own) {
            (self.usurper, self.is_missing) = (None, false);
        } else if !self.usurper.as_ref().is_some_and(is_there) && !was_restarted(&scene.haps, hap) {
            self.is_missing = false;
            // Whatever cannot be opened is no log.
            self.usurper = Log::open(&scene.haps, hap, self.own.stream(), None).ok();
            if self.usurper.is_some() {
                (scene.tell)(hap, Told::Replaced);
            }
            return self.show(hap, scene);
        }
        Ok(())
    }
}

impl Noted {
    fn of(&self, offset: u64) -> Option<i64> {
        self.times.as_ref()?.of(offset).filter(|&time| time >= self.since)
    }

    /// What was written a moment ago is noted in a moment.
    fn or_now(&self) -> impl Fn(u64) -> Option<i64> {
        let now = clock::now().unix_ns;
        move |offset| self.of(offset).or(Some(now))
    }
}

impl Scene {
    /// Shows a log up to its end.
    fn show(&mut self, hap: &Hap, log: &mut Log, voice: Voice, noted: &mut Noted) -> Result<()> {
        loop {
            let offset = log.position;
            match log.read_on(&mut self.block)? {
                Look::Nothing => return Ok(()),
                Look::Truncated => {
                    self.lines.finish(voice, &|_| None)?;
                    // The supervisor may need a moment to forget what it has noted.
                    *noted = Noted { times: None, since: clock::now().unix_ns };
                    (self.tell)(hap, Told::Truncated);
                }
                Look::Dropped(bytes) => {
                    self.lines.finish(voice, &|_| None)?;
                    (self.tell)(hap, Told::Dropped(bytes));
                }
                Look::Bytes(bytes) => {
                    if !self.lines.has_times() {
                        self.lines.say(voice, bytes, offset, &|_| None)?;
                        continue;
                    }
                    if noted.of(offset + bytes.len() as u64 - 1).is_none() {
                        noted.times = log.times(&self.haps, hap);
                    }
                    self.lines.say(voice, bytes, offset, &noted.or_now())?;
                }
            }
        }
    }

    fn finish(&mut self, trail: &Trail) -> Result<()> {
        self.lines.finish(trail.voice, &trail.noted.or_now())
    }
}

/// The hap as it is now; `None` if it was removed meanwhile.
fn again(haps: &Haps, hap: &Hap) -> Result<Option<Hap>> {
    match haps.again(hap) {
        Ok(now) if is_same(&now.record, &hap.record) => Ok(Some(now)),
        Ok(_) | Err(Error::Gone { .. } | Error::UnknownAlias { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Its number may have been given to another one.
fn is_same(now: &Record, before: &Record) -> bool {
    match now.restarts.cmp(&before.restarts) {
        Ordering::Less => false,
        Ordering::Equal => now.process == before.process,
        Ordering::Greater => true,
    }
}

/// A restart replaces the record before it replaces the logs.
fn was_restarted(haps: &Haps, hap: &Hap) -> bool {
    !matches!(again(haps, hap), Ok(Some(now)) if now.record.restarts == hap.record.restarts)
}
