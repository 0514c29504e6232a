//! The end of a log, for somebody who looks at it while it grows.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::core::stream::Stream;
use crate::ops::find::Haps;
use crate::ops::hap::Hap;

/// So much of its end is read: more than any screen shows.
const LENGTH: u64 = 64 << 10;

/// The end of one of a hap's logs, byte for byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// The last bytes.
    pub bytes: Vec<u8>,
    /// There is more before them: they may begin within a line.
    pub is_cut: bool,
}

/// Reads it.
pub fn tail(haps: &Haps, hap: &Hap, stream: Stream) -> io::Result<Tail> {
    let directory = haps.state().hap(hap.id);
    let opened = match stream {
        Stream::Stderr if !hap.record.merge => directory.open_stderr(),
        Stream::Stdout | Stream::Stderr => directory.open_stdout(),
    };
    let mut file = File::from(opened?);
    let start = file.metadata()?.len().saturating_sub(LENGTH);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    // A log that grows faster than it is read has no end.
    file.take(LENGTH).read_to_end(&mut bytes)?;
    Ok(Tail { bytes, is_cut: start > 0 })
}
