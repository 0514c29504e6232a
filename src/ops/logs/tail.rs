//! Where to begin: at the last lines, at the first line that is still there, at a moment.
//!
//! A file is read backwards from its end, so its length does not matter, and where it has holes there
//! are no line ends to look for.

use super::Log;
use crate::core::error::{Error, Result};
use crate::sys::hole;

const BLOCK: u64 = 1 << 16;

impl Log {
    /// Goes to the first line that is still there. Returns how many bytes before it are not.
    pub fn seek_to_first(&mut self) -> Result<u64> {
        if !self.is_limited {
            return Ok(0);
        }
        let freed = self.freed()?;
        let start = if freed.is_empty() { 0 } else { self.start_of_line_from(freed.end)? };
        self.go_to(start);
        Ok(start)
    }

    /// Goes to where the last `lines` lines begin, but not back. An unfinished line counts as one.
    pub fn seek_to_last(&mut self, lines: usize) -> Result<()> {
        let length = self.length()?;
        let start = self.start_of_last(lines, self.position.min(length)..length)?;
        self.go_to(start);
        Ok(())
    }

    /// Goes to the line to which the byte at this place belongs, but not back.
    pub fn seek_to_line_at(&mut self, offset: u64) -> Result<()> {
        let length = self.length()?;
        if offset > self.position && offset <= length {
            // One more, since the byte before it may be a line end: then the line begins here.
            let before = self.start_of_last(1, self.position..offset)?;
            let is_start = self.byte_at(offset - 1)? == Some(b'\n');
            self.go_to(if is_start { offset } else { before });
        } else if offset > length {
            self.go_to(length);
        }
        Ok(())
    }

    /// Where the first line begins after this place, if a line has its end there; else this place.
    pub(super) fn start_of_line_from(&self, place: u64) -> Result<u64> {
        let mut block = vec![0; usize::try_from(BLOCK).unwrap_or(usize::MAX)];
        let length = self.read(&mut block, place)?;
        let end = block[..length].iter().position(|&byte| byte == b'\n');
        Ok(end.map_or(place, |end| place + end as u64 + 1))
    }

    fn byte_at(&self, offset: u64) -> Result<Option<u8>> {
        let mut byte = [0];
        Ok((self.read(&mut byte, offset)? == 1).then_some(byte[0]))
    }

    /// Where the last lines of a part of the file begin.
    fn start_of_last(&self, lines: usize, part: std::ops::Range<u64>) -> Result<u64> {
        if lines == 0 {
            return Ok(part.end);
        }
        let mut left = lines;
        let mut end = part.end;
        let mut block = vec![0; usize::try_from(BLOCK).unwrap_or(usize::MAX)];
        while end > part.start {
            let start = end.saturating_sub(BLOCK).max(part.start);
            let data = self.end_of_data_in(part.start, start..end)?;
            if data < end {
                end = data;
                continue;
            }
            let room = usize::try_from(end - start).unwrap_or(0);
            let length = self.read(&mut block[..room], start)?;
            let ends = block[..length].iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
            for after in ends.map(|(position, _)| start + position as u64 + 1).filter(|&after| after < part.end) {
                left -= 1;
                if left == 0 {
                    return Ok(after);
                }
            }
            end = start;
        }
        Ok(part.start)
    }

    /// The end of this range, if there are data in it; else where the data before it end, but not before
    /// `floor`. Ever longer stretches are asked for, since lseek(2) looks forwards alone.
    fn end_of_data_in(&self, floor: u64, range: std::ops::Range<u64>) -> Result<u64> {
        let (mut start, end) = (range.start, range.end);
        if self.data_from(start)? < end {
            return Ok(end);
        }
        let mut step = BLOCK;
        while start > floor {
            let hole = start;
            step *= 2;
            start = start.saturating_sub(step).max(floor);
            if self.data_from(start)? < hole {
                return self.last_end_of_data(start, hole);
            }
        }
        Ok(floor)
    }

    /// Where the last data end that begin between here and a hole.
    fn last_end_of_data(&self, from: u64, hole: u64) -> Result<u64> {
        let mut end = hole;
        let mut data = self.data_from(from)?;
        while data < hole {
            let found = hole::hole_from(self.fd(), data).map_err(Error::file("read", &self.path))?;
            end = found.unwrap_or(hole).min(hole);
            data = self.data_from(end)?;
        }
        Ok(end)
    }

    fn data_from(&self, offset: u64) -> Result<u64> {
        let found = hole::data_from(self.fd(), offset).map_err(Error::file("read", &self.path))?;
        Ok(found.unwrap_or(u64::MAX))
    }
}
