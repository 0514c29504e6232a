//! What a hap takes of the machine: CPU time, memory, room on the disk.
//!
//! Must be asked for: it reads `/proc` for each process of a tree, which a plain list does not.

use std::time::Duration;

use crate::core::record::Usage;
use crate::core::status::Status;
use crate::ops::find::Haps;
use crate::ops::hap::{Entry, Hap};
use crate::sys::proc::{self, Stat};

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// CPU time since it started: of its whole tree while it lives, of the command once that has ended.
    pub cpu: Option<Duration>,
    /// What its tree has in memory now, bytes. What processes share counts for each of them.
    pub memory: Option<u64>,
    /// What its logs take on the disk, bytes.
    pub logs: u64,
}

/// What this one takes.
pub fn load(haps: &Haps, entry: &Entry) -> Load {
    let logs = haps.state().hap(entry.id()).log_room();
    let (cpu, memory) = match entry {
        Entry::Whole(hap) => cpu_and_memory(haps, hap),
        Entry::Broken(_) => (None, None),
    };
    Load { cpu, memory, logs }
}

fn cpu_and_memory(haps: &Haps, hap: &Hap) -> (Option<Duration>, Option<u64>) {
    match hap.status {
        Status::Running | Status::Paused => {
            let members = haps.members(hap).list();
            let memory = members.iter().map(Stat::resident_bytes).fold(0, u64::saturating_add);
            (Some(cpu_of(hap, &members)), Some(memory))
        }
        Status::Ended(end) => (end.usage.map(total), None),
        Status::Unbound | Status::Ending(_) | Status::Lost(_) | Status::Elsewhere => (None, None),
    }
}

/// The CPU time of all that a hap ever had running, by whose parent it was waited for: only what was
/// not yet fetched, or by nobody, is missing. So it never goes back while a build starts and ends compilers.
pub fn cpu_of(hap: &Hap, members: &[Stat]) -> Duration {
    // Orphans come to the supervisor, which fetches them.
    let fetched = proc::stat_of(hap.record.supervisor).map_or(0, |supervisor| supervisor.children_ticks);
    let ticks = members.iter().map(|stat| stat.cpu_ticks.saturating_add(stat.children_ticks));
    proc::ticks(ticks.fold(fetched, u64::saturating_add))
}

fn total(usage: Usage) -> Duration {
    Duration::from_micros(usage.user_us.saturating_add(usage.system_us))
}
