//! Following further: both streams, who stops reading, what costs nothing, and that not a byte is lost.
#![allow(missing_docs)] // a test

mod world;

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use world::following::{Following, echoing, echoing_with, say, until_long};
use world::process::Process;
use world::terminal::Terminal;
use world::{Companion, World, wait_for};

/// A hap that lives and writes nothing, so that a test writes its log.
fn silent(world: &World) -> (String, File) {
    let id = world.run(&["sleep", "1000"]);
    let log = OpenOptions::new().append(true).open(world.file(&id, "stdout.log")).expect("a log");
    (id, log)
}

#[test]
fn both_streams_are_followed_as_they_come_and_plain_where_they_are_piped() {
    let world = World::new();
    let id = echoing(&world);
    let mut input = say(&world);
    let mut following = Following::start(&world, &["logs", "-f", "--all", &id]);
    for (word, line) in [("one", "one\n"), ("!two", "!two\n"), ("three", "three\n"), ("!four", "!four\n")] {
        writeln!(input, "{word}").expect("it reads");
        assert_eq!(following.line(), line);
    }
    writeln!(input, "end").expect("it reads");
    assert_eq!(following.rest(), (String::new(), 0));
    assert_eq!(world.hap(&["logs", "--all", &id]).ok(), "one\nthree\n!two\n!four\n");
}

#[test]
fn on_a_terminal_each_line_says_which_stream_it_is_of() {
    let world = World::new();
    let id = echoing(&world);
    let mut input = say(&world);
    writeln!(input, "one").expect("it reads");
    until_long(&world, &id, 4);
    let terminal = Terminal::start(&world, &["logs", "-f", "--all", &id], (60, 10));
    terminal.until_shown("out | one");
    for (word, line) in [("!two", "err | !two"), ("three", "out | three")] {
        writeln!(input, "{word}").expect("it reads");
        terminal.until_shown(line);
    }
    assert_eq!(terminal.text().trim_end(), "out | one\nerr | !two\nout | three");
}

#[test]
fn on_a_terminal_ctrl_c_ends_the_following_and_not_the_hap() {
    let world = World::new();
    let id = echoing(&world);
    let mut input = say(&world);
    let mut terminal = Terminal::start(&world, &["logs", "-f", &id], (60, 10));
    writeln!(input, "one").expect("it reads");
    terminal.until_shown("one");
    terminal.send("\u{3}");
    terminal.end();
    assert_eq!(world.word(&id), "running");
}

#[test]
fn an_empty_log_of_a_running_hap_gives_a_hint_on_a_terminal_only() {
    let world = World::new();
    let id = world.run(&["sleep", "1000"]);
    let hint = "hap run --unbuffered";
    let terminal = Terminal::start(&world, &["logs", &id], (200, 10));
    let text = terminal.until_shown(hint);
    assert!(text.contains("no output yet"), "{text}");
    let terminal = Terminal::start(&world, &["logs", "-f", &id], (200, 10));
    terminal.until_shown(hint);
    assert_eq!(world.hap(&["logs", &id]).ok(), "", "a script is told nothing");
    let unbuffered = world.run(&["--unbuffered", "sleep", "1000"]);
    let mut terminal = Terminal::start(&world, &["logs", &unbuffered], (200, 10));
    terminal.end();
    assert!(!terminal.until_shown("no output yet").contains(hint), "it has been taken");
    world.hap(&["kill", &id]).ok();
    let mut terminal = Terminal::start(&world, &["logs", &id], (200, 10));
    terminal.end();
    let text = terminal.until_shown("no output in");
    assert!(!text.contains(hint), "nothing will come of one that has ended: {text}");
}

#[test]
fn who_sees_an_empty_log_hears_of_the_other_one() {
    let world = World::new();
    let (failed, talks) = (world.run_sh("echo oops >&2; exit 1"), world.run_sh("echo hello"));
    for (verb, id, hint) in [("logs", &failed, "`hap errors 1`"), ("errors", &talks, "`hap logs 2`")] {
        world.until_ended(id);
        let mut terminal = Terminal::start(&world, &[verb, id], (200, 10));
        terminal.end();
        let text = terminal.until_shown("no output in");
        assert!(text.contains(hint), "{text}");
    }
}

#[test]
fn unbuffered_programs_write_each_line_at_once() {
    let world = World::new();
    let python = needs!("python3");
    world.executable("talk.py", "import sys, time\nprint('one')\nsys.stdout.write('two')\ntime.sleep(1000)\n");
    let id = world.run(&["--unbuffered", &python.display().to_string(), "talk.py"]);
    until_long(&world, &id, 7);
    assert_eq!(world.hap(&["logs", &id]).ok(), "one\ntwo");
}

#[test]
fn unbuffered_reaches_what_writes_through_the_c_library_where_stdbuf_is() {
    let world = World::new();
    needs!("stdbuf");
    // grep keeps what it finds until it has a block of it.
    let id = world.run(&["--unbuffered", "sh", "-c", "(echo one; sleep 1000) | grep one"]);
    until_long(&world, &id, 4);
    assert_eq!(world.hap(&["logs", &id]).ok(), "one\n");
}

#[test]
fn what_is_unbuffered_stays_so_after_a_restart_and_keeps_the_users_variables() {
    let world = World::new();
    let id = world.run(&["--unbuffered", "-e", "MINE=1", "sh", "-c", "echo $PYTHONUNBUFFERED $MINE"]);
    world.until_ended(&id);
    assert_eq!(world.hap(&["logs", &id]).ok(), "1 1\n");
    world.hap(&["restart", &id]).ok();
    world.until_ended(&id);
    assert_eq!(world.hap(&["logs", &id]).ok(), "1 1\n");
    let plain = world.run(&["sh", "-c", "echo \"[$PYTHONUNBUFFERED$LD_PRELOAD]\""]);
    world.until_ended(&plain);
    assert_eq!(world.hap(&["logs", &plain]).ok(), "[]\n", "nobody is changed unasked");
}

#[test]
fn who_reads_no_further_ends_the_following_though_the_hap_writes_nothing() {
    let world = World::new();
    let id = world.run_sh("echo one; echo two; exec sleep 1000");
    until_long(&world, &id, 8);
    for (reader, text) in [("head -n 1", "one\n"), ("grep -m1 two", "two\n"), ("true", "")] {
        let outcome = world.sh(&format!("\"$HAP\" logs -f {id} | {reader}"));
        assert_eq!(outcome.ok(), text, "{reader}");
    }
    assert_eq!(world.word(&id), "running");
}

/// How often the threads of a process went to sleep.
fn sleeps(process: Process) -> Vec<(String, String)> {
    let tasks = fs::read_dir(format!("/proc/{}/task", process.pid)).expect("it lives").flatten();
    let of = |name: String| {
        let status = fs::read_to_string(format!("/proc/{}/task/{name}/status", process.pid)).expect("it lives");
        (name, status.lines().find(|line| line.starts_with("voluntary")).expect("a count").to_owned())
    };
    tasks.map(|task| of(task.file_name().to_string_lossy().into_owned())).collect()
}

/// Each thread waits for something, and none of them for a time.
fn has_no_timer(process: Process) -> bool {
    let tasks = fs::read_dir(format!("/proc/{}/task", process.pid)).expect("it lives").flatten();
    let mut waiting = tasks.map(|task| {
        let call = fs::read_to_string(task.path().join("syscall")).unwrap_or_default();
        let words: Vec<&str> = call.split(' ').collect();
        let number = words.first().and_then(|number| number.parse::<i64>().ok());
        match number {
            Some(number) if number == libc::SYS_ppoll => words[3] == "0x0",
            Some(number) if number == libc::SYS_epoll_pwait || number == 232 => {
                ["0xffffffff", "0xffffffffffffffff"].contains(&words[4])
            }
            _ => false,
        }
    });
    waiting.all(|waits| waits)
}

#[test]
fn nobody_wakes_while_nothing_happens() {
    let world = World::new();
    let id = echoing(&world);
    let other = echoing_with(&world, "other", &[]);
    let mut input = say(&world);
    let mut following = Following::start(&world, &["logs", "-f", "--all", &id]);
    writeln!(input, "one").expect("it reads");
    assert_eq!(following.line(), "one\n");
    let process = following.hap.process();
    wait_for("all its threads to sleep without a time limit", || has_no_timer(process));
    let before = sleeps(process);
    assert!(before.len() >= 2, "notify has a thread: {before:?}");
    // Much goes on elsewhere. Who opens a file of this hap does wake notify, which cannot be asked not to hear of it.
    let mut elsewhere = world::following::say_to(&world, "other");
    writeln!(elsewhere, "x").expect("it reads");
    until_long(&world, &other, 2);
    world.hap(&["logs", &other]).ok();
    world.hap(&["status", "-v", &other]).ok();
    assert!(has_no_timer(process));
    assert_eq!(sleeps(process), before);
    writeln!(input, "two").expect("it reads");
    assert_eq!(following.line(), "two\n", "and it is still there");
}

/// What happens to a log.
#[derive(Clone, Debug)]
enum Step {
    Write(Vec<u8>),
    Read,
}

fn step() -> impl Strategy<Value = Step> {
    let few = proptest::collection::vec(any::<u8>(), 1..200);
    let many = (any::<u8>(), 1..400_000_usize).prop_map(|(byte, count)| vec![byte; count]);
    prop_oneof![4 => few.prop_map(Step::Write), 1 => many.prop_map(Step::Write), 2 => Just(Step::Read)]
}

#[test]
fn a_follower_shows_exactly_what_is_written_however_it_is_written() {
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let sequence = proptest::collection::vec(step(), 1..40);
    let shown = runner.run(&sequence, |steps| {
        let world = World::new();
        let (id, mut log) = silent(&world);
        let mut following = Following::start(&world, &["logs", "-f", &id]);
        let (mut written, mut seen) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Write(bytes) => {
                    log.write_all(&bytes).expect("written");
                    written.extend(bytes);
                }
                Step::Read => seen.extend(following.bytes(written.len() - seen.len())),
            }
            prop_assert!(written.starts_with(&seen), "no other bytes");
        }
        // The last bytes before the end are the ones that are lost most easily.
        log.write_all(b"the end").expect("written");
        written.extend(b"the end");
        world.main_process(&id).kill();
        seen.extend(following.bytes(usize::MAX));
        prop_assert!(seen == written, "{} bytes of {}", seen.len(), written.len());
        Ok(())
    });
    shown.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn copytruncate_loses_nothing_that_is_written_after_it() {
    let world = World::new();
    let (id, mut log) = silent(&world);
    let mut following = Following::start(&world, &["logs", "-f", &id]);
    for round in 0..20 {
        let before = format!("round {round}, before\n");
        log.write_all(before.as_bytes()).expect("written");
        assert_eq!(following.line(), before);
        log.set_len(0).expect("truncated");
        // Longer than what was there before, so that the length alone tells nothing.
        let after = format!("round {round}, after that, and longer than it was\n");
        log.write_all(after.as_bytes()).expect("written");
        assert_eq!(following.line(), after);
    }
    assert!(following.said().contains("was truncated"), "{}", following.said());
}

#[test]
fn a_log_that_is_deleted_and_made_anew_again_and_again_is_followed() {
    let world = World::new();
    let (id, mut log) = silent(&world);
    let path = world.file(&id, "stdout.log");
    log.write_all(b"begin\n").expect("written");
    let mut following = Following::start(&world, &["logs", "-f", &id]);
    assert_eq!(following.line(), "begin\n");
    for round in 0..5 {
        fs::remove_file(&path).expect("it is there");
        let line = format!("to the old one {round}\n");
        log.write_all(line.as_bytes()).expect("written");
        assert_eq!(following.line(), line);
        let line = format!("to the new one {round}\n");
        fs::write(&path, &line).expect("a new file");
        assert_eq!(following.line(), line);
    }
    world.hap(&["kill", &id]).ok();
    assert_eq!(following.rest(), (String::new(), 0));
}

/// Bytes of every kind, holes among them.
fn with_holes(path: &std::path::Path) -> Vec<u8> {
    let mut log = OpenOptions::new().write(true).open(path).expect("a log");
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for offset in [0, 1 << 20, 9 << 20] {
        log.seek(SeekFrom::Start(offset)).expect("a place in it");
        log.write_all(&bytes).expect("written");
    }
    log.set_len(12 << 20).expect("longer");
    fs::read(path).expect("it is there")
}

#[test]
fn binary_and_sparse_logs_go_byte_for_byte_to_files_pipes_and_sockets() {
    let world = World::new();
    let id = world.run(&["true"]);
    world.until_ended(&id);
    let expected = with_holes(&world.file(&id, "stdout.log"));
    assert!(world.hap(&["logs", &id]).bytes == expected, "a pipe");
    assert!(world.hap(&["logs", "-f", &id]).bytes == expected, "following");
    for redirection in [">", ">>", "1<>"] {
        let path = world.work("out");
        fs::write(&path, "").expect("our own file");
        world.sh(&format!("\"$HAP\" logs {id} {redirection} out")).ok();
        assert!(fs::read(&path).expect("it is there") == expected, "{redirection} a file");
    }
    let (mut ours, theirs) = UnixStream::pair().expect("a pair");
    let mut command = world.command(&["logs", &id]);
    command.stdout(Stdio::from(OwnedFd::from(theirs))).stderr(Stdio::null());
    let mut hap = Companion::start(command);
    let mut seen = vec![0; expected.len()];
    ours.read_exact(&mut seen).expect("all of it");
    assert!(seen == expected && hap.end() == 0, "a socket");
}

#[test]
fn the_last_lines_of_ten_gigabytes_are_found_without_reading_them() {
    let world = World::new();
    let id = world.run(&["true"]);
    world.until_ended(&id);
    let path = world.file(&id, "stdout.log");
    let mut log = OpenOptions::new().append(true).open(&path).expect("a log");
    log.write_all(b"the first\nthe second\n").expect("written");
    log.set_len(10 << 30).expect("holes cost nothing");
    log.write_all(b"\none\ntwo\nthree\n").expect("written");
    let mut command = world.command(&["logs", "-n", "2", &id]);
    command.stdout(Stdio::piped());
    let mut hap = Companion::start(command);
    let mut text = String::new();
    hap.0.stdout.take().expect("piped").read_to_string(&mut text).expect("text");
    assert_eq!((text.as_str(), hap.end()), ("two\nthree\n", 0));
}

#[test]
fn an_output_that_cannot_be_written_is_an_error_and_a_pipe_that_is_closed_is_none() {
    let world = World::new();
    let id = world.run(&["echo", "x"]);
    world.until_ended(&id);
    for options in ["", "-f", "-f --all"] {
        let outcome = world.sh(&format!("\"$HAP\" logs {options} {id} > /dev/full"));
        assert!(outcome.code == 1 && outcome.stderr.contains("No space left on device"), "{options}: {outcome:?}");
    }
}

#[test]
fn what_does_not_wait_for_the_reader_is_written_all_the_same() {
    let world = World::new();
    let id = world.run_sh("seq 1 300000");
    world.until_ended(&id);
    let expected = world.hap(&["logs", &id]).bytes;
    let (ours, theirs) = std::io::pipe().expect("a pipe");
    nix::fcntl::fcntl(&theirs, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK)).expect("a flag");
    for options in [&["logs"][..], &["logs", "-f"]] {
        let mut command = world.command(&[options, &[&id]].concat());
        command.stdout(theirs.try_clone().expect("one more of it"));
        let mut hap = Companion::start(command);
        let mut seen = vec![0; expected.len()];
        (&ours).read_exact(&mut seen).expect("all of it");
        assert!(seen == expected && hap.end() == 0, "{options:?}");
    }
}
