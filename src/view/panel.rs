//! All about one hap.
//!
//! Must not look anything up. Invariant: nothing is cut, and what is unknown is left out.

use jiff::tz::TimeZone;

use super::frame::{Row, draw};
use super::look::{Badge, Look};
use super::{time, wording};
use crate::core::error::Error;
use crate::core::{duration, size};
use crate::ops::details::{Details, EarlierRun};
use crate::ops::hap::{Broken, Hap};

/// A hap; with `details` everything about it, its times in this zone.
pub fn panel(hap: &Hap, details: Option<&Details>, look: &Look, zone: &TimeZone) -> String {
    let mut rows = summary(hap, look);
    if let Some(details) = details {
        rows.extend(closer(hap, details, zone));
    }
    draw(hap.id, &rows, look)
}

/// A hap whose record cannot be read.
pub fn broken_panel(broken: &Broken, look: &Look) -> String {
    let error = Error::Broken { hap: broken.id, path: broken.path.clone(), reason: broken.reason.clone() };
    let rows = vec![
        Row::badge(Badge::BROKEN, look),
        Row::new("File", broken.path.display()),
        Row::new("Reason", &broken.reason),
        Row::new("Hint", error.remedy()),
    ];
    draw(broken.id, &rows, look)
}

fn summary(hap: &Hap, look: &Look) -> Vec<Row> {
    let rows = [
        Some(Row::new("Name", wording::name(&hap.record))),
        Some(Row::badge(Badge::of(hap.status.kind()), look)),
        Row::maybe("Reason", wording::reason(hap)),
        Row::maybe("Leftover", leftover(hap)),
        Some(Row::new("Command", hap.record.command_line())),
        Row::maybe("PID", wording::live_pid(hap)),
        Row::maybe("Code", wording::code(hap.status)),
        Row::maybe("Runtime", hap.runtime.map(duration::short)),
        Row::maybe("Adopted", wording::adopted(hap)),
    ];
    rows.into_iter().flatten().collect()
}

fn leftover(hap: &Hap) -> Option<String> {
    let processes = wording::processes(hap.leftover);
    match hap.leftover {
        0 => None,
        1 => Some(format!("{processes} of it lives on: `hap kill {}` ends it", hap.id)),
        _ => Some(format!("{processes} of it live on: `hap kill {}` ends them", hap.id)),
    }
}

fn closer(hap: &Hap, details: &Details, zone: &TimeZone) -> Vec<Row> {
    let time = |unix_ns| time::readable(unix_ns, zone);
    let restarts = Some(hap.record.restarts).filter(|&restarts| restarts > 0);
    let environment = match &details.environment {
        Ok(entries) => Row::list("Environment", entries),
        Err(reason) => Row::new("Environment", format!("cannot be read: {reason}")),
    };
    let runs: Vec<String> = details.runs.iter().map(|run| earlier(run, zone)).collect();
    let rows = [
        Row::maybe("Restarts", restarts),
        Some(Row::list("Runs before", &runs)).filter(|_| !runs.is_empty()),
        Some(Row::new("Directory", &details.workdir)),
        Row::maybe("Parent PID", details.parent_pid),
        Some(Row::new("User", &details.user)),
        Some(Row::new("Stdout", hap.stdout_file.display())),
        Some(Row::new("Stderr", hap.stderr_file.display())),
        Some(Row::new("Logs", logs(hap, details.log_bytes))),
        Some(Row::new("Started", time(hap.record.started.unix_ns))),
        Row::maybe("Ended", wording::end(hap).map(time)),
        Row::maybe("CPU time", details.cpu.map(duration::short)),
        Row::maybe("Peak memory", details.peak_rss_kib.map(|kib| size::short(kib.saturating_mul(1024)))),
        Some(environment),
    ];
    rows.into_iter().flatten().collect()
}

/// `1: failed, code -15 SIGTERM, after 2.5s, started 2025-11-23 08:20:01 +01:00`.
fn earlier(run: &EarlierRun, zone: &TimeZone) -> String {
    let code = wording::code(run.status).map(|code| format!(", code {code}")).unwrap_or_default();
    let runtime = run.runtime.map(|runtime| format!(", after {}", duration::short(runtime))).unwrap_or_default();
    let started = time::readable(run.started.unix_ns, zone);
    format!("{}: {}{code}{runtime}, started {started}", run.number, run.status.kind().word())
}

/// `12.3 MiB on the disk, each limited to 100.0 MiB, with times`.
fn logs(hap: &Hap, bytes: u64) -> String {
    let limit = hap.record.log_limit.map(|limit| format!(", each limited to {}", size::short(limit)));
    let times = if hap.record.timestamps { ", with times" } else { "" };
    format!("{} on the disk{}{times}", size::short(bytes), limit.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{broken_panel, panel};
    use crate::core::record::{Loss, Outcome};
    use crate::ops::details::Details;
    use crate::ops::hap::Hap;
    use crate::view::look::Look;
    use crate::view::samples::{broken, details, ended, piped, running, terminal};
    use crate::view::width;
    use jiff::tz::TimeZone;

    fn shown(hap: &Hap, look: Look) -> String {
        panel(hap, None, &look, &TimeZone::UTC)
    }

    #[test]
    fn a_terminal_shows_a_box() {
        let expected = "
╭─ hap 1 ──────────────────────────────╮
│ Name     train                       │
│ Status   ● running                   │
│ Command  python train.py --epochs 90 │
│ PID      4242                        │
│ Runtime  3m 05s                      │
╰──────────────────────────────────────╯
";
        for width in [40, 80, 200] {
            assert_eq!(shown(&running(1, "train"), terminal(width)), expected[1..]);
        }
    }

    #[test]
    fn a_box_wraps_and_never_cuts() {
        let mut hap = ended(3, "cafe\u{301}", Outcome::Lost(Loss::Unwatched));
        hap.record.argv.push("訓練".repeat(9));
        hap.leftover = 1;
        hap.record.restarts = 1;
        let expected = "
╭─ hap 3 ──────────────────────────────╮
│ Name      cafe\u{301}@2                     │
│ Status    ? lost                     │
│ Reason    it and its supervisor were │
│           gone before anyone could   │
│           see its end                │
│ Leftover  1 process of it lives on:  │
│           `hap kill 3` ends it       │
│ Command   python train.py --epochs   │
│           90                         │
│           '訓練訓練訓練訓練訓練訓練  │
│           訓練訓練訓練'              │
╰──────────────────────────────────────╯
";
        assert_eq!(shown(&hap, terminal(40)), expected[1..]);
    }

    #[test]
    fn verbose_it_tells_everything() {
        let hap = ended(2, "train", Outcome::Signaled(9));
        let expected = "
Id: 2
Name: train
Status: failed
Command: python train.py --epochs 90
Code: -9 SIGKILL
Runtime: 2.5s
Directory: /home/ada/model
Parent PID: 4241
User: ada
Stdout: /state/haps/2/stdout.log
Stderr: /state/haps/2/stderr.log
Logs: 8.0 KiB on the disk
Started: 2025-11-23 07:20:01 +00:00
Ended: 2025-11-23 07:20:03 +00:00
CPU time: 1.7s
Peak memory: 12.3 MiB
Environment:
  PATH=/usr/bin:/bin
  COLOUR=\\x1b[31m
";
        assert_eq!(panel(&hap, Some(&details()), &piped(), &TimeZone::UTC), expected[1..]);
    }

    #[test]
    fn an_environment_that_cannot_be_read_is_said_to_be_so() {
        let details = Details { environment: Err("environ: gone".to_owned()), parent_pid: None, ..details() };
        let text = panel(&running(1, "train"), Some(&details), &piped(), &TimeZone::UTC);
        assert!(text.ends_with("Environment: cannot be read: environ: gone\n"), "{text}");
        assert!(!text.contains("Parent"), "{text}");
    }

    #[test]
    fn piped_nothing_is_wrapped_and_nothing_raw_is_sent() {
        let mut hap = running(1, "train");
        hap.record.argv = vec!["sh\u{1b}[2J".to_owned(), "x y ".repeat(500)];
        let text = shown(&hap, piped());
        assert_eq!(text.lines().count(), 6);
        assert!(text.contains(&"x y ".repeat(500)) && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn a_broken_one_says_which_file_and_what_to_do() {
        let expected = "
Id: 7
Status: broken
File: /state/haps/7/record.json
Reason: it has no command
Hint: repair or remove that file by hand: hap never deletes what it cannot read
";
        assert_eq!(broken_panel(&broken(7), &piped()), expected[1..]);
    }

    #[test]
    fn every_width_is_kept() {
        for number in 1..220 {
            let mut hap = running(1, &"訓".repeat(60));
            hap.record.argv.push("訓練 x".repeat(40));
            let text = panel(&hap, Some(&details()), &terminal(number), &TimeZone::UTC);
            // The label of a list is not wrapped.
            assert!(text.lines().all(|line| width::of(line) <= number.max(12)), "{number}: {text}");
        }
    }

    #[test]
    fn what_is_done_about_the_logs_is_told_beside_their_size() {
        let mut hap = running(1, "train");
        (hap.record.log_limit, hap.record.timestamps) = (Some(100 << 20), true);
        let text = panel(&hap, Some(&details()), &piped(), &TimeZone::UTC);
        assert!(text.contains("Logs: 8.0 KiB on the disk, each limited to 100.0 MiB, with times\n"), "{text}");
    }
}
