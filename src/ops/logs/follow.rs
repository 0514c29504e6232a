//! `logs --follow`: what there is, then what comes, until the hap has ended and all is written.
//!
//! Whatever wakes the follower is only a hint to look again. The order is always first the status, then the
//! rest of the log: so the last bytes before the end are not missed.

use std::cmp::Ordering;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;

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

/// A hap that is followed.
pub struct Followed {
    hap: Hap,
    trails: Vec<Trail>,
    guards: Vec<Guard>,
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
    times: Option<Times>,
}

/// A process whose end is news.
struct Guard {
    process: ProcessId,
    handle: Option<Handle>,
}

/// Everything that is the same for all that are followed.
struct Scene<'a, 'b> {
    haps: &'a Haps,
    lines: &'a mut Lines<'b>,
    tell: &'a mut dyn FnMut(&Hap, Told),
    block: Block,
    /// Go on when a hap has ended: it may be restarted.
    retry: bool,
}

impl Followed {
    /// Follows these logs of a hap from where they are; each speaks with its own voice.
    pub fn new(hap: Hap, logs: Vec<(Voice, Log)>) -> Self {
        let trails = logs.into_iter().map(|(voice, log)| Trail::new(voice, log)).collect();
        Self { hap, trails, guards: Vec::new(), is_over: false }
    }
}

/// Follows all of them until each has ended, or until nobody reads the output any more.
pub fn follow(
    haps: &Haps,
    mut followed: Vec<Followed>,
    lines: &mut Lines<'_>,
    retry: bool,
    tell: &mut dyn FnMut(&Hap, Told),
) -> Result<()> {
    let logs = followed.iter().flat_map(|one| one.trails.iter().map(|trail| trail.own.path().to_owned()));
    let mut news = News::of(logs.collect())?;
    let out = lines.out();
    let mut scene = Scene { haps, lines, tell, block: Block::new(), retry };
    let mut is_more = true;
    loop {
        let gate = news.hold();
        for one in followed.iter_mut().filter(|one| !one.is_over) {
            one.look(&mut scene, is_more)?;
        }
        drop(gate);
        if followed.iter().all(|one| one.is_over) {
            return Ok(());
        }
        is_more = false;
        for file in followed.iter_mut().flat_map(Followed::strays) {
            news.watch_open(file);
            is_more = true;
        }
        if is_more {
            // What was written to it before it was watched.
            continue;
        }
        let handles: Vec<BorrowedFd<'_>> = followed.iter().flat_map(Followed::handles).collect();
        let woken = news.wait(&handles, out)?;
        if woken.is_abandoned {
            return Ok(());
        }
        let mut ended = woken.ended.iter();
        for one in &mut followed {
            one.forget_ended(&mut ended);
        }
        is_more = woken.is_more;
    }
}

impl Followed {
    /// Shows what there is to show. Unless a log has only grown, it looks at everything.
    fn look(&mut self, scene: &mut Scene<'_, '_>, is_more: bool) -> Result<()> {
        let now = if is_more { Some(again(scene.haps, &self.hap)?) } else { None };
        for trail in &mut self.trails {
            trail.show(&self.hap, scene)?;
        }
        match now {
            None => Ok(()),
            Some(None) => self.end(scene),
            Some(Some(now)) if now.record.restarts != self.hap.record.restarts => self.change_run(now, scene),
            Some(Some(now)) => self.go_on(&now, scene),
        }
    }

    /// The same run goes on, or has ended.
    fn go_on(&mut self, now: &Hap, scene: &mut Scene<'_, '_>) -> Result<()> {
        for trail in &mut self.trails {
            trail.look_at_path(&self.hap, scene)?;
        }
        let may_go_on = now.status.is_active() || now.status == Status::Elsewhere;
        self.watch_over(now);
        if may_go_on || scene.retry { Ok(()) } else { self.end(scene) }
    }

    /// Another run has begun: this one has ended, and all of it is shown.
    fn change_run(&mut self, now: Hap, scene: &mut Scene<'_, '_>) -> Result<()> {
        if !scene.retry {
            return self.end(scene);
        }
        let mut logs = Vec::new();
        for stream in
            own_streams(&now).into_iter().filter(|stream| self.trails.iter().any(|trail| trail.own.stream() == *stream))
        {
            let log = Log::open(scene.haps, &now, stream, None)?;
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
        for trail in &mut self.trails {
            trail.show(&self.hap, scene)?;
        }
        Ok(())
    }

    fn end(&mut self, scene: &mut Scene<'_, '_>) -> Result<()> {
        self.is_over = true;
        self.guards.clear();
        self.trails.iter_mut().try_for_each(|trail| scene.finish(trail))
    }

    /// A supervisor that is killed writes nothing into the directory, and without one neither does the end
    /// of the command.
    fn watch_over(&mut self, now: &Hap) {
        if !now.status.is_active() {
            return;
        }
        for process in [now.record.supervisor, now.record.process] {
            if !self.guards.iter().any(|guard| guard.process == process) {
                self.guards.push(Guard { process, handle: Handle::open(process).ok().flatten() });
            }
        }
    }

    fn handles(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.guards.iter().filter_map(|guard| guard.handle.as_ref().map(AsFd::as_fd))
    }

    /// Takes from `ended` as many answers as there were handles.
    fn forget_ended<'a>(&mut self, ended: &mut impl Iterator<Item = &'a bool>) {
        for guard in self.guards.iter_mut().filter(|guard| guard.handle.is_some()) {
            if ended.next() == Some(&true) {
                guard.handle = None;
            }
        }
    }

    /// Logs that were moved away since the last time: the events of the directory are no longer theirs.
    fn strays(&mut self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.trails.iter_mut().filter_map(|trail| {
            let is_astray = trail.is_missing || trail.usurper.is_some();
            (is_astray && !std::mem::replace(&mut trail.is_watched, true)).then(|| trail.own.fd())
        })
    }
}

impl Trail {
    fn new(voice: Voice, own: Log) -> Self {
        Self { voice, own, usurper: None, is_missing: false, is_watched: false, times: None }
    }

    /// Shows what has come.
    fn show(&mut self, hap: &Hap, scene: &mut Scene<'_, '_>) -> Result<()> {
        scene.show(hap, &mut self.own, self.voice, &mut self.times)?;
        match &mut self.usurper {
            Some(usurper) => scene.show(hap, usurper, self.voice, &mut self.times),
            None => Ok(()),
        }
    }

    /// Looks whether the path still leads to the file that is read, and goes on also with what is there now.
    fn look_at_path(&mut self, hap: &Hap, scene: &mut Scene<'_, '_>) -> Result<()> {
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
        } else if !self.usurper.as_ref().is_some_and(is_there) && !was_restarted(scene.haps, hap) {
            self.is_missing = false;
            // Whatever cannot be opened is no log.
            self.usurper = Log::open(scene.haps, hap, self.own.stream(), None).ok();
            if self.usurper.is_some() {
                (scene.tell)(hap, Told::Replaced);
            }
            return self.show(hap, scene);
        }
        Ok(())
    }
}

impl Scene<'_, '_> {
    /// Shows a log up to its end.
    fn show(&mut self, hap: &Hap, log: &mut Log, voice: Voice, times: &mut Option<Times>) -> Result<()> {
        loop {
            let offset = log.position;
            match log.read_on(&mut self.block)? {
                Look::Nothing => return Ok(()),
                Look::Truncated => {
                    self.lines.finish(voice, &|_| None)?;
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
                    if times.as_ref().is_none_or(|times| times.of(offset + bytes.len() as u64 - 1).is_none()) {
                        *times = log.times(self.haps, hap);
                    }
                    // What was written a moment ago is noted in a moment.
                    let now = clock::now().unix_ns;
                    let of = |offset| times.as_ref().and_then(|times| times.of(offset)).or(Some(now));
                    self.lines.say(voice, bytes, offset, &of)?;
                }
            }
        }
    }

    fn finish(&mut self, trail: &Trail) -> Result<()> {
        let now = clock::now().unix_ns;
        self.lines.finish(trail.voice, &|offset| trail.times.as_ref().and_then(|times| times.of(offset)).or(Some(now)))
    }
}

/// The hap as it is now; `None` if it was removed meanwhile.
fn again(haps: &Haps, hap: &Hap) -> Result<Option<Hap>> {
    match haps.again(hap) {
        Ok(now) if is_same(&now.record, &hap.record) => Ok(Some(now)),
        Ok(_) | Err(Error::UnknownAlias { .. }) => Ok(None),
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
