//! `logs`: a hap's output, byte for byte, and on as it grows.
//!
//! Following sleeps until the kernel says that something happened in the hap's directory (a write
//! to the log, the record replaced by one with an end) or that the supervisor has ended. What is
//! told is only a hint to look again: the order is always first the status, then the rest of the
//! log, so the last bytes before the end are not missed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use notify::{RecursiveMode, Watcher};

use crate::core::error::{Error, Result};
use crate::ops::find::Haps;
use crate::ops::hap::Hap;
use crate::sys::pidfd::Handle;

/// Which of a hap's streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// What it wrote to stdout, and to stderr where they are merged.
    Stdout,
    /// What it wrote to stderr.
    Stderr,
}

/// What happened to a log while it was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It became shorter: what is in it now is shown from its beginning.
    Truncated,
    /// Another file took its place: that is shown from its beginning.
    Replaced,
}

/// A log that is read from somewhere on.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Opens a stream of a hap at its beginning.
    pub fn open(haps: &Haps, hap: &Hap, stream: Stream) -> Result<Self> {
        let directory = haps.state().hap(hap.id);
        let (path, opened) = match stream {
            Stream::Stderr if !hap.record.merge => (directory.stderr_path(), directory.open_stderr()),
            Stream::Stdout | Stream::Stderr => (directory.stdout_path(), directory.open_stdout()),
        };
        let file = File::from(opened.map_err(Error::file("read", &path))?);
        Ok(Self { path, file })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.len() == 0)
    }

    /// Goes to where the last `lines` lines begin. An unfinished line counts as one.
    pub fn seek_to_last(&mut self, lines: usize) -> Result<()> {
        let start = start_of_last(&mut self.file, lines).map_err(Error::file("read", &self.path))?;
        self.file.seek(SeekFrom::Start(start)).map_err(Error::file("read", &self.path)).map(drop)
    }

    /// Writes all from here to the end of the file.
    pub fn copy_to(&mut self, out: &mut dyn Write) -> Result<()> {
        let mut block = vec![0; 1 << 16];
        loop {
            let length = match self.file.read(&mut block) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::file("read", &self.path)(error)),
            };
            out.write_all(&block[..length]).map_err(Error::Output)?;
        }
        out.flush().map_err(Error::Output)
    }

    /// Looks whether the path still leads to this file, and goes on with what is there now.
    fn follow_path(&mut self, reopened: impl FnOnce() -> Option<File>) -> Option<Event> {
        let open = self.file.metadata().ok()?;
        let position = self.file.stream_position().ok()?;
        if open.len() < position {
            self.file.seek(SeekFrom::Start(0)).ok()?;
            return Some(Event::Truncated);
        }
        let current = self.path.symlink_metadata().ok()?;
        if (current.dev(), current.ino()) == (open.dev(), open.ino()) {
            return None;
        }
        self.file = reopened()?;
        Some(Event::Replaced)
    }
}

/// Writes what there is, then what comes, until the hap has ended and all is written.
pub fn follow(
    haps: &Haps,
    hap: &Hap,
    stream: Stream,
    log: &mut Log,
    out: &mut dyn Write,
    tell: &mut dyn FnMut(Event),
) -> Result<()> {
    let (sender, news) = mpsc::channel();
    let _watcher = watch_directory(log.path(), sender.clone())?;
    let mut guard = None;
    loop {
        let now = haps.again(hap)?;
        log.copy_to(out)?;
        while let Some(event) = log.follow_path(|| Log::open(haps, hap, stream).ok().map(|log| log.file)) {
            tell(event);
            log.copy_to(out)?;
        }
        if !now.status.is_active() {
            return Ok(());
        }
        if guard != Some(now.record.supervisor) {
            guard = Some(now.record.supervisor);
            watch_supervisor(&now, sender.clone());
        }
        sleep_until_news(&news);
    }
}

fn sleep_until_news(news: &Receiver<()>) {
    // The sender lives as long as the loop: this cannot fail.
    let _ = news.recv();
    while news.try_recv().is_ok() {}
}

fn watch_directory(log: &Path, news: Sender<()>) -> Result<notify::RecommendedWatcher> {
    let directory = log.parent().unwrap_or(Path::new("/"));
    let failed = |error: notify::Error| Error::file("watch", directory)(io::Error::other(error));
    let on_event = move |event: notify::Result<notify::Event>| {
        // Reading the log ourselves is no news.
        if !event.is_ok_and(|event| event.kind.is_access()) {
            let _ = news.send(());
        }
    };
    let mut watcher = notify::recommended_watcher(on_event).map_err(failed)?;
    watcher.watch(directory, RecursiveMode::NonRecursive).map_err(failed)?;
    Ok(watcher)
}

/// A supervisor that is killed writes nothing into the directory.
fn watch_supervisor(hap: &Hap, news: Sender<()>) {
    let supervisor = Handle::open(hap.record.supervisor);
    thread::spawn(move || {
        if let Ok(Some(supervisor)) = supervisor {
            let _ = supervisor.wait();
        }
        let _ = news.send(());
    });
}

/// Where the last `lines` lines of a file begin, read backwards from its end.
fn start_of_last(file: &mut (impl Read + Seek), lines: usize) -> io::Result<u64> {
    const BLOCK: u64 = 1 << 16;
    let length = file.seek(SeekFrom::End(0))?;
    let mut newlines_left = lines;
    let mut end = length;
    let mut block = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        block.clear();
        file.by_ref().take(end - start).read_to_end(&mut block)?;
        for (position, _) in block.iter().enumerate().rev().filter(|&(_, &byte)| byte == b'\n') {
            let after = start + position as u64 + 1;
            if after == length && lines > 0 {
                continue;
            }
            if newlines_left <= 1 {
                return Ok(if lines == 0 { length } else { after });
            }
            newlines_left -= 1;
        }
        end = start;
    }
    Ok(if lines == 0 { length } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::start_of_last;
    use std::io::Cursor;

    fn last(text: &str, lines: usize) -> &str {
        let start = start_of_last(&mut Cursor::new(text), lines).expect("reads");
        &text[usize::try_from(start).expect("small")..]
    }

    #[test]
    fn the_last_lines_are_those_that_tail_shows() {
        assert_eq!(last("a\nb\nc\n", 0), "");
        assert_eq!(last("a\nb\nc\n", 1), "c\n");
        assert_eq!(last("a\nb\nc", 1), "c");
        assert_eq!(last("a\nb\nc", 2), "b\nc");
        assert_eq!(last("a\nb\nc\n", 3), "a\nb\nc\n");
        assert_eq!(last("a\nb\nc\n", 9), "a\nb\nc\n");
        assert_eq!(last("\n\n\n", 2), "\n\n");
        assert_eq!(last("", 2), "");
        let long = "x".repeat(200_000) + "\n" + &"y".repeat(100_000);
        assert_eq!(last(&long, 1).len(), 100_000);
        assert_eq!(last(&long, 2).len(), 300_001);
    }
}
