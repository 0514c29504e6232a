//! `run --timestamps`, `logs -t` and `logs --since`: when each line was written, without touching the log.
#![allow(missing_docs)] // a test

mod world;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;

use jiff::Timestamp;
use world::following::{Following, echoing_with, say, until_long};
use world::{World, wait_for};

const TIMES: &str = "stdout.times";

/// A line, and the time before it; `None` where that is `-`.
#[track_caller]
fn with_time(line: &str) -> (Option<Timestamp>, &str) {
    let (time, text) = line.split_at_checked(30).unwrap_or_else(|| panic!("no time in {line:?}"));
    let time = time.trim_end();
    (Some(time).filter(|time| *time != "-").map(|time| time.parse().unwrap_or_else(|_| panic!("{line:?}"))), text)
}

/// The length up to which the index has noted the log.
fn noted(world: &World, id: &str) -> u64 {
    let index = fs::read(world.file(id, TIMES)).unwrap_or_default();
    let last = index.get(16..).unwrap_or_default().chunks_exact(16).last();
    last.map_or(0, |pair| u64::from_le_bytes(pair[..8].try_into().expect("eight bytes")))
}

#[track_caller]
fn until_noted(world: &World, id: &str) {
    wait_for("all to be noted", || {
        noted(world, id) == fs::metadata(world.file(id, "stdout.log")).expect("a log").len()
    });
}

/// The clock of this machine, a moment that no line noted so far has, nor any that comes.
fn between() -> Timestamp {
    let from = Timestamp::now();
    wait_for("the clock to go on", || Timestamp::now().as_millisecond() > from.as_millisecond() + 1);
    let now = Timestamp::now();
    wait_for("the clock to go on", || Timestamp::now().as_millisecond() > now.as_millisecond() + 1);
    now
}

fn timed(world: &World) -> String {
    echoing_with(world, "more", &["--timestamps"])
}

#[test]
fn each_line_has_the_time_when_it_was_written() {
    let world = World::new();
    let id = timed(&world);
    let mut input = say(&world);
    let begin = between();
    writeln!(input, "one\ntwo").expect("it reads");
    until_long(&world, &id, 8);
    until_noted(&world, &id);
    let middle = between();
    writeln!(input, "three\nend").expect("it reads");
    world.until_ended(&id);
    let end = between();
    let text = world.hap(&["logs", "-t", &id]).ok();
    let lines: Vec<_> = text.lines().map(with_time).collect();
    assert_eq!(lines.iter().map(|(_, text)| *text).collect::<Vec<_>>(), ["one", "two", "three"]);
    let times: Vec<_> = lines.iter().map(|(time, _)| time.expect("known")).collect();
    assert!(begin < times[0] && times[0] <= times[1] && times[1] < middle, "{text}");
    assert!(middle < times[2] && times[2] < end, "{text}");
    assert_eq!(world.hap(&["logs", &id]).ok(), "one\ntwo\nthree\n", "the log itself is the command's alone");
    assert_eq!(world.hap(&["logs", "-t", "-n", "1", &id]).ok(), text.lines().last().expect("a line").to_owned() + "\n");
}

#[test]
fn since_shows_what_was_written_from_then_on() {
    let world = World::new();
    let id = timed(&world);
    let mut input = say(&world);
    let mut moments = Vec::new();
    let mut length = 0;
    for word in ["one", "two", "three"] {
        moments.push(between());
        writeln!(input, "{word}").expect("it reads");
        length += word.len() as u64 + 1;
        until_long(&world, &id, length);
        until_noted(&world, &id);
    }
    let since = |moment: Timestamp| world.hap(&["logs", "--since", &moment.to_string(), &id]).ok();
    assert_eq!(since(moments[0]), "one\ntwo\nthree\n");
    assert_eq!(since(moments[1]), "two\nthree\n");
    assert_eq!(since(moments[2]), "three\n");
    assert_eq!(since(between()), "");
    assert_eq!(world.hap(&["logs", "--since", "10m", &id]).ok(), "one\ntwo\nthree\n");
    assert_eq!(world.hap(&["logs", "--since", "1970-01-01", "-n", "1", &id]).ok(), "three\n");
    let mut following = Following::start(&world, &["logs", "-f", "--since", &moments[2].to_string(), &id]);
    assert_eq!(following.line(), "three\n");
    writeln!(input, "four\nend").expect("it reads");
    assert_eq!(following.rest(), ("four\n".into(), 0));
}

#[test]
fn following_with_times_marks_what_comes() {
    let world = World::new();
    let id = timed(&world);
    let mut input = say(&world);
    let begin = between();
    let mut following = Following::start(&world, &["logs", "-f", "-t", &id]);
    for word in ["one", "two"] {
        writeln!(input, "{word}").expect("it reads");
        let line = following.line();
        let (time, text) = with_time(line.trim_end());
        assert!(text == word && time.is_some_and(|time| time > begin), "{line}");
    }
    writeln!(input, "end").expect("it reads");
    assert_eq!(following.rest(), (String::new(), 0));
}

#[test]
fn who_follows_is_not_shown_the_times_of_what_was_truncated() {
    let world = World::new();
    let id = timed(&world);
    let mut input = say(&world);
    writeln!(input, "a long line that goes away").expect("it reads");
    until_long(&world, &id, 27);
    until_noted(&world, &id);
    let mut following = Following::start(&world, &["logs", "-f", "-t", &id]);
    assert!(following.line().ends_with("goes away\n"));
    let after = between();
    OpenOptions::new().write(true).open(world.file(&id, "stdout.log")).expect("a log").set_len(0).expect("truncated");
    for word in ["new", "and more"] {
        writeln!(input, "{word}").expect("it reads");
        let line = following.line();
        let (time, text) = with_time(line.trim_end());
        assert!(text == word && time.is_some_and(|time| time > after), "{line}");
    }
}

#[test]
fn without_times_that_is_said_and_what_is_no_time_is_refused() {
    let world = World::new();
    let id = world.run(&["echo", "x"]);
    world.until_ended(&id);
    for arguments in [&["logs", "-t", &id][..], &["logs", "--since", "10m", &id]] {
        assert!(world.hap(arguments).fails(1).contains("hap run --timestamps"), "{arguments:?}");
    }
    for text in ["", "yesterday-ish", "25:00", "-"] {
        assert!(world.hap(&["logs", &format!("--since={text}"), &id]).fails(2).contains("is no time"), "{text}");
    }
    assert!(!world.file(&id, TIMES).exists(), "nothing is noted that was not asked for");
}

#[test]
fn the_times_of_both_streams_and_of_the_runs_before_are_kept() {
    let world = World::new();
    let id = world.run(&["--timestamps", "sh", "-c", "echo out; echo err >&2"]);
    world.until_ended(&id);
    let first = world.hap(&["logs", "-t", &id]).ok();
    let errors = world.hap(&["errors", "-t", &id]).ok();
    assert!(with_time(errors.trim_end()).0.is_some(), "{errors}");
    between();
    world.hap(&["restart", &id]).ok();
    world.until_ended(&id);
    assert_eq!(world.hap(&["logs", "-t", "--previous", &id]).ok(), first);
    assert_eq!(world.hap(&["errors", "-t", "--run", "1", &id]).ok(), errors);
    let second = world.hap(&["logs", "-t", &id]).ok();
    assert!(with_time(second.trim_end()).0 > with_time(first.trim_end()).0, "{first}{second}");
}

#[test]
fn another_supervisor_goes_on_noting() {
    let world = World::new();
    let id = timed(&world);
    let mut input = say(&world);
    writeln!(input, "one").expect("it reads");
    until_long(&world, &id, 4);
    until_noted(&world, &id);
    world.kill_supervisor(&id);
    writeln!(input, "two").expect("it reads");
    until_long(&world, &id, 8);
    let healed = between();
    assert_eq!(world.word(&id), "running", "that heals it");
    writeln!(input, "three").expect("it reads");
    until_long(&world, &id, 14);
    until_noted(&world, &id);
    let text = world.hap(&["logs", "-t", &id]).ok();
    let lines: Vec<_> = text.lines().map(with_time).collect();
    assert_eq!(lines.iter().map(|(_, text)| *text).collect::<Vec<_>>(), ["one", "two", "three"]);
    let times: Vec<_> = lines.iter().map(|(time, _)| time.expect("known")).collect();
    assert!(times[0] < healed && healed < times[2] && times[1] <= times[2], "{text}");
}

#[test]
fn a_truncated_log_has_times_from_then_on() {
    let world = World::new();
    let id = timed(&world);
    let mut input = say(&world);
    writeln!(input, "a long line that goes away").expect("it reads");
    until_long(&world, &id, 27);
    until_noted(&world, &id);
    OpenOptions::new().write(true).open(world.file(&id, "stdout.log")).expect("a log").set_len(0).expect("truncated");
    let after = between();
    writeln!(input, "new").expect("it reads");
    until_long(&world, &id, 4);
    until_noted(&world, &id);
    let text = world.hap(&["logs", "-t", &id]).ok();
    let (time, line) = with_time(text.trim_end());
    assert!(line == "new" && time.is_some_and(|time| time > after), "{text}");
}

/// What is put where the index is, and how.
type Damage = (&'static str, fn(&Path));

fn damages() -> Vec<Damage> {
    vec![
        ("garbage", |path| fs::write(path, b"garbage".repeat(1000)).expect("our own file")),
        ("nothing in it", |path| fs::write(path, b"").expect("our own file")),
        ("half a header", |path| cut(path, 11)),
        ("half a pair", |path| cut(path, 16 + 7)),
        ("pairs that go backwards", |path| {
            let index = fs::read(path).expect("an index");
            let (length, unix_ns) = (u64::MAX.to_le_bytes(), i64::MIN.to_le_bytes());
            fs::write(path, [&index[..16], &length, &unix_ns, &index[16..]].concat()).expect("our own file");
        }),
        ("times beyond all calendars", |path| {
            let index = fs::read(path).expect("an index");
            fs::write(path, [&index[..16], &1_000_000_u64.to_le_bytes(), &[0xff; 7], &[0x7f]].concat()).expect("ours");
        }),
        ("a FIFO", |path| {
            fs::remove_file(path).expect("our own file");
            nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).expect("a new FIFO");
        }),
        ("a link", |path| {
            fs::remove_file(path).expect("our own file");
            symlink("/dev/zero", path).expect("a new link");
        }),
        ("a directory", |path| {
            fs::remove_file(path).expect("our own file");
            fs::create_dir(path).expect("a new directory");
        }),
    ]
}

fn cut(path: &Path, length: u64) {
    OpenOptions::new().write(true).open(path).expect("an index").set_len(length).expect("shortened");
}

#[test]
fn a_damaged_index_costs_the_times_and_nothing_else() {
    for (what, damage) in damages() {
        let world = World::new();
        let id = world.run(&["--timestamps", "sh", "-c", "echo one; echo two"]);
        world.until_ended(&id);
        damage(&world.file(&id, TIMES));
        assert_eq!(world.hap(&["logs", &id]).ok(), "one\ntwo\n", "{what}");
        for arguments in [&["logs", "-t", &id][..], &["logs", "-t", "-f", &id], &["logs", "--since", "1h", &id]] {
            let outcome = world.hap(arguments);
            outcome.assert_calm();
            assert!([0, 1].contains(&outcome.code), "{what}: {outcome:?}");
            if arguments.contains(&"-t") && outcome.code == 0 {
                let lines: Vec<&str> = outcome.stdout.lines().map(|line| with_time(line).1).collect();
                assert_eq!(lines, ["one", "two"], "{what}: {outcome:?}");
            }
        }
        world.hap(&["clean"]).ok();
        assert_eq!(world.ids(), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn an_index_that_is_damaged_while_it_is_written_disturbs_neither_command_nor_end() {
    for (what, damage) in damages() {
        let world = World::new();
        let id = timed(&world);
        let mut input = say(&world);
        writeln!(input, "one").expect("it reads");
        until_long(&world, &id, 4);
        until_noted(&world, &id);
        // What follows opens it anew.
        world.kill_supervisor(&id);
        damage(&world.file(&id, TIMES));
        assert_eq!(world.word(&id), "running", "{what}");
        writeln!(input, "two\nend").expect("it reads");
        world.until_ended(&id);
        assert_eq!(world.hap(&["logs", &id]).ok(), "one\ntwo\n", "{what}");
        world.hap(&["logs", "-t", &id]).assert_calm();
    }
}
