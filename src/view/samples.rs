//! Haps to render in tests: none of them ever ran, and no clock or host of this machine is in them.

use std::path::PathBuf;
use std::time::Duration;

use crate::core::id::Id;
use crate::core::name::Name;
use crate::core::record::{End, Moment, Outcome, Place, ProcessId, Record, Usage, VERSION};
use crate::core::status::{Status, Watch};
use crate::ops::details::Details;
use crate::ops::hap::{Broken, Entry, Hap};
use crate::ops::list::Item;
use crate::view::look::Look;

/// 2025-11-23 07:20:01 UTC.
const STARTED: i64 = 1_763_882_401_123_456_789;

pub(super) fn id(number: u32) -> Id {
    Id::new(number).expect("not zero")
}

pub(super) fn piped() -> Look {
    Look { colour: false, shades: false, boxes: false, width: None }
}

pub(super) fn terminal(width: usize) -> Look {
    Look { colour: false, shades: false, boxes: true, width: Some(width) }
}

pub(super) fn running(number: u32, name: &str) -> Hap {
    let directory = PathBuf::from(format!("/state/haps/{number}"));
    Hap {
        id: id(number),
        record: record(name),
        status: Status::Running,
        runtime: Some(Duration::from_secs(185)),
        leftover: 0,
        watch: Watch::Kept,
        stdout_file: directory.join("stdout.log"),
        stderr_file: directory.join("stderr.log"),
    }
}

pub(super) fn ended(number: u32, name: &str, outcome: Outcome) -> Hap {
    let usage = Some(Usage { user_us: 1_500_000, system_us: 250_000, max_rss_kib: 12_600 });
    let end = End { outcome, unix_ns: STARTED + 2_500_000_000, runtime_ns: 2_500_000_000, survivors: false, usage };
    let mut hap = running(number, name);
    hap.record.end = Some(end);
    (hap.status, hap.runtime) = match outcome {
        Outcome::Lost(loss) => (Status::Lost(loss), None),
        _ => (Status::Ended(end), Some(Duration::from_nanos(end.runtime_ns))),
    };
    hap
}

pub(super) fn broken(number: u32) -> Broken {
    let path = PathBuf::from(format!("/state/haps/{number}/record.json"));
    Broken { id: id(number), path, reason: "it has no command".to_owned() }
}

pub(super) fn whole(hap: Hap) -> Entry {
    Entry::Whole(Box::new(hap))
}

/// One of a list that does not say what its haps take.
pub(super) fn item(entry: Entry) -> Item {
    Item { entry, load: None }
}

pub(super) fn details() -> Details {
    Details {
        workdir: "/home/ada/model".to_owned(),
        parent_pid: Some(4241),
        user: "ada".to_owned(),
        environment: Ok(vec!["PATH=/usr/bin:/bin".to_owned(), "COLOUR=\u{1b}[31m".to_owned()]),
        cpu: Some(Duration::from_millis(1750)),
        peak_rss_kib: Some(12_600),
        log_bytes: 8192,
        runs: Vec::new(),
    }
}

fn record(name: &str) -> Record {
    Record {
        version: VERSION,
        name: Name::new(name).expect("valid name"),
        argv: ["python", "train.py", "--epochs", "90"].map(str::to_owned).to_vec(),
        shell: false,
        workdir: "/home/ada/model".to_owned(),
        merge: false,
        umask: 0o022,
        uid: 1000,
        log_limit: None,
        timestamps: false,
        restarts: 0,
        place: Place { host: "here".to_owned(), boot_id: "boot".to_owned(), pid_namespace: 1 },
        supervisor: ProcessId { pid: 4241, start_ticks: 1, pidfd_inode: None },
        process: ProcessId { pid: 4242, start_ticks: 2, pidfd_inode: None },
        started: Moment { unix_ns: STARTED, boot_ns: 1 },
        adopted: None,
        end: None,
    }
}
