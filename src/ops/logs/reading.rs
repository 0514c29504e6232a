//! Reading a log on from where it was read to, whatever happens to the file meanwhile.
//!
//! With every block its last bytes are kept. The next read begins with those: if they are no longer
//! there, the file was truncated in between, even if it has grown beyond its old length again.

use std::ops::Range;

use super::Log;
use crate::core::error::{Error, Result};
use crate::sys::hole;
use crate::sys::transfer::read_at;

/// So many bytes are compared. A log in which they come again by chance, at the same place after a
/// truncation, is read on as if nothing had happened.
const KEPT: usize = 64;

/// Room for one read, and for the bytes that are compared.
const ROOM: usize = (128 << 10) + KEPT;

/// The last bytes that were read.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(Vec<u8>);

/// Where a log is read to.
pub(super) struct Block(Box<[u8]>);

/// What is found where a log was read to.
pub(super) enum Look<'a> {
    /// It goes on like this.
    Bytes(&'a [u8]),
    /// Nothing more, for now.
    Nothing,
    /// It was truncated: it will be read from its beginning.
    Truncated,
    /// So many bytes were freed before they were read: it will be read from the first line after them.
    Dropped(u64),
}

impl Block {
    pub(super) fn new() -> Self {
        Self(vec![0; ROOM].into())
    }
}

impl Seen {
    /// Whether they still stand at the beginning of what was read. Where they were freed there are zeros.
    fn stand_in(&self, read: &[u8]) -> bool {
        let Some(read) = read.get(..self.0.len()) else { return false };
        let freed = read.iter().take_while(|&&byte| byte == 0).count();
        read[freed..] == self.0[freed..]
    }

    fn keep(&mut self, read: &[u8]) {
        self.0.clear();
        self.0.extend_from_slice(&read[read.len().saturating_sub(KEPT)..]);
    }
}

impl Log {
    /// Reads the next bytes.
    pub(super) fn read_on<'a>(&mut self, block: &'a mut Block) -> Result<Look<'a>> {
        let known = self.seen.0.len();
        let length = self.read(&mut block.0, self.position - known as u64)?;
        if !self.seen.stand_in(&block.0[..length]) {
            self.go_to(0);
            return Ok(Look::Truncated);
        }
        if length == known {
            return Ok(Look::Nothing);
        }
        if self.is_limited
            && let Some(freed) = self.freed_from_here()?
        {
            return Ok(Look::Dropped(freed));
        }
        self.seen.keep(&block.0[..length]);
        self.position += (length - known) as u64;
        Ok(Look::Bytes(&block.0[known..length]))
    }

    pub(super) fn read(&self, room: &mut [u8], offset: u64) -> Result<usize> {
        read_at(self.fd(), room, offset).map_err(Error::file("read", &self.path))
    }

    /// Goes to another place, to be read on from there.
    pub(super) fn go_to(&mut self, position: u64) {
        let length = KEPT.min(usize::try_from(position).unwrap_or(KEPT));
        let mut before = vec![0; length];
        let known = self.read(&mut before, position - length as u64);
        let is_whole = known.is_ok_and(|known| known == length);
        self.position = position;
        self.seen = Seen(if is_whole { before } else { Vec::new() });
    }

    /// Goes on behind what was freed, if that reaches beyond here: by so many bytes. The kernel says so only
    /// after the freeing is complete, so it is asked after the reading.
    fn freed_from_here(&mut self) -> Result<Option<u64>> {
        let before = self.position;
        let freed = self.freed()?;
        if freed.end <= before {
            return Ok(None);
        }
        self.go_to(self.start_of_line_from(freed.end)?);
        Ok(Some(self.position - before))
    }

    /// What is freed of a log with a limit: its beginning.
    pub(super) fn freed(&self) -> Result<Range<u64>> {
        let first = hole::data_from(self.fd(), 0).map_err(Error::file("read", &self.path))?;
        Ok(0..first.map_or_else(|| self.length(), Ok)?)
    }
}
