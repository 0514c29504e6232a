//! What a follower sleeps on: the hap's directory (through notify), its processes, and the reader of our
//! own output. On a local file system it has no timer.
//!
//! notify tells on a thread of its own. It is held up at a gate while the logs are read: what is written
//! meanwhile comes as one event, however many writes it was.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    chime: Arc<Chime>,
    watcher: Option<RecommendedWatcher>,
    period: Option<Duration>,
}

/// Between notify's thread and ours.
struct Chime {
    bell: Bell,
    gate: Mutex<()>,
    /// Something else has happened than that a log has grown.
    is_more: AtomicBool,
    logs: Vec<PathBuf>,
}

/// What has happened.
pub(super) struct Woken {
    /// Something else than that a log has grown, perhaps.
    pub(super) is_more: bool,
    /// Nobody reads our output any more.
    pub(super) is_abandoned: bool,
    /// Which of the processes have ended.
    pub(super) ended: Vec<bool>,
}

impl News {
    /// Of these logs, and of the directories that they are in.
    pub(super) fn of(logs: Vec<PathBuf>) -> Result<Self> {
        let bell = Bell::new().map_err(Error::system("make an eventfd"))?;
        let mut directories: Vec<PathBuf> = logs.iter().filter_map(|log| Some(log.parent()?.to_owned())).collect();
        directories.dedup();
        let chime = Arc::new(Chime { bell, gate: Mutex::new(()), is_more: AtomicBool::new(false), logs });
        let for_notify = Arc::clone(&chime);
        let watcher = notify::recommended_watcher(move |event| for_notify.hear(&event)).ok();
        let mut news = Self { chime, watcher, period: None };
        for directory in directories {
            news.watch(&directory);
        }
        Ok(news)
    }

    /// Tells of this directory from now on. Where the kernel has no watches left, or changes come from
    /// elsewhere, it is looked at now and again.
    fn watch(&mut self, path: &Path) {
        let watched = self.watcher.as_mut().map(|watcher| watcher.watch(path, RecursiveMode::NonRecursive));
        let is_told = watched.is_some_and(|watched| watched.is_ok());
        let announces = std::fs::File::open(path).is_ok_and(filesystem::announces_changes);
        if !is_told || !announces {
            self.period = Some(PERIOD);
        }
    }

    /// Tells also of an open file, wherever that is now.
    pub(super) fn watch_open(&mut self, file: BorrowedFd<'_>) {
        self.watch(&Path::new(OPEN_FILES).join(file.as_raw_fd().to_string()));
    }

    /// While this is held, nothing is told.
    pub(super) fn hold(&self) -> MutexGuard<'_, ()> {
        self.chime.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until something has happened.
    pub(super) fn wait(&self, processes: &[BorrowedFd<'_>], out: BorrowedFd<'_>) -> Result<Woken> {
        let mut interests = vec![Interest::Abandoned(out), Interest::Readable(self.chime.bell.as_fd())];
        interests.extend(processes.iter().copied().map(Interest::Readable));
        let ready = readiness::wait(&interests, self.period).map_err(Error::system("wait for news"))?;
        self.chime.bell.silence();
        let is_more = self.chime.is_more.swap(false, Ordering::Relaxed);
        let ended = ready[2..].to_vec();
        let is_time = !ready.contains(&true);
        Ok(Woken { is_more: is_more || is_time || ended.contains(&true), is_abandoned: ready[0], ended })
    }
}

impl Chime {
    fn hear(&self, event: &notify::Result<notify::Event>) {
        let is_more = match event {
            // Reading the log ourselves is no news.
            Ok(event) if event.kind.is_access() => return,
            Ok(notify::Event { kind: EventKind::Modify(ModifyKind::Data(_)), paths, .. }) => {
                if !paths.iter().any(|path| self.logs.contains(path) || path.starts_with(OPEN_FILES)) {
                    return;
                }
                false
            }
            Ok(_) | Err(_) => true,
        };
        if is_more {
            self.is_more.store(true, Ordering::Relaxed);
        }
        drop(self.gate.lock());
        self.bell.ring();
    }
}
