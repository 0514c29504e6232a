//! How single facts of a hap are put into words, the same in a table, a panel and JSON.
//!
//! Must not lay anything out. Invariant: a fact that nobody knows is `None`, never a made-up value.

use std::io;

use crate::core::record::{Loss, Outcome, Record};
use crate::core::status::Status;
use crate::ops::hap::Hap;

/// The name; from the first restart on with the number of the run: `train@2`.
pub(super) fn name(record: &Record) -> String {
    match record.restarts {
        0 => record.name.to_string(),
        restarts => format!("{}@{}", record.name, u64::from(restarts) + 1),
    }
}

/// That it was running before it became a hap, and with whom.
pub(super) fn adopted(hap: &Hap) -> Option<String> {
    match hap.record.adopted.as_ref()?.others.len() {
        0 => Some("it was running already".to_owned()),
        count => Some(format!("it was running already, with {} more of its job", processes(count))),
    }
}

/// The pid, while it belongs to the command.
pub(super) fn live_pid(hap: &Hap) -> Option<i32> {
    hap.status.is_active().then_some(hap.record.process.pid)
}

/// The return code; with the signal's name if one ended it: `-15 SIGTERM`.
pub(super) fn code(status: Status) -> Option<String> {
    let outcome = status.outcome()?;
    let code = outcome.return_code()?;
    Some(match outcome.signal() {
        Some(signal) => format!("{code} {signal}"),
        None => code.to_string(),
    })
}

/// When it ended, in nanoseconds since 1970-01-01 UTC. What a record says of a lost one is only when
/// somebody noticed.
pub(super) fn end(hap: &Hap) -> Option<i64> {
    end_of(hap.status)
}

/// The same of a status alone.
pub(super) fn end_of(status: Status) -> Option<i64> {
    match status {
        Status::Ended(end) => Some(end.unix_ns),
        Status::Unbound
        | Status::Running
        | Status::Paused
        | Status::Ending(_)
        | Status::Lost(_)
        | Status::Elsewhere => None,
    }
}

/// What a status alone does not explain.
pub(super) fn reason(hap: &Hap) -> Option<String> {
    match hap.status {
        Status::Lost(loss) | Status::Ending(Outcome::Lost(loss)) => Some(loss_reason(loss, hap).to_owned()),
        Status::Elsewhere => Some(format!(
            "it belongs to another machine or container ({}), which alone can tell",
            hap.record.place.host
        )),
        Status::Ended(end) => unstarted_reason(end.outcome),
        Status::Ending(outcome) => unstarted_reason(outcome),
        Status::Unbound | Status::Running | Status::Paused => None,
    }
}

fn loss_reason(loss: Loss, hap: &Hap) -> &'static str {
    match loss {
        Loss::Unreadable if hap.record.adopted.is_some() => {
            "hap has not started it, and this kernel (before Linux 6.15) tells only its parent how it ended"
        }
        Loss::Rebooted => "the machine went down while it ran, so nobody saw its end",
        Loss::Unwatched => "it and its supervisor were gone before anyone could see its end",
        Loss::Unreadable => "its supervisor was killed, and this kernel tells nobody else how it ended",
    }
}

fn unstarted_reason(outcome: Outcome) -> Option<String> {
    match outcome {
        Outcome::NotStarted(errno) => {
            Some(format!("it could not be executed: {}", io::Error::from_raw_os_error(errno)))
        }
        Outcome::Exited(_) | Outcome::Signaled(_) | Outcome::Lost(_) => None,
    }
}

/// `1 process`, `2 processes`.
pub(super) fn processes(count: usize) -> String {
    if count == 1 { "1 process".to_owned() } else { format!("{count} processes") }
}

/// `1 hap`, `2 haps`.
pub(super) fn haps(count: usize) -> String {
    if count == 1 { "1 hap".to_owned() } else { format!("{count} haps") }
}

#[cfg(test)]
mod tests {
    use super::{code, end, live_pid, name, reason};
    use crate::core::record::{Loss, Outcome};
    use crate::core::status::Status;
    use crate::view::samples::{ended, running};

    #[test]
    fn a_restarted_hap_carries_the_number_of_its_run() {
        let mut hap = running(1, "train");
        assert_eq!(name(&hap.record), "train");
        hap.record.restarts = 1;
        assert_eq!(name(&hap.record), "train@2");
        hap.record.restarts = u32::MAX;
        assert_eq!(name(&hap.record), "train@4294967296");
    }

    #[test]
    fn a_pid_is_shown_only_while_it_is_the_commands() {
        assert_eq!(live_pid(&running(1, "train")), Some(4242));
        assert_eq!(live_pid(&ended(1, "train", Outcome::Exited(0))), None);
    }

    #[test]
    fn only_an_end_that_was_seen_has_a_time() {
        assert_eq!(end(&running(1, "train")), None);
        assert!(end(&ended(1, "train", Outcome::Exited(0))).is_some());
        assert_eq!(end(&ended(1, "train", Outcome::Lost(Loss::Unwatched))), None);
    }

    #[test]
    fn a_signal_stands_beside_its_code() {
        let of = |outcome| code(ended(1, "train", outcome).status);
        assert_eq!(of(Outcome::Exited(0)).as_deref(), Some("0"));
        assert_eq!(of(Outcome::Exited(255)).as_deref(), Some("255"));
        assert_eq!(of(Outcome::Signaled(15)).as_deref(), Some("-15 SIGTERM"));
        assert_eq!(of(Outcome::NotStarted(2)), None);
        assert_eq!(of(Outcome::Lost(Loss::Rebooted)), None);
        assert_eq!(code(running(1, "train").status), None);
    }

    #[test]
    fn what_needs_a_reason_has_one() {
        let of = |status| {
            let mut hap = running(1, "train");
            hap.status = status;
            reason(&hap)
        };
        assert_eq!(of(Status::Running), None);
        let losses = [Loss::Rebooted, Loss::Unwatched, Loss::Unreadable];
        assert!(losses.iter().all(|&loss| of(Status::Lost(loss)).is_some()));
        assert_eq!(
            of(Status::Elsewhere).as_deref(),
            Some("it belongs to another machine or container (here), which alone can tell")
        );
        let unstarted = of(Status::Ending(Outcome::NotStarted(2))).expect("has a reason");
        assert!(unstarted.starts_with("it could not be executed: No such file"), "{unstarted}");
        assert_eq!(reason(&ended(1, "train", Outcome::Exited(1))), None);
    }
}
