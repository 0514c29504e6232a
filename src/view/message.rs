//! The sentences with which verbs say what they did, and how an error reads.
//!
//! Must not decide whether something is said, nor where. Invariant: each ends with a newline and
//! shows nothing raw that a user or the system chose.

use std::path::Path;
use std::time::Duration;

use super::doctor;
use super::look::{ERROR, HINT, Look, WARNING};
use super::sanitize::visible;
use super::wording::{self, haps, processes};
use crate::core::duration;
use crate::core::error::Error;
use crate::core::id::Id;
use crate::core::logout::Fate;
use crate::core::name::Name;
use crate::core::record::Record;
use crate::core::signal::Signal;
use crate::core::size;
use crate::core::status::Kind;
use crate::core::stream::Stream;
use crate::ops::clean::Cleaned;
use crate::ops::hap::Hap;
use crate::ops::logs::Told;

/// `run` started a command.
pub fn started(id: Id, name: &Name, pid: i32) -> String {
    line(&format!("Started hap {id} ({name}), pid {pid}"))
}

/// `adopt` made a hap of it.
pub fn adopted(id: Id, record: &Record) -> String {
    let others = record.adopted.as_ref().map_or(0, |adopted| adopted.others.len());
    let others = match others {
        0 => String::new(),
        count => format!(", with {} more of its job", processes(count)),
    };
    line(&format!("Adopted hap {id} ({}), pid {}{others}", record.name, record.process.pid))
}

/// `restart` started it again: this is its record now.
pub fn restarted(id: Id, record: &Record) -> String {
    line(&format!("Restarted hap {id} ({}), pid {}", wording::name(record), record.process.pid))
}

/// `run --check` saw it run for so long.
pub fn healthy(hap: &Hap, watched: Duration) -> String {
    line(&format!("Hap {} is healthy: still running after {}", hap.title(), duration::short(watched)))
}

/// `run --check` saw it end well.
pub fn finished(hap: &Hap) -> String {
    line(&format!("Hap {} has finished successfully", hap.title()))
}

/// `run --check` saw it end badly.
pub fn unhealthy(hap: &Hap) -> String {
    line(&format!("Hap {} has not stayed healthy: {}", hap.title(), how_it_ended(hap)))
}

/// `wait` saw it end.
pub fn ended(hap: &Hap) -> String {
    line(&format!("Hap {}: {}", hap.title(), how_it_ended(hap)))
}

/// `failed, code -15 SIGTERM, after 2.5s`.
fn how_it_ended(hap: &Hap) -> String {
    let code = wording::code(hap.status).map(|code| format!(", code {code}")).unwrap_or_default();
    let runtime = hap.runtime.map(|runtime| format!(", after {}", duration::short(runtime))).unwrap_or_default();
    let reason = wording::reason(hap).map(|reason| format!(", {reason}")).unwrap_or_default();
    format!("{}{code}{runtime}{reason}", hap.status.kind().word())
}

/// `run --check` on a terminal: so long it goes on looking.
pub fn watching(hap: &Hap, left: Duration) -> String {
    visible(&format!("Watching hap {}: {} left", hap.title(), duration::short(left))).into_owned()
}

/// `rename` gave it another name.
pub fn renamed(hap: &Hap, name: &Name) -> String {
    line(&format!("Renamed hap {} to {name}", hap.title()))
}

/// `pause` stopped all of it.
pub fn paused(hap: &Hap) -> String {
    line(&format!("Paused hap {}", hap.title()))
}

/// `resume` continued all of it.
pub fn resumed(hap: &Hap) -> String {
    line(&format!("Resumed hap {}", hap.title()))
}

/// `signal` sent it.
pub fn signalled(hap: &Hap, signal: Signal) -> String {
    line(&format!("Sent {signal} to hap {}", hap.title()))
}

/// `kill` killed so many processes.
pub fn killed(hap: &Hap, count: usize) -> String {
    match count {
        0 | 1 => line(&format!("Killed hap {}", hap.title())),
        _ => line(&format!("Killed hap {}: {}", hap.title(), processes(count))),
    }
}

/// `stop` ended it, for which so many processes had to be killed.
pub fn stopped(hap: &Hap, forced: usize) -> String {
    match forced {
        0 => line(&format!("Stopped hap {}", hap.title())),
        _ => line(&format!("Stopped hap {}; {} had to be killed", hap.title(), processes(forced))),
    }
}

/// A verb with `--all` found nobody: none is what this word says.
pub fn nothing(word: &str) -> String {
    line(&format!("No hap is {word}"))
}

/// `clean` removed what was over.
pub fn cleaned(cleaned: &Cleaned) -> String {
    let removed = match cleaned.removed.len() {
        0 => "Nothing to clean".to_owned(),
        count => format!("Removed {}", haps(count)),
    };
    let failed = names_of(cleaned, Kind::Failed, ["had failed", "had failed"]);
    let lost = names_of(cleaned, Kind::Lost, ["was lost", "were lost"]);
    line(&(removed + &failed + &lost)) + &left_over(cleaned.leftover) + &left_elsewhere(cleaned.elsewhere)
}

fn names_of(cleaned: &Cleaned, kind: Kind, [of_one, of_more]: [&str; 2]) -> String {
    let of_kind = cleaned.removed.iter().filter(|removed| removed.kind == kind);
    let names: Vec<&str> = of_kind.map(|removed| removed.name.as_str()).collect();
    match names.len() {
        0 => String::new(),
        1 => format!("; 1 {of_one}: {}", names[0]),
        count => format!("; {count} {of_more}: {}", names.join(", ")),
    }
}

fn left_over(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => line("1 hap has ended but left live processes: it stays until `hap kill` ends those"),
        _ => line(&format!("{count} haps have ended but left live processes: they stay until `hap kill` ends those")),
    }
}

fn left_elsewhere(count: usize) -> String {
    const WAY: &str = "`hap clean --elsewhere` removes what nobody there watches over";
    match count {
        0 => String::new(),
        1 => line(&format!("1 hap of another machine or container stays: {WAY}")),
        _ => line(&format!("{count} haps of other machines or containers stay: {WAY}")),
    }
}

/// Below a live list, of which so many lines have no room.
pub fn watching_list(hidden: usize) -> String {
    match hidden {
        0 => "q quits".to_owned(),
        1 => "1 more line has no room here; q quits".to_owned(),
        _ => format!("{hidden} more lines have no room here; q quits"),
    }
}

/// `logs` shows a log in which nothing is.
pub fn no_output_yet(hap: &Hap, log: &Path) -> String {
    let yet = if hap.status.is_active() { "no output yet" } else { "no output" };
    line(&format!("Hap {}: {yet} in {}", hap.title(), log.display()))
}

/// `logs` shows an empty log of a command that has written something to this one.
pub fn there_is_the_other_log(hap: &Hap, other: Stream) -> String {
    let (name, verb) = match other {
        Stream::Stdout => ("stdout", "logs"),
        Stream::Stderr => ("stderr", "errors"),
    };
    line(&format!("It has written to its {name}: `hap {verb} {}` shows that", hap.id))
}

/// `logs` shows an empty log of a command that may have written something, but not to the log.
pub fn may_be_buffered() -> String {
    line(
        "Many programs keep some KiB of output back when it goes to a file: \
         `hap run --unbuffered` asks the usual ones not to",
    )
}

/// Something happened to a log that `logs --follow` shows.
pub fn told(hap: &Hap, told: Told) -> String {
    let what = match told {
        Told::Truncated => "the log was truncated: it goes on from its new beginning".to_owned(),
        Told::Deleted => "the log was moved or deleted: what is still written to it follows".to_owned(),
        Told::Replaced => "the log was replaced: it goes on with the new file".to_owned(),
        Told::Restarted => format!("restarted: here begins run {}", u64::from(hap.record.restarts) + 1),
        Told::Dropped(bytes) => return dropped(hap, bytes),
    };
    line(&format!("Hap {}: {what}", hap.title()))
}

/// `logs` cannot show so many bytes, since the log is limited.
pub fn dropped(hap: &Hap, bytes: u64) -> String {
    let limit = hap.record.log_limit.map(|limit| format!(": the log is limited to {}", size::short(limit)));
    let title = hap.title();
    line(&format!("Hap {title}: {bytes} bytes of older output were dropped{}", limit.unwrap_or_default()))
}

/// `run` could not do what `--log-limit` asks for.
pub fn unlimited(id: Id, name: &Name) -> String {
    line(&format!(
        "The logs of hap {id} ({name}) are not limited: the file system of the state directory cannot free \
         the beginning of a file"
    ))
}

/// Which hap the output below is of, where it is of several.
pub fn header(hap: &Hap, is_first: bool) -> String {
    let before = if is_first { "" } else { "\n" };
    format!("{before}==> {} <==\n", wording::name(&hap.record))
}

/// `run` started a hap that will not outlive the logout.
pub fn logout_warning(fate: Fate, look: &Look) -> String {
    let (warning, hint) = (look.paint(WARNING, "warning:"), look.paint(HINT, "hint:"));
    let remedy = doctor::outlive(fate).unwrap_or_default();
    format!(
        "{warning} when you log out {}\n {hint} {remedy}; said only once, `hap doctor` says it again\n",
        doctor::logout(fate)
    )
}

/// `man` wrote the pages.
pub fn manual_written(directory: &Path) -> String {
    line(&format!("Wrote hap(1) and a page for each verb to {}", directory.display()))
}

/// What went wrong, and what to do about it.
pub fn error(error: &Error, look: &Look) -> String {
    let (what, remedy) = (error.to_string(), error.remedy());
    let (error, hint) = (look.paint(ERROR, "error:"), look.paint(HINT, "hint:"));
    format!("{error} {}\n {hint} {}\n", visible(&what), visible(&remedy))
}

/// The name of a hap stands where a verb belongs.
pub fn verb_of_hap(alias: &str) -> String {
    line(&format!("{alias} is a hap: `hap status {alias}` shows it, `hap logs {alias}` its output"))
}

/// A word stands where a verb belongs, and no hap is called that.
pub fn verb_of_command(word: &str) -> String {
    let here = known_elsewhere(word).map_or(String::new(), |here| format!("{here}; "));
    line(&format!("{here}to start a command: `hap run {word}`"))
}

/// What does here what other programs have this verb for.
fn known_elsewhere(word: &str) -> Option<&'static str> {
    Some(match word {
        "ls" | "ps" | "list" | "jobs" => "`hap` lists all haps",
        "rm" | "remove" | "delete" | "prune" => "`hap clean` removes the haps that have ended",
        "attach" | "fg" | "follow" | "tail" => "`hap logs -f ALIAS` follows the output of a hap",
        "version" => "`hap --version` tells the version",
        _ => return None,
    })
}

/// Names contain nothing unprintable, but paths may.
fn line(text: &str) -> String {
    format!("{}\n", visible(text))
}

#[cfg(test)]
mod tests {
    use super::{
        cleaned, dropped, error, finished, header, healthy, killed, logout_warning, manual_written, may_be_buffered,
        no_output_yet, nothing, paused, renamed, restarted, resumed, signalled, started, stopped, told, unlimited,
    };
    use crate::core::error::Error;
    use crate::core::logout::Fate;
    use crate::core::name::Name;
    use crate::core::record::Outcome;
    use crate::core::signal::Signal;
    use crate::core::status::Kind;
    use crate::ops::clean::{Cleaned, Removed};
    use crate::ops::logs::Told;
    use crate::view::look::Look;
    use crate::view::samples::{ended, id, piped, running};
    use std::path::Path;
    use std::time::Duration;

    fn name(text: &str) -> Name {
        Name::new(text).expect("valid name")
    }

    fn removed(kinds: &[(Kind, &str)]) -> Vec<Removed> {
        (1..)
            .zip(kinds)
            .map(|(number, (kind, text))| Removed { id: id(number), name: name(text), kind: *kind })
            .collect()
    }

    #[test]
    fn what_starts_and_goes_on() {
        let hap = running(1, "train");
        let mut again = hap.record.clone();
        again.restarts = 1;
        assert_eq!(started(id(1), &name("train"), 4242), "Started hap 1 (train), pid 4242\n");
        assert_eq!(restarted(id(1), &again), "Restarted hap 1 (train@2), pid 4242\n");
        assert_eq!(healthy(&hap, Duration::from_secs(5)), "Hap 1 (train) is healthy: still running after 5.0s\n");
        assert_eq!(finished(&hap), "Hap 1 (train) has finished successfully\n");
        assert_eq!(renamed(&hap, &name("訓練")), "Renamed hap 1 (train) to 訓練\n");
        assert_eq!(paused(&hap), "Paused hap 1 (train)\n");
        assert_eq!(resumed(&hap), "Resumed hap 1 (train)\n");
        assert_eq!(signalled(&hap, Signal::TERM), "Sent SIGTERM to hap 1 (train)\n");
    }

    #[test]
    fn what_ends() {
        let hap = running(1, "train");
        assert_eq!(killed(&hap, 0), "Killed hap 1 (train)\n");
        assert_eq!(killed(&hap, 1), "Killed hap 1 (train)\n");
        assert_eq!(killed(&hap, 3), "Killed hap 1 (train): 3 processes\n");
        assert_eq!(stopped(&hap, 0), "Stopped hap 1 (train)\n");
        assert_eq!(stopped(&hap, 1), "Stopped hap 1 (train); 1 process had to be killed\n");
        assert_eq!(stopped(&hap, 2), "Stopped hap 1 (train); 2 processes had to be killed\n");
        assert_eq!(nothing("active"), "No hap is active\n");
    }

    #[test]
    fn what_is_cleaned() {
        let of =
            |kinds: &[(Kind, &str)], leftover| cleaned(&Cleaned { removed: removed(kinds), leftover, elsewhere: 0 });
        assert_eq!(of(&[], 0), "Nothing to clean\n");
        assert_eq!(of(&[(Kind::Success, "a")], 0), "Removed 1 hap\n");
        let mixed = [(Kind::Success, "a"), (Kind::Failed, "train"), (Kind::Lost, "b"), (Kind::Failed, "c")];
        assert_eq!(of(&mixed[..2], 0), "Removed 2 haps; 1 had failed: train\n");
        assert_eq!(of(&mixed, 0), "Removed 4 haps; 2 had failed: train, c; 1 was lost: b\n");
        assert_eq!(
            of(&[], 1),
            "Nothing to clean\n1 hap has ended but left live processes: it stays until `hap kill` ends those\n"
        );
        assert_eq!(
            of(&mixed[..1], 2),
            "Removed 1 hap\n2 haps have ended but left live processes: they stay until `hap kill` ends those\n"
        );
    }

    #[test]
    fn what_happens_to_logs() {
        let log = Path::new("/state/haps/1/stdout.log");
        let over = ended(1, "train", Outcome::Exited(0));
        assert_eq!(
            no_output_yet(&running(1, "train"), log),
            "Hap 1 (train): no output yet in /state/haps/1/stdout.log\n"
        );
        assert_eq!(no_output_yet(&over, log), "Hap 1 (train): no output in /state/haps/1/stdout.log\n");
        assert_eq!(no_output_yet(&over, Path::new("a\nb\u{1b}")), "Hap 1 (train): no output in a\\nb\\x1b\n");
        let mut hap = running(1, "train");
        let events = [
            (Told::Truncated, "the log was truncated: it goes on from its new beginning"),
            (Told::Deleted, "the log was moved or deleted: what is still written to it follows"),
            (Told::Replaced, "the log was replaced: it goes on with the new file"),
            (Told::Restarted, "restarted: here begins run 1"),
            (Told::Dropped(4096), "4096 bytes of older output were dropped"),
        ];
        for (event, what) in events {
            assert_eq!(told(&hap, event), format!("Hap 1 (train): {what}\n"));
        }
        hap.record.log_limit = Some(100 << 20);
        assert!(dropped(&hap, 1).ends_with("1 bytes of older output were dropped: the log is limited to 100.0 MiB\n"));
        assert_eq!(header(&hap, true), "==> train <==\n");
        assert_eq!(header(&hap, false), "\n==> train <==\n");
        assert!(unlimited(id(1), &name("train")).starts_with("The logs of hap 1 (train) are not limited: "));
        assert!(may_be_buffered().contains("--unbuffered"));
    }

    #[test]
    fn a_logout_is_warned_of_with_what_helps() {
        assert_eq!(
            logout_warning(Fate::KilledWithManager, &piped()),
            "warning: when you log out haps are killed: this terminal belongs to your systemd manager, which ends with \
             you\n hint: `loginctl enable-linger`; said only once, `hap doctor` says it again\n"
        );
        assert_eq!(manual_written(Path::new("man1")), "Wrote hap(1) and a page for each verb to man1\n");
    }

    #[test]
    fn an_error_says_what_and_what_to_do() {
        let unknown = |alias: &str| Error::UnknownAlias { alias: alias.to_owned() };
        assert_eq!(
            error(&unknown("train"), &piped()),
            "error: no hap is called train\n hint: `hap` lists all haps with their ids and names\n"
        );
        let nasty = error(&unknown("a\n\u{1b}[2J"), &piped());
        assert!(nasty.starts_with("error: no hap is called a\\n\\x1b[2J\n"), "{nasty}");
        let coloured = error(&unknown("x"), &Look { colour: true, ..piped() });
        assert!(coloured.starts_with("\u{1b}[31;1merror:\u{1b}[0m no hap"), "{coloured}");
    }
}
