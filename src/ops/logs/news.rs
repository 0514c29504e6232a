//! What a follower sleeps on: the hap's directory (through notify), its processes, and the reader of our
//! own output. On a local file system it has no timer.
//!
//! notify tells on a thread of its own. That a log has grown is all that happens often, so it is dealt with
//! right there; what is written meanwhile comes as one event, however many writes it was. For all else the
//! bell is rung.

use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::ModifyKind;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::core::error::{Error, Result};
use crate::sys::filesystem;
use crate::sys::readiness::{self, Bell, Interest};

/// How often is looked where no events come.
const PERIOD: Duration = Duration::from_secs(1);

/// Open files by number, wherever they were moved to.
const OPEN_FILES: &str = "/proc/self/fd";

/// See the module.
pub(super) struct News {
    bell: Arc<Bell>,
    watcher: Option<RecommendedWatcher>,
    period: Option<Duration>,
}

/// What has happened.
pub(super) struct Woken {
    /// Nobody reads our output any more.
    pub(super) is_abandoned: bool,
    /// Which of the processes have ended.
    pub(super) ended: Vec<bool>,
}

impl News {
    /// Of these logs, and of the directories that they are in. `grown` is called when one of them has
    /// grown; it says whether the sleeper is to be woken all the same.
    pub(super) fn of(logs: Vec<PathBuf>, grown: impl Fn() -> bool + Send + 'static) -> Result<Self> {
        let bell = Arc::new(Bell::new().map_err(Error::system("make an eventfd"))?);
        let mut directories: Vec<PathBuf> = logs.iter().filter_map(|log| Some(log.parent()?.to_owned())).collect();
        directories.dedup();
        let for_notify = Arc::clone(&bell);
        let hear = move |event: notify::Result<notify::Event>| match kind(&event, &logs) {
            Kind::Nothing => {}
            Kind::Growth if !grown() => {}
            Kind::Growth | Kind::More => for_notify.ring(),
        };
        let mut news = Self { bell, watcher: notify::recommended_watcher(hear).ok(), period: None };
        for directory in directories {
            news.watch(&directory);
        }
        Ok(news)
    }

    /// Tells of this path from now on. Where the kernel has no watches left, or changes come from elsewhere,
    /// everything is looked at now and again.
    fn watch(&mut self, path: &Path) {
        let watched = self.watcher.as_mut().map(|watcher| watcher.watch(path, RecursiveMode::NonRecursive));
        let is_told = watched.is_some_and(|watched| watched.is_ok());
        let announces = std::fs::File::open(path).is_ok_and(filesystem::announces_changes);
        if !is_told || !announces {
            self.period = Some(PERIOD);
        }
    }

    /// Tells also of an open file, wherever that is now.
    pub(super) fn watch_open(&mut self, file: RawFd) {
        self.watch(&Path::new(OPEN_FILES).join(file.to_string()));
    }

    /// Sleeps until something else has happened than that a log has grown.
    pub(super) fn wait(&self, processes: &[BorrowedFd<'_>], out: BorrowedFd<'_>) -> Result<Woken> {
        let mut interests = vec![Interest::Abandoned(out), Interest::Readable(self.bell.as_fd())];
        interests.extend(processes.iter().copied().map(Interest::Readable));
        let ready = readiness::wait(&interests, self.period).map_err(Error::system("wait for news"))?;
        self.bell.silence();
        Ok(Woken { is_abandoned: ready[0], ended: ready[2..].to_vec() })
    }
}

enum Kind {
    Nothing,
    Growth,
    More,
}

fn kind(event: &notify::Result<notify::Event>, logs: &[PathBuf]) -> Kind {
    match event {
        // Reading the log ourselves is no news.
        Ok(event) if event.kind.is_access() => Kind::Nothing,
        Ok(notify::Event { kind: EventKind::Modify(ModifyKind::Data(_)), paths, .. }) => {
            let is_ours = |path: &PathBuf| logs.contains(path) || path.starts_with(OPEN_FILES);
            if paths.iter().any(is_ours) { Kind::Growth } else { Kind::Nothing }
        }
        Ok(_) | Err(_) => Kind::More,
    }
}
