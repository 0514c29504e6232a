//! What only a closer look at one hap shows.

use std::time::Duration;

use crate::core::record::{Moment, Record, Usage};
use crate::core::status::{Facts, Origin, Presence, Status};
use crate::ops::find::Haps;
use crate::ops::hap::Hap;
use crate::ops::load;
use crate::store::HapDir;
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
    /// What its logs take on the disk, bytes.
    pub log_bytes: u64,
    /// The runs before the last restart, the first one first.
    pub runs: Vec<EarlierRun>,
}

/// A run that a restart has replaced.
#[derive(Clone, Debug)]
pub struct EarlierRun {
    /// Counted from 1.
    pub number: u32,
    /// How it ended.
    pub status: Status,
    /// When it was started.
    pub started: Moment,
    /// How long it ran; `None` where nobody can know.
    pub runtime: Option<Duration>,
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
        log_bytes: directory.log_room(),
        runs: earlier_runs(directory, hap.record.restarts),
    }
}

/// Those whose record can be read: the others are not what anybody asked about.
fn earlier_runs(directory: HapDir<'_>, count: u32) -> Vec<EarlierRun> {
    let numbers = directory.runs().into_iter().filter(|&number| number <= count);
    numbers.filter_map(|number| earlier_run(number, &directory.record_of_run(number).ok()?)).collect()
}

fn earlier_run(number: u32, record: &Record) -> Option<EarlierRun> {
    let end = record.end?;
    let facts = Facts { end: Some(end), origin: Origin::Here, command: Presence::Gone, supervisor: Presence::Gone };
    let status = facts.status();
    let runtime = matches!(status, Status::Ended(_)).then(|| Duration::from_nanos(end.runtime_ns));
    Some(EarlierRun { number, status, started: record.started, runtime })
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
            (Some(load::cpu_of(hap, &haps.members(hap).list())), proc::peak_memory_kib(hap.record.process))
        }
        Status::Unbound | Status::Ending(_) | Status::Lost(_) | Status::Elsewhere => (None, None),
    }
}
