//! `run --log-limit`: the log stays within its limit on the disk, and neither the command nor who follows
//! notices.
#![allow(missing_docs)] // a test

mod world;

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use world::following::{Following, echoing_with, say, until_long};
use world::{Outcome, World, finish, wait_for};

const KIB: u64 = 1 << 10;
const LIMIT: u64 = 256 * KIB;

/// What a file takes on the disk.
fn room(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.blocks() * 512)
}

/// A hap that writes 64 KiB of numbered lines, 64 bytes each, whenever its FIFO gets a line.
struct Writer<'a> {
    world: &'a World,
    id: String,
    input: fs::File,
    log: PathBuf,
    written: u64,
}

const LINE: u64 = 64;
const BURST: u64 = 64 * KIB;

impl<'a> Writer<'a> {
    fn start(world: &'a World, options: &[&str]) -> Self {
        let burst = "i=0; while [ $i -lt 1024 ]; do i=$((i+1)); n=$((n+1)); printf '%063d\\n' $n; done";
        world.executable(
            "writer",
            &format!("#!/bin/sh\nn=0\nwhile read -r word; do\n[ $word = end ] && exit 3\n{burst}\ndone < more\n"),
        );
        nix::unistd::mkfifo(&world.work("more"), nix::sys::stat::Mode::S_IRWXU).expect("a new FIFO");
        let id = world.run(&[options, &["./writer"]].concat());
        let log = world.file(&id, "stdout.log");
        Self { world, id, input: say(world), log, written: 0 }
    }

    /// Lets it write once more, to the end of that.
    #[track_caller]
    fn burst(&mut self) {
        writeln!(self.input, "more").expect("it reads");
        self.written += BURST;
        until_long(self.world, &self.id, self.written);
    }

    #[track_caller]
    fn until_within(&self, limit: u64) {
        wait_for("the log to be within its limit", || room(&self.log) <= limit);
    }

    #[track_caller]
    fn end(&mut self) {
        writeln!(self.input, "end").expect("it reads");
        assert_eq!(self.world.until_ended(&self.id)["rc"], 3);
    }
}

/// The lines from this number to that one, as a writer writes them.
fn numbered(lines: std::ops::RangeInclusive<u64>) -> String {
    let lines: Vec<String> = lines.map(|number| format!("{number:063}\n")).collect();
    lines.concat()
}

/// What is shown is the end of what was written, from the beginning of a line on, and what is missing is said.
#[track_caller]
fn assert_end_of(outcome: &Outcome, written: u64) {
    let shown = outcome.stdout.len() as u64;
    assert!(shown.is_multiple_of(LINE) && outcome.code == 0, "whole lines: {} of them", shown / LINE);
    let first = (written - shown) / LINE + 1;
    assert!(outcome.stdout == numbered(first..=written / LINE), "the last lines");
    let dropped = format!("{} bytes of older output were dropped: the log is limited to 256.0 KiB", written - shown);
    assert!(outcome.stderr.contains(&dropped), "{dropped}: {}", outcome.stderr);
}

#[test]
fn the_log_stays_within_its_limit_and_its_end_is_shown_from_a_whole_line_on() {
    let world = World::new();
    let mut writer = Writer::start(&world, &["--log-limit", "256K"]);
    for _ in 0..40 {
        writer.burst();
        writer.until_within(LIMIT);
    }
    let outcome = world.hap(&["logs", &writer.id]);
    assert_end_of(&outcome, writer.written);
    // Nobody can tell whether the first line that is left is whole.
    let shown = outcome.stdout.len() as u64;
    assert!(shown >= LIMIT / 2 - LINE, "half of the limit is used at least: {shown}");
    assert_eq!(fs::metadata(&writer.log).expect("a log").len(), writer.written, "offsets stay");
    writer.end();
    assert_end_of(&world.hap(&["logs", &writer.id]), writer.written);
    assert_end_of(&world.hap(&["logs", "-f", &writer.id]), writer.written);
    let total = writer.written / LINE;
    let last = world.hap(&["logs", "-n", "2", &writer.id]);
    assert_eq!(last.ok(), numbered(total - 1..=total), "of what was not asked for nothing is said");
    assert_end_of(&world.hap(&["logs", "-n", "1000000", &writer.id]), writer.written);
}

#[test]
fn a_limit_of_nothing_is_none() {
    let world = World::new();
    let mut command = world.command(&["run", "-q", "--log-limit", "0", "sleep", "60"]);
    command.env("HAPLESS_LOG_LIMIT", "1M");
    let id = world::id_in(&finish(command));
    assert!(world.status(&id)["log_limit"].is_null());
}

#[test]
fn both_streams_are_limited_each_for_itself() {
    let world = World::new();
    let id = world.run(&["--log-limit=256K", "sh", "-c", "head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2"]);
    world.until_ended(&id);
    for (name, length) in [("stdout.log", 3_000_000), ("stderr.log", 2_000_000)] {
        let log = world.file(&id, name);
        assert_eq!(fs::metadata(&log).expect("a log").len(), length);
        assert!(room(&log) <= LIMIT, "{name}: {}", room(&log));
    }
}

#[test]
fn a_command_that_writes_as_fast_as_it_can_is_within_the_limit_in_the_end() {
    let world = World::new();
    for options in [&["--log-limit", "1M"][..], &["--log-limit", "1M", "--merge", "--timestamps"]] {
        let id = world.run(&[options, &["sh", "-c", "yes 'a line of output' | head -c 100000000; exit 7"]].concat());
        assert_eq!(world.until_ended(&id)["rc"], 7);
        let log = world.file(&id, "stdout.log");
        assert_eq!(fs::metadata(&log).expect("a log").len(), 100_000_000);
        assert!(room(&log) <= 1 << 20, "{}", room(&log));
        let outcome = world.hap(&["logs", &id]);
        assert!(outcome.stdout.starts_with("a line of output\na line"), "it begins with a whole line");
        assert!(outcome.stderr.contains("bytes of older output were dropped"), "{}", outcome.stderr);
    }
}

#[test]
fn who_follows_sees_every_byte_though_the_beginning_is_freed() {
    let world = World::new();
    let mut writer = Writer::start(&world, &["--log-limit", "256K"]);
    let mut following = Following::start(&world, &["logs", "-f", &writer.id]);
    for burst in 0..40 {
        writer.burst();
        let shown = following.bytes(usize::try_from(BURST).expect("small"));
        let lines = BURST / LINE;
        assert!(shown == numbered(burst * lines + 1..=(burst + 1) * lines).as_bytes(), "burst {burst}");
    }
    writer.until_within(LIMIT);
    writer.end();
    assert_eq!(following.said(), "");
    assert_eq!(following.rest(), (String::new(), 0));
}

#[test]
fn who_follows_too_slowly_is_told_what_was_dropped_and_goes_on_with_a_whole_line() {
    let world = World::new();
    let mut writer = Writer::start(&world, &["--log-limit", "256K"]);
    let mut following = Following::start(&world, &["logs", "-f", &writer.id]);
    writer.burst();
    let seen = following.bytes(usize::try_from(BURST).expect("small"));
    assert!(seen == numbered(1..=BURST / LINE).as_bytes());
    following.hap.process().signal(libc::SIGSTOP);
    wait_for("it to stop", || following.hap.process().is_stopped());
    for _ in 0..20 {
        writer.burst();
        writer.until_within(LIMIT);
    }
    following.hap.process().signal(libc::SIGCONT);
    following.until_said("bytes of older output were dropped");
    let next: u64 = following.line().trim_end().parse().expect("a whole line");
    // Once it has caught up nothing more is dropped.
    let last = writer.written / LINE;
    let mut shown = vec![next];
    while shown.last() != Some(&last) {
        shown.push(following.line().trim_end().parse().expect("a whole line"));
    }
    let dropped = |said: &str| -> u64 {
        let counts = said.lines().filter_map(|line| line.split(": ").nth(1)?.split(' ').next()?.parse::<u64>().ok());
        counts.sum()
    };
    assert!(shown.is_sorted_by(|one, other| one < other), "nothing is shown twice");
    let said = following.said();
    assert_eq!(
        dropped(&said) + BURST + shown.len() as u64 * LINE,
        writer.written,
        "all that is missing is said: {said}"
    );
    writer.burst();
    let more = following.bytes(usize::try_from(BURST).expect("small"));
    assert!(more == numbered(last + 1..=writer.written / LINE).as_bytes(), "all from there on");
    writer.end();
    assert_eq!(following.rest(), (String::new(), 0));
}

#[test]
fn another_supervisor_goes_on_limiting() {
    let world = World::new();
    let mut writer = Writer::start(&world, &["--log-limit", "256K"]);
    for _ in 0..8 {
        writer.burst();
    }
    world.kill_supervisor(&writer.id);
    for _ in 0..8 {
        writer.burst();
    }
    assert!(room(&writer.log) > LIMIT, "nobody is there to free it");
    assert_eq!(world.word(&writer.id), "running", "that heals it");
    writer.until_within(LIMIT);
    for _ in 0..8 {
        writer.burst();
        writer.until_within(LIMIT);
    }
    assert_end_of(&world.hap(&["logs", &writer.id]), writer.written);
    writer.end();
}

#[test]
fn a_restart_keeps_limit_and_times() {
    let world = World::new();
    let id = world.run(&["--log-limit", "256K", "--timestamps", "sh", "-c", "yes | head -c 4000000"]);
    world.until_ended(&id);
    world.hap(&["restart", &id]).ok();
    world.until_ended(&id);
    assert!(room(&world.file(&id, "stdout.log")) <= LIMIT);
    assert!(room(&world.file(&id, "runs/1/stdout.log")) <= LIMIT, "what was freed stays so");
    let status = world.status(&id);
    assert_eq!((&status["log_limit"], &status["timestamps"]), (&LIMIT.into(), &true.into()), "{status}");
    let previous = world.hap(&["logs", "--previous", &id]);
    assert!(previous.stdout.starts_with("y\ny\n") && previous.stderr.contains("dropped"), "{}", previous.stderr);
}

#[test]
fn a_truncated_log_is_limited_from_its_new_beginning() {
    let world = World::new();
    let mut writer = Writer::start(&world, &["--log-limit", "256K"]);
    for _ in 0..8 {
        writer.burst();
    }
    writer.until_within(LIMIT);
    fs::OpenOptions::new().write(true).open(&writer.log).expect("a log").set_len(0).expect("truncated");
    writer.written = 0;
    for _ in 0..8 {
        writer.burst();
        writer.until_within(LIMIT);
    }
    writer.end();
}

#[test]
fn the_environment_may_set_the_limit_and_the_option_wins() {
    let world = World::new();
    let limit = |value: &str, options: &[&str]| {
        let mut command = world.command(&[&["run", "-q"], options, &["true"]].concat());
        command.env("HAPLESS_LOG_LIMIT", value);
        let id = world::id_in(&finish(command));
        world.status(&id)["log_limit"].clone()
    };
    assert_eq!(limit("1M", &[]), 1 << 20);
    assert_eq!(limit("1M", &["--log-limit", "2M"]), 2 << 20);
    for off in ["", "0", "off", "no"] {
        assert!(limit(off, &[]).is_null(), "{off:?}");
    }
    let mut command = world.command(&["run", "true"]);
    command.env("HAPLESS_LOG_LIMIT", "plenty");
    let outcome = finish(command);
    assert!(outcome.code != 0 && outcome.stderr.contains("HAPLESS_LOG_LIMIT"), "{outcome:?}");
    assert!(world.status(&world.run(&["true"]))["log_limit"].is_null(), "by default there is none");
}

#[test]
fn what_is_no_limit_is_a_usage_error_and_starts_nothing() {
    let world = World::new();
    for size in ["", "x", "-1", "255K", "1e9", "99999999999T"] {
        let outcome = world.hap(&["run", &format!("--log-limit={size}"), "true"]);
        assert!(outcome.code == 2 && outcome.stdout.is_empty(), "{size:?}: {outcome:?}");
    }
    assert_eq!(world.ids(), Vec::<String>::new());
}

#[test]
fn a_file_system_that_cannot_free_is_said_at_launch() {
    let world = World::new();
    let place = world.path("ram");
    fs::create_dir(&place).expect("a new directory");
    // ramfs has no fallocate(2).
    if mount(Some("none"), &place, Some("ramfs"), MsFlags::empty(), None::<&str>).is_err() {
        skip!("a file system cannot be mounted");
    }
    let hap = |words: &[&str]| {
        let mut command = world.command(words);
        command.env("HAPLESS_DIR", place.join("state"));
        finish(command)
    };
    let outcome = hap(&["run", "-n", "big", "--wait", "--log-limit", "1M", "sh", "-c", "yes | head -c 3000000"]);
    let logs = hap(&["logs", "big"]);
    let status = hap(&["status", "--json", "big"]);
    let unlimited = hap(&["run", "-q", "--wait", "true"]);
    let _ = umount2(&place, MntFlags::MNT_DETACH);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(outcome.stderr.contains("The logs of hap 1 (big) are not limited"), "{outcome:?}");
    assert!(logs.ok().len() == 3_000_000 && world::json(&status.ok())["log_limit"].is_null());
    assert!(!unlimited.stderr.contains("limited"), "{unlimited:?}");
}

#[test]
fn the_size_on_the_disk_is_shown() {
    let world = World::new();
    let id = world.run(&["sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x"]);
    world.until_ended(&id);
    let on_disk = room(&world.file(&id, "stdout.log")) + room(&world.file(&id, "stderr.log"));
    assert_eq!(world::json(&world.hap(&["status", "-v", "--json", &id]).ok())["log_bytes"], on_disk);
    let panel = world.hap(&["status", "-v", &id]).ok();
    let line = panel.lines().find(|line| line.starts_with("Logs: ")).unwrap_or_else(|| panic!("{panel}"));
    assert!(line.ends_with("KiB on the disk"), "{line}");
    let limited = world.run(&["--log-limit", "100M", "true"]);
    world.until_ended(&limited);
    assert!(world.hap(&["status", "-v", &limited]).ok().contains("Logs: 0 B on the disk, each limited to 100.0 MiB\n"));
}

#[test]
fn a_hap_that_says_nothing_wakes_nobody_whatever_is_kept_of_its_log() {
    let world = World::new();
    let id = echoing_with(&world, "more", &["--log-limit", "1M", "--timestamps"]);
    let mut input = say(&world);
    writeln!(input, "one").expect("it reads");
    until_long(&world, &id, 4);
    let supervisor = world.supervisor(&id);
    let sleeps_for_ever = || {
        let call = fs::read_to_string(format!("/proc/{}/syscall", supervisor.pid)).unwrap_or_default();
        let words: Vec<&str> = call.split(' ').collect();
        // The third argument of ppoll(2) is the time limit: none.
        words.first().is_some_and(|number| number.parse() == Ok(libc::SYS_ppoll)) && words.get(3) == Some(&"0x0")
    };
    wait_for("the supervisor to sleep without a time limit", sleeps_for_ever);
    let before = supervisor.sleeps();
    world.hap(&["logs", &id]).ok();
    world.hap(&["status", "-v", &id]).ok();
    assert_eq!(supervisor.sleeps(), before, "nothing that looks at it wakes it");
    assert!(sleeps_for_ever());
}
