//! What only a closer look at one hap shows.

use std::time::Duration;

use crate::core::record::Usage;
use crate::core::status::Status;
use crate::ops::find::Haps;
use crate::ops::hap::Hap;
use crate::sys::host;
use crate::sys::proc;

/// Everything about a hap that is not in [`Hap`].
#[derive(Clone, Debug)]
pub struct Details {
    /// The working directory.
    pub workdir: String,
    /// Who the command's parent is, while it lives.
    pub parent_pid: Option<i32>,
    /// Who started it.
    pub user: String,
    /// Its environment, or why that cannot be read.
    pub environment: Result<Vec<String>, String>,
    /// CPU time of the command; of its whole tree while it lives.
    pub cpu: Option<Duration>,
    /// Peak memory of the command, KiB.
    pub peak_rss_kib: Option<u64>,
}

/// Looks closer.
pub fn details(haps: &Haps, hap: &Hap) -> Details {
    let directory = haps.state().hap(hap.id);
    let environment = directory.environment().map_err(|flaw| format!("{}: {}", flaw.file, flaw.reason));
    let environment =
        environment.map(|entries| entries.iter().map(|entry| entry.to_string_lossy().into_owned()).collect());
    let (cpu, peak_rss_kib) = usage(haps, hap);
    Details {
        workdir: hap.record.workdir.clone(),
        parent_pid: proc::stat_of(hap.record.process).filter(|_| hap.status.is_active()).map(|stat| stat.parent),
        user: user(hap.record.uid),
        environment,
        cpu,
        peak_rss_kib,
    }
}

/// The name of a user, or the number where there is no name.
pub fn user(uid: u32) -> String {
    host::user_name(uid).unwrap_or_else(|| uid.to_string())
}

fn usage(haps: &Haps, hap: &Hap) -> (Option<Duration>, Option<u64>) {
    match hap.status {
        Status::Ended(end) => match end.usage {
            Some(Usage { user_us, system_us, max_rss_kib }) => {
                (Some(Duration::from_micros(user_us.saturating_add(system_us))), Some(max_rss_kib))
            }
            None => (None, None),
        },
        Status::Running | Status::Paused => {
            let ticks = haps.members(hap).list().iter().map(|stat| stat.cpu_ticks).sum();
            (Some(proc::ticks(ticks)), proc::peak_memory_kib(hap.record.process))
        }
        Status::Unbound | Status::Ending(_) | Status::Lost(_) | Status::Elsewhere => (None, None),
    }
}
