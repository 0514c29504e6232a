//! What a supervisor does about the logs while its command runs, if that was asked for: it notes when
//! which part was written, and frees the beginning of what has become too long.
//!
//! The command writes its own files and never waits for this. The keeper sleeps until a log grows, looks
//! at once, and then only now and again while it goes on growing: a command that writes a million lines
//! in a second wakes it some twenty times. While nothing is written it has no timer. Whatever cannot be
//! done, because the disk is full perhaps, is tried again at the next look; the end of the command
//! depends on none of it.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use crate::core::record::Record;
use crate::core::stream::Stream;
use crate::store::{GRAIN, TimesWriter};
use crate::sys::children::{self, ChildSignals};
use crate::sys::growth::Growth;
use crate::sys::readiness::{self, Interest};
use crate::sys::{clock, file, hole};

/// What is to be done about the logs of a hap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keeping {
    /// So many bytes of each stay on the disk.
    pub limit: Option<u64>,
    /// When which part was written is noted.
    pub timestamps: bool,
}

/// How soon a log with a limit is looked at again that has begun to grow.
const SHORTEST: Duration = Duration::from_micros(200);

/// How often is looked where the kernel does not tell of writes: it has no inotify instance left.
const BLIND: Duration = Duration::from_millis(500);

impl Keeping {
    /// As it was recorded.
    pub fn of(record: &Record) -> Self {
        Self { limit: record.log_limit, timestamps: record.timestamps }
    }

    /// Whether there is anything to do.
    pub(super) fn is_needed(self) -> bool {
        self.limit.is_some() || self.timestamps
    }
}

/// The logs of one hap. Holds nothing of the heap's that would be given back.
pub(super) struct Keeper<'a> {
    keeping: Keeping,
    directory: BorrowedFd<'a>,
    logs: Vec<Kept<'a>>,
    growth: Option<Growth>,
    children: Option<ChildSignals>,
    pause: Duration,
}

/// One log.
struct Kept<'a> {
    file: BorrowedFd<'a>,
    times: TimesWriter,
    /// How long it was at the last look, and when that was noted.
    length: u64,
    noted: u64,
    noted_at: u64,
    /// What lies before this was freed.
    start: u64,
}

impl<'a> Keeper<'a> {
    /// For the logs of stdout and stderr, which may be one and the same.
    pub(super) fn new(keeping: Keeping, directory: BorrowedFd<'a>, [out, err]: [BorrowedFd<'a>; 2]) -> Self {
        let mut logs = Vec::new();
        if keeping.is_needed() {
            logs.extend(Kept::new(out, Stream::Stdout));
            logs.extend(Kept::new(err, Stream::Stderr).filter(|_| !file::is_same(out, err).unwrap_or(true)));
        }
        let (growth, children) =
            if logs.is_empty() { (None, None) } else { (Growth::new().ok(), ChildSignals::new().ok()) };
        Self { keeping, directory, logs, growth, children, pause: SHORTEST }
    }

    /// Tends the logs until a child can be waited for. With nothing to tend it returns at once: the
    /// caller sleeps in wait4(2).
    pub(super) fn tend_until_a_child_ends(&mut self) {
        let Some(children) = self.children.take() else { return };
        while !children::need_no_waiting() {
            self.tend_until(children.as_fd());
            children.settle();
        }
        self.finish();
        self.children = Some(children);
    }

    /// Tends the logs until this can be read.
    pub(super) fn tend_until(&mut self, end: BorrowedFd<'_>) {
        loop {
            // Armed before the look: what is written after it wakes.
            self.arm();
            let is_over = if self.look() { self.rest(end) } else { self.sleep(end) };
            if is_over {
                break;
            }
        }
        self.finish();
    }

    /// As it is to be left if nothing more is written.
    fn finish(&mut self) {
        for log in &mut self.logs {
            log.look(self.keeping, self.directory);
            if let Some(limit) = self.keeping.limit {
                log.hold(limit, Pace::Slow);
            }
        }
        self.note_the_rest();
    }

    fn arm(&self) {
        for log in &self.logs {
            let _ = self.growth.as_ref().map(|growth| growth.arm(log.file));
        }
    }

    /// While the log grows: looks no sooner again than needed. Says whether the end has come.
    fn rest(&self, end: BorrowedFd<'_>) -> bool {
        let is_over = readiness::wait(&[Interest::Readable(end)], Some(self.pause));
        is_over.is_ok_and(|ready| ready[0])
    }

    /// While nothing is written: until something is. Says whether the end has come.
    fn sleep(&mut self, end: BorrowedFd<'_>) -> bool {
        self.note_the_rest();
        let ready = match &self.growth {
            Some(growth) => readiness::wait(&[Interest::Readable(end), Interest::Readable(growth.as_fd())], None),
            None => readiness::wait(&[Interest::Readable(end)], Some(BLIND)),
        };
        let _ = self.growth.as_ref().map(Growth::settle);
        self.pause = if self.keeping.limit.is_some() { SHORTEST } else { GRAIN };
        ready.is_ok_and(|ready| ready[0])
    }

    /// Looks at each log: whether one has grown.
    fn look(&mut self) -> bool {
        let mut most = 0;
        for log in &mut self.logs {
            let grown = log.look(self.keeping, self.directory);
            if let Some(limit) = self.keeping.limit {
                log.hold(limit, Pace::of(grown, limit));
            }
            most = grown.max(most);
        }
        if let Some(limit) = self.keeping.limit {
            self.pause = next_pause(self.pause, most, limit);
        }
        most > 0
    }

    fn note_the_rest(&mut self) {
        if self.keeping.timestamps {
            for log in &mut self.logs {
                log.note(self.directory);
            }
        }
    }
}

impl<'a> Kept<'a> {
    fn new(file: BorrowedFd<'a>, stream: Stream) -> Option<Self> {
        let inode = file::inode(file).ok()?;
        Some(Self { file, times: TimesWriter::new(stream, inode), length: 0, noted: 0, noted_at: 0, start: 0 })
    }

    /// By how much it has grown since the last look.
    fn look(&mut self, keeping: Keeping, directory: BorrowedFd<'_>) -> u64 {
        let Ok(length) = file::length(self.file) else { return 0 };
        if length < self.length {
            self.begin_anew(directory);
        }
        let grown = length - self.length;
        self.length = length;
        let is_due = clock::now().boot_ns.saturating_sub(self.noted_at) >= GRAIN.as_nanos().try_into().unwrap_or(0);
        if keeping.timestamps && is_due {
            self.note(directory);
        }
        grown
    }

    /// Somebody has truncated it.
    fn begin_anew(&mut self, directory: BorrowedFd<'_>) {
        self.times.forget(directory);
        (self.length, self.noted, self.start) = (0, 0, 0);
    }

    fn note(&mut self, directory: BorrowedFd<'_>) {
        if self.noted == self.length {
            return;
        }
        let now = clock::now();
        if self.times.note(directory, self.length, now.unix_ns).is_ok() {
            (self.noted, self.noted_at) = (self.length, now.boot_ns);
        }
    }

    fn hold(&mut self, limit: u64, pace: Pace) {
        if let Some(start) = start_within(limit, pace, self.start, self.length)
            && hole::free(self.file, self.start, start).is_ok()
        {
            self.start = start;
        }
    }
}

/// How a log grows, seen from its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Slow,
    Fast,
}

impl Pace {
    /// By how much it has grown between two looks.
    fn of(grown: u64, limit: u64) -> Self {
        if grown > limit / 16 { Self::Fast } else { Self::Slow }
    }
}

/// Where a log has to begin to stay within its limit, if it is about to exceed that. Three quarters of the limit
/// are left, so that it is not for every line that something is freed; of one that grows fast half, for room
/// until the next look, and while blocks are freed, which may have to wait for the disk.
fn start_within(limit: u64, pace: Pace, start: u64, length: u64) -> Option<u64> {
    let (most, kept) = match pace {
        Pace::Slow => (limit - limit / 8, limit - limit / 4),
        Pace::Fast => (limit / 2 + limit / 16, limit / 2),
    };
    let is_near = length.saturating_sub(start) > most;
    let next = length.saturating_sub(kept) / hole::BLOCK * hole::BLOCK;
    (is_near && next > start).then_some(next)
}

/// Half as long if a log has grown by a good part of the room that is left between two looks, and
/// longer again if it has hardly grown.
fn next_pause(pause: Duration, grown: u64, limit: u64) -> Duration {
    let next = match Pace::of(grown, limit) {
        Pace::Fast => pause / 2,
        Pace::Slow if grown < limit / 64 => pause * 2,
        Pace::Slow => pause,
    };
    next.clamp(SHORTEST, GRAIN)
}

#[cfg(test)]
mod tests {
    use super::{Pace, SHORTEST, next_pause, start_within};
    use crate::store::GRAIN;
    use crate::sys::hole::BLOCK;
    use proptest::prelude::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn what_is_freed_leaves_most_of_the_limit_and_makes_room() {
        let slow = |start, length| start_within(MIB, Pace::Slow, start, length);
        assert_eq!(slow(0, MIB - MIB / 8), None);
        assert_eq!(slow(0, MIB - MIB / 8 + 1), Some(MIB / 8));
        assert_eq!(slow(MIB / 8, MIB), None);
        assert_eq!(slow(0, 1000 * MIB), Some(999 * MIB + MIB / 4));
    }

    #[test]
    fn of_what_grows_fast_half_is_left() {
        let fast = |start, length| start_within(MIB, Pace::Fast, start, length);
        assert_eq!(fast(0, MIB / 2), None);
        assert_eq!(fast(0, MIB), Some(MIB / 2));
        assert_eq!(fast(0, 1000 * MIB), Some(999 * MIB + MIB / 2));
        assert_eq!((Pace::of(MIB / 16, MIB), Pace::of(MIB / 16 + 1, MIB)), (Pace::Slow, Pace::Fast));
    }

    proptest! {
        #[test]
        fn the_start_only_moves_on_and_by_whole_blocks(
            limit in 4 * BLOCK..u64::MAX / 2,
            is_fast: bool,
            start in 0..u64::MAX / 2,
            more: u64,
        ) {
            let pace = if is_fast { Pace::Fast } else { Pace::Slow };
            let start = start / BLOCK * BLOCK;
            let length = start.saturating_add(more);
            match start_within(limit, pace, start, length) {
                Some(next) => {
                    prop_assert!(next > start && next % BLOCK == 0 && next <= length);
                    prop_assert!(length - next >= limit / 2 && length - next <= limit - limit / 8);
                }
                None => prop_assert!(length - start <= limit - limit / 8 + BLOCK),
            }
        }
    }

    #[test]
    fn the_faster_it_grows_the_sooner_is_the_next_look() {
        let mut pause = GRAIN;
        for _ in 0..20 {
            pause = next_pause(pause, 10 * MIB, MIB);
        }
        assert_eq!(pause, SHORTEST);
        for _ in 0..20 {
            pause = next_pause(pause, 10, MIB);
        }
        assert_eq!(pause, GRAIN);
        assert_eq!(next_pause(2 * SHORTEST, MIB / 20, MIB), 2 * SHORTEST);
    }
}
