//! Reading and writing `record.json`.
//!
//! A record is replaced as a whole, by renaming another file over it. The end of a command must be
//! recorded even if its own log has filled the disk by then, so the file that will hold the end is
//! written when the hap is made: `record.next` is the record followed by `RESERVE` blanks. The
//! supervisor writes the end over its last brace, syncs and renames it: no new block, no new inode.

use std::fmt::{self, Write as _};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::layout::{RECORD, SPARE_RECORD};
use crate::core::record::{End, ProcessId, Record};
use crate::sys::file::{self, Access};

/// Room for `,"end":{...}}` with all numbers at their longest, and more.
const RESERVE: usize = 512;

/// A record is small; a program's arguments may make it large (`ARG_MAX` is some megabytes).
const LIMIT: usize = 32 << 20;

/// A file of a hap that cannot be what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Which file, relative to the hap's directory.
    pub file: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// The files of a new hap's record and of the spare one for its end, still empty.
pub(super) struct Blank {
    record: OwnedFd,
    spare: OwnedFd,
}

impl Blank {
    /// Makes them, while it is not yet known what the record will say.
    pub(super) fn create(directory: impl AsFd) -> io::Result<Self> {
        let spare = file::create_at(&directory, SPARE_RECORD, &[])?;
        Ok(Self { record: file::create_at(&directory, RECORD, &[])?, spare })
    }

    /// Writes both.
    pub(super) fn fill(&self, record: &Record) -> io::Result<()> {
        let mut json = serde_json::to_vec(record)?;
        file::write_at(&self.spare, &[&json[..], &[b' '; RESERVE]].concat(), 0)?;
        json.push(b'\n');
        file::write_at(&self.record, &json, 0)
    }
}

/// Replaces the record in this directory and the spare one. For who holds the hap's lock.
pub fn replace(directory: impl AsFd, record: &Record) -> io::Result<()> {
    const NEW: &str = "record.new";
    let json = serde_json::to_vec(record)?;
    for (name, padding) in [(SPARE_RECORD, &[b' '; RESERVE][..]), (RECORD, b"\n")] {
        file::remove_at(&directory, NEW)?;
        file::sync(file::create_at(&directory, NEW, &[&json, padding])?)?;
        file::replace_at(&directory, NEW, name)?;
    }
    file::sync(&directory)
}

/// Reads the record in this directory below `base`.
pub(super) fn read(base: impl AsFd, directory: &str) -> Result<Record, Flaw> {
    read_file(base, directory, RECORD)
}

/// The record of the same run that is about to take the place of this one, if it has an end: that is whole
/// before it is on the disk.
pub(super) fn about_to_be_replaced(base: impl AsFd, directory: &str, record: &Record) -> Option<Record> {
    let next = read_file(base, directory, SPARE_RECORD).ok()?;
    let is_same_run = next.process == record.process && next.restarts == record.restarts;
    (is_same_run && next.end.is_some()).then_some(next)
}

fn read_file(base: impl AsFd, directory: &str, file: &'static str) -> Result<Record, Flaw> {
    let flaw = |reason: String| Flaw { file, reason };
    let json = file::read_at(base, &format!("{directory}/{file}"), LIMIT).map_err(|error| flaw(error.to_string()))?;
    Record::from_json(&json).map_err(flaw)
}

/// Whether the spare record in this directory could take the place of the record.
pub(super) fn is_spare_whole(base: impl AsFd, directory: &str) -> bool {
    read_file(base, directory, SPARE_RECORD).is_ok()
}

/// Whether the record in this directory is of a run with this command.
pub fn is_record_of(directory: impl AsFd, command: ProcessId) -> bool {
    read(directory, ".").is_ok_and(|record| record.process == command)
}

/// Adds the end to the record in this directory and makes it last through a power cut. For who holds the
/// hap's lock. Whoever asks finds it with the first step, see [`about_to_be_replaced`]: a disk may take long to sync.
/// Allocates nothing.
pub fn seal(directory: impl AsFd, end: &End) -> io::Result<()> {
    let mut text = Line::<RESERVE>::new();
    writeln!(text, r#","end":{end}}}"#).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let spare = open_spare(&directory).or_else(|_| copy_to_spare(&directory))?;
    let (file, brace) = spare;
    file::write_at(&file, text.bytes(), brace)?;
    // A disk that cannot sync (its error comes with the next power cut at the latest) still has
    // the end in memory for everybody who asks until then.
    let synced = file::sync(&file);
    file::replace_at(&directory, SPARE_RECORD, RECORD)?;
    synced.and_then(|()| file::sync(&directory))
}

/// The prepared file, and where its last brace is.
fn open_spare(directory: impl AsFd) -> io::Result<(OwnedFd, u64)> {
    let (file, length) = file::open_with_length(&directory, SPARE_RECORD, Access::Change)?;
    let brace = length.checked_sub(RESERVE as u64 + 1).ok_or(io::ErrorKind::InvalidData)?;
    let mut byte = [0; 1];
    let mut first = [0; 1];
    rustix::io::pread(&file, &mut byte, brace)?;
    rustix::io::pread(&file, &mut first, 0)?;
    if (first, byte) == (*b"{", *b"}") { Ok((file, brace)) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// Somebody took the prepared file away: makes another one from the record.
fn copy_to_spare(directory: impl AsFd) -> io::Result<(OwnedFd, u64)> {
    let record = file::open_at(&directory, RECORD, Access::Read)?;
    file::remove_at(&directory, SPARE_RECORD)?;
    let spare = file::create_at(&directory, SPARE_RECORD, &[])?;
    let mut offset = 0;
    let mut brace = None;
    let mut block = [0; 1024];
    loop {
        let length = rustix::io::pread(&record, &mut block, offset)?;
        if length == 0 {
            return brace.map(|brace| (spare, brace)).ok_or_else(|| io::ErrorKind::InvalidData.into());
        }
        file::write_at(&spare, &block[..length], offset)?;
        if let Some(position) = block[..length].iter().rposition(|&byte| byte == b'}') {
            brace = Some(offset + position as u64);
        }
        offset += length as u64;
    }
}

/// Text of limited length on the stack.
struct Line<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Line<N> {
    fn new() -> Self {
        Self { bytes: [0; N], length: 0 }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl<const N: usize> fmt::Write for Line<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
