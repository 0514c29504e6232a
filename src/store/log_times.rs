//! When which part of a log was written: `stdout.times` and `stderr.times`, beside the logs.
//!
//! A header names the log by its inode, then come pairs of numbers: a length that the log had, and when it
//! had it. What lies between two lengths was written by the second one's time. The supervisor appends a pair
//! at most every [`GRAIN`] and only while the log grows. Readers believe nothing: what is no such file
//! for this log is none, and pairs that go backwards are left out.
//!
//! The size is bounded: an index of [`MOST`] pairs is thinned, so that what was written `t` ago is known
//! to within `t` / [`FINENESS`]. Ten years of output without a pause are less than [`MOST`] then.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use super::layout::times_name;
use crate::core::stream::Stream;
use crate::sys::file::{self, Access};
use crate::sys::transfer::read_at;

/// How exactly the time of a line is known that was written in the last hour.
pub const GRAIN: Duration = Duration::from_millis(100);

/// See the module.
const MOST: u32 = 512 << 10;
const FINENESS: i64 = 32 << 10;

const MAGIC: [u8; 8] = *b"haptime1";
const HEADER: usize = 16;
const PAIR: usize = 16;
/// A little more than fits, and no more is read.
const LIMIT: usize = 9 << 20;
/// How long an index may be.
const LONGEST: u64 = HEADER as u64 + PAIR as u64 * MOST as u64;

/// A length of a log, and when it was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    length: u64,
    unix_ns: i64,
}

impl Mark {
    fn bytes(self) -> [u8; PAIR] {
        let mut bytes = [0; PAIR];
        bytes[..8].copy_from_slice(&self.length.to_le_bytes());
        bytes[8..].copy_from_slice(&self.unix_ns.to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8; PAIR]) -> Self {
        let (length, unix_ns) = bytes.split_at(8);
        let number = |bytes: &[u8]| bytes.try_into().expect("eight bytes");
        Self { length: u64::from_le_bytes(number(length)), unix_ns: i64::from_le_bytes(number(unix_ns)) }
    }
}

fn header(inode: u64) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..].copy_from_slice(&inode.to_le_bytes());
    bytes
}

/// The index of a log, read.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<Mark>);

impl Times {
    /// When the byte at this place was written. `None` if that is not in the index (yet).
    pub fn of(&self, offset: u64) -> Option<i64> {
        let after = self.0.partition_point(|mark| mark.length <= offset);
        self.0.get(after).map(|mark| mark.unix_ns)
    }

    /// Where the first byte lies that was not written before this moment.
    pub fn since(&self, unix_ns: i64) -> u64 {
        let before = self.0.iter().position(|mark| mark.unix_ns >= unix_ns).unwrap_or(self.0.len());
        before.checked_sub(1).map_or(0, |last| self.0[last].length)
    }

    /// Reads the index of the log with this inode, if there is one.
    pub(super) fn read(directory: impl AsFd, path: &str, inode: u64) -> Option<Self> {
        let bytes = file::read_at(directory, path, LIMIT).ok()?;
        let pairs = bytes.strip_prefix(&header(inode)[..])?;
        let mut marks: Vec<Mark> = Vec::with_capacity(pairs.len() / PAIR);
        for bytes in pairs.chunks_exact(PAIR) {
            let mark = Mark::read(bytes.try_into().expect("as long as a pair"));
            if marks.last().is_none_or(|last| last.length < mark.length) {
                marks.push(mark);
            }
        }
        Some(Self(marks))
    }
}

/// The index of a log, written. For the supervisor, who alone does.
#[derive(Debug)]
pub struct TimesWriter {
    stream: Stream,
    inode: u64,
    /// Made when there is something to write: until then the index of the run before may be there.
    open: Option<(OwnedFd, u64)>,
}

impl TimesWriter {
    /// Of the log with this inode. Nothing is written yet.
    pub fn new(stream: Stream, inode: u64) -> Self {
        Self { stream, inode, open: None }
    }

    /// Notes that the log has this length now. What a full disk does not take is not noted.
    pub fn note(&mut self, directory: BorrowedFd<'_>, length: u64, unix_ns: i64) -> io::Result<()> {
        let (file, end) = match self.open.take() {
            Some((file, end)) if end < LONGEST => (file, end),
            Some((file, _)) => self.thin(directory, &file, unix_ns)?,
            None => self.open(directory)?,
        };
        let written = file::write_at(&file, &Mark { length, unix_ns }.bytes(), end);
        let end = if written.is_ok() { end + PAIR as u64 } else { end };
        self.open = Some((file, end));
        written
    }

    /// The log was shortened: all that was noted is of bytes that are gone.
    pub fn forget(&mut self, directory: BorrowedFd<'_>) {
        self.open = None;
        let _ = file::remove_at(directory, times_name(self.stream));
    }

    /// The index that a supervisor before this one has begun, or a new one.
    fn open(&self, directory: BorrowedFd<'_>) -> io::Result<(OwnedFd, u64)> {
        let name = times_name(self.stream);
        if let Ok(file) = file::open_at(directory, name, Access::Change) {
            let length = file::length(&file)?;
            let mut start = [0; HEADER];
            if read_at(file.as_fd(), &mut start, 0)? == HEADER && start == header(self.inode) {
                let pairs = (length - HEADER as u64) / PAIR as u64;
                return Ok((file, (HEADER as u64 + pairs * PAIR as u64).min(LONGEST)));
            }
        }
        file::remove_at(directory, name)?;
        file::create_at(directory, name, &[&header(self.inode)])?;
        Ok((file::open_at(directory, name, Access::Change)?, HEADER as u64))
    }

    /// Another index takes the place of this one, in which older pairs are fewer.
    fn thin(&self, directory: BorrowedFd<'_>, full: &OwnedFd, now: i64) -> io::Result<(OwnedFd, u64)> {
        const NEW: &str = "times.new";
        file::remove_at(directory, NEW)?;
        let thin = file::create_at(directory, NEW, &[&header(self.inode)])?;
        let end = copy_thinned(full.as_fd(), thin.as_fd(), now)?;
        file::replace_at(directory, NEW, times_name(self.stream))?;
        Ok((file::open_at(directory, times_name(self.stream), Access::Change)?, end))
    }
}

fn copy_thinned(full: BorrowedFd<'_>, thin: BorrowedFd<'_>, now: i64) -> io::Result<u64> {
    let (mut from, mut to) = (HEADER as u64, HEADER as u64);
    let mut kept: Option<i64> = None;
    let mut pairs = [0; 256 * PAIR];
    loop {
        let length = read_at(full, &mut pairs, from)?;
        if length < PAIR {
            return Ok(to);
        }
        let mut left = 0;
        for pair in 0..length / PAIR {
            let bytes: [u8; PAIR] = pairs[pair * PAIR..][..PAIR].try_into().expect("as long as a pair");
            let time = Mark::read(&bytes).unix_ns;
            if kept.is_none_or(|last| is_kept(last, time, now)) {
                kept = Some(time);
                pairs[left..left + PAIR].copy_from_slice(&bytes);
                left += PAIR;
            }
        }
        file::write_at(thin, &pairs[..left], to)?;
        (from, to) = (from + (length / PAIR * PAIR) as u64, to + left as u64);
    }
}

/// The clock may have been set back in between: then the pair that says so stays.
fn is_kept(last: i64, time: i64, now: i64) -> bool {
    let gap = time.saturating_sub(last);
    gap < 0 || gap >= now.saturating_sub(time) / FINENESS
}

#[cfg(test)]
mod tests {
    use super::{FINENESS, GRAIN, HEADER, LONGEST, MOST, Mark, Times, TimesWriter, header};
    use crate::core::stream::Stream;
    use crate::store::layout::times_name;
    use std::fs::{self, File};
    use std::os::fd::AsFd;

    const SECOND: i64 = 1_000_000_000;

    fn written(marks: &[(u64, i64)]) -> (tempfile::TempDir, File, TimesWriter) {
        let directory = tempfile::tempdir().expect("a directory");
        let open = File::open(directory.path()).expect("it is there");
        let mut writer = TimesWriter::new(Stream::Stdout, 7);
        for (length, time) in marks {
            writer.note(open.as_fd(), *length, *time).expect("written");
        }
        (directory, open, writer)
    }

    fn read(directory: &File) -> Option<Times> {
        Times::read(directory, times_name(Stream::Stdout), 7)
    }

    #[test]
    fn a_byte_was_written_when_the_log_had_become_longer_than_its_place() {
        let (_directory, open, _) = written(&[(10, 100), (20, 200), (25, 300)]);
        let times = read(&open).expect("an index");
        let asked = [(0, Some(100)), (9, Some(100)), (10, Some(200)), (19, Some(200)), (24, Some(300)), (25, None)];
        for (offset, time) in asked {
            assert_eq!(times.of(offset), time, "{offset}");
        }
        for (time, offset) in [(0, 0), (100, 0), (101, 10), (200, 10), (201, 20), (301, 25)] {
            assert_eq!(times.since(time), offset, "{time}");
        }
    }

    #[test]
    fn the_next_supervisor_writes_on_and_the_next_run_begins_anew() {
        let (_directory, open, _) = written(&[(10, 100)]);
        TimesWriter::new(Stream::Stdout, 7).note(open.as_fd(), 20, 200).expect("written");
        assert_eq!(read(&open).expect("an index").of(15), Some(200));
        TimesWriter::new(Stream::Stdout, 8).note(open.as_fd(), 5, 300).expect("written");
        assert!(read(&open).is_none());
        assert_eq!(Times::read(&open, times_name(Stream::Stdout), 8).expect("an index").of(0), Some(300));
    }

    #[test]
    fn garbage_is_no_index_and_pairs_that_go_backwards_are_left_out() {
        let (directory, open, _) = written(&[(10, 100), (5, 200), (10, 300), (30, 400)]);
        let path = directory.path().join(times_name(Stream::Stdout));
        let times = read(&open).expect("an index");
        assert_eq!((times.of(3), times.of(10), times.of(29)), (Some(100), Some(400), Some(400)));
        let whole = fs::read(&path).expect("it is there");
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).expect("cut");
            assert_eq!(read(&open).is_some(), length >= HEADER, "{length}");
        }
        fs::write(&path, [0xff; 1000]).expect("garbage");
        assert!(read(&open).is_none());
        let mut writer = TimesWriter::new(Stream::Stdout, 7);
        writer.note(open.as_fd(), 1, 1).expect("garbage is replaced");
        assert_eq!(read(&open).expect("an index").of(0), Some(1));
    }

    #[test]
    fn a_full_index_is_thinned_where_it_is_old() {
        let (directory, open, _) = written(&[]);
        let grain = i64::try_from(GRAIN.as_nanos()).expect("small");
        let count = i64::from(MOST);
        let mut bytes = header(7).to_vec();
        bytes.extend((1..=count).flat_map(|n| Mark { length: n.cast_unsigned(), unix_ns: n * grain }.bytes()));
        let path = directory.path().join(times_name(Stream::Stdout));
        fs::write(&path, &bytes).expect("written");
        let mut writer = TimesWriter::new(Stream::Stdout, 7);
        writer.note(open.as_fd(), u64::from(MOST) + 1, (count + 1) * grain).expect("thinned");
        writer.note(open.as_fd(), u64::from(MOST) + 2, (count + 2) * grain).expect("written");
        assert!(fs::metadata(&path).expect("it is there").len() < LONGEST / 3);
        let times = read(&open).expect("an index");
        let now = count * grain;
        for age in [0, 60 * SECOND, 3000 * SECOND, 20_000 * SECOND, 50_000 * SECOND] {
            let then = now - age;
            let told = times.of((then / grain - 1).cast_unsigned()).expect("in the index");
            let late = told - then;
            assert!((0..=age / FINENESS * 2 + grain).contains(&late), "{age} ago: {late} ns late");
        }
    }

    #[test]
    fn a_log_that_was_shortened_has_no_times() {
        let (_directory, open, mut writer) = written(&[(10, 100)]);
        writer.forget(open.as_fd());
        assert!(read(&open).is_none());
        writer.note(open.as_fd(), 3, 400).expect("written");
        assert_eq!(read(&open).expect("an index").of(0), Some(400));
    }
}
