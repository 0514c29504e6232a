//! A log as it is, up to where it ends now: at the speed of the kernel.

use std::os::fd::BorrowedFd;

use super::Log;
use super::lines::{Lines, Voice};
use super::reading::{Block, Look};
use crate::core::error::{Error, Result};
use crate::store::Times;
use crate::sys::output;
use crate::sys::transfer::{Failure, transfer};

impl Log {
    /// Writes all from here to the end that the file has now; what comes later is not waited for. Returns
    /// how many bytes were freed before they could be read.
    pub fn copy_to(&mut self, out: BorrowedFd<'_>) -> Result<u64> {
        let end = self.length()?;
        if self.is_limited {
            return self.copy_checked(end, out);
        }
        transfer(self.fd(), self.position, end, out).map_err(|failure| match failure {
            Failure::Read(error) => Error::file("read", &self.path)(error),
            Failure::Write(error) => Error::Output(error),
        })?;
        self.position = self.position.max(end);
        Ok(0)
    }

    /// The same line by line, where marks or times are wanted.
    pub fn say_to(&mut self, lines: &mut Lines, voice: Voice, times: &Times) -> Result<u64> {
        let (end, of) = (self.length()?, |offset| times.of(offset));
        let mut block = Block::new();
        let mut dropped = 0;
        while self.position < end {
            let offset = self.position;
            match self.read_on(&mut block)? {
                Look::Nothing | Look::Truncated => break,
                Look::Dropped(bytes) => dropped += bytes,
                Look::Bytes(bytes) => lines.say(voice, bytes, offset, &of)?,
            }
        }
        lines.finish(voice, &of)?;
        Ok(dropped)
    }

    /// The same of a log whose beginning may be freed meanwhile: each block is looked at once it is read.
    fn copy_checked(&mut self, end: u64, out: BorrowedFd<'_>) -> Result<u64> {
        let mut block = Block::new();
        let mut dropped = 0;
        while self.position < end {
            match self.read_on(&mut block)? {
                Look::Nothing | Look::Truncated => break,
                Look::Dropped(bytes) => dropped += bytes,
                Look::Bytes(bytes) => output::write_all(out, bytes).map_err(Error::Output)?,
            }
        }
        Ok(dropped)
    }
}
