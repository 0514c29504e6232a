//! `hap top`: a full screen that shows what is so, does what its keys say, and gives the terminal back.

mod world;

use world::terminal::Terminal;
use world::{World, wait_for};

const SIZE: (u16, u16) = (80, 24);
const DOWN: &str = "\u{1b}[B";

/// A world with one that runs and says something, and a terminal that shows it.
fn shown() -> (World, Terminal) {
    let world = World::new();
    world.run(&["-n", "train", "sh", "-c", "echo first line; echo oops >&2; exec sleep 60"]);
    let terminal = Terminal::start(&world, &["top"], SIZE);
    terminal.until_shown("first line");
    (world, terminal)
}

#[test]
fn list_log_and_keys_are_on_one_screen() {
    let (_world, terminal) = shown();
    let text = terminal.until("CPU and memory", |text| text.contains('%') && text.contains('▁'));
    for part in ["1 running", "train", "● running", "CPU", "Mem", "stdout", "following"] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    for key in ["q quit", "p pause", "r resume", "s stop", "k kill", "R restart", "f follow", "/ filter"] {
        assert!(text.contains(key), "{key:?} in {text}");
    }
}

#[test]
fn what_happens_outside_is_seen() {
    let (world, terminal) = shown();
    world.run(&["-n", "other", "sleep", "60"]);
    terminal.until_shown("other");
    world.hap(&["pause", "train"]).ok();
    terminal.until_shown("paused");
    world.hap(&["kill", "other"]).ok();
    terminal.until_shown("failed");
}

#[test]
fn the_log_is_followed_as_it_grows() {
    let world = World::new();
    assert_eq!(world.sh("mkfifo go").code, 0);
    world.run_sh("echo begun; read line < go; echo $line; exec sleep 60");
    let terminal = Terminal::start(&world, &["top"], SIZE);
    terminal.until_shown("begun");
    assert_eq!(world.sh("echo and more > go").code, 0);
    terminal.until_shown("and more");
}

#[test]
fn pause_and_resume_are_a_key_each() {
    let (world, mut terminal) = shown();
    terminal.send("p");
    terminal.until_shown("Paused hap 1 (train)");
    assert_eq!(world.word("train"), "paused");
    terminal.send("r");
    terminal.until_shown("Resumed hap 1 (train)");
    assert_eq!(world.word("train"), "running");
    terminal.send("r");
    terminal.until("the error", |text| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        text.contains("it is running; hint: `hap pause 1` pauses it while it runs")
    });
}

#[test]
fn what_ends_a_hap_asks_first() {
    let (world, mut terminal) = shown();
    for key in ["s", "k", "R"] {
        terminal.send(key);
        terminal.until_shown("Really");
        terminal.send("n");
        terminal.until("no question", |text| !text.contains("Really"));
    }
    assert_eq!(world.word("train"), "running");
    terminal.send("k");
    terminal.until_shown("Really kill hap 1 (train)?");
    terminal.send("y");
    terminal.until_shown("Killed hap 1 (train)");
    assert_eq!(world.status("train")["signal"], "SIGKILL");
    terminal.send("R");
    terminal.until_shown("Really restart");
    terminal.send("y");
    terminal.until_shown("Restarted hap 1 (train@2)");
    terminal.until("its output", |text| text.contains("train@2") && text.contains("first line"));
    terminal.send("s");
    terminal.until_shown("Really stop");
    terminal.send("y");
    terminal.until_shown("Stopped hap 1 (train)");
    assert_eq!(world.status("train")["signal"], "SIGTERM");
}

#[test]
fn one_that_takes_long_to_stop_freezes_nothing() {
    let (world, mut terminal) = shown();
    world.run(&["-n", "stubborn", "sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 60; done"]);
    terminal.until_shown("stubborn");
    terminal.send(DOWN);
    terminal.until_shown("deaf");
    terminal.send("sy");
    terminal.until_shown("stop hap 2");
    terminal.send("\u{1b}[A");
    terminal.until_shown("first line");
    terminal.send("p");
    terminal.until_shown("Paused hap 1 (train)");
    assert_eq!(world.word("stubborn"), "running", "it is still being asked");
}

#[test]
fn a_restarted_hap_has_a_supervisor_that_knows_nothing_of_the_screen() {
    let (world, mut terminal) = shown();
    terminal.send("Ry");
    terminal.until_shown("Restarted hap 1 (train@2)");
    let screen = terminal.process();
    let supervisor = world.supervisor("1");
    assert!(supervisor.files().iter().all(|(_, file)| !file.starts_with("/dev/pts")), "{:?}", supervisor.files());
    terminal.send("q");
    assert!(terminal.end().success());
    screen.until_gone();
    assert_eq!(world.word("train"), "running");
}

#[test]
fn stderr_and_a_filter_are_a_key_away() {
    let (world, mut terminal) = shown();
    world.run(&["-n", "other", "sleep", "60"]);
    terminal.until_shown("other");
    terminal.send("e");
    terminal.until("stderr", |text| text.contains("train stderr") && text.contains("oops"));
    terminal.send("/oth\r");
    terminal.until("the other one alone", |text| text.contains("filter: oth") && !text.contains("train"));
    terminal.send("\u{1b}");
    terminal.until("both", |text| text.contains("train") && !text.contains("filter: "));
}

#[test]
fn it_ends_by_a_key_or_a_signal_and_leaves_the_terminal_as_it_was() {
    for (keys, signal, code) in [
        ("q", 0, 0),
        ("\u{3}", 0, 0),
        ("", libc::SIGINT, 0),
        ("", libc::SIGTERM, 128 + libc::SIGTERM),
        ("", libc::SIGHUP, 128 + libc::SIGHUP),
    ] {
        let (world, mut terminal) = shown();
        assert!(terminal.is_taken());
        if signal == 0 {
            terminal.send(keys);
        } else {
            terminal.process().signal(signal);
        }
        assert_eq!(terminal.end().code(), Some(code), "{keys:?} {signal}");
        terminal.assert_restored();
        assert_eq!(world.word("train"), "running");
    }
}

#[test]
fn after_a_panic_the_terminal_is_as_it_was_and_shows_what_happened() {
    if world::IS_RELEASED {
        skip!("what is released cannot be asked to panic");
    }
    let world = World::new();
    let variables = [("TERM", "xterm-256color"), ("HAPLESS_PANIC_IN_TOP", "1")];
    let mut terminal = Terminal::start_with(&world, &["top"], SIZE, &variables);
    assert!(!terminal.end().success());
    terminal.assert_restored();
    terminal.until_shown("a test has asked for a panic");
}

#[test]
fn every_size_of_window_is_drawn() {
    let (world, mut terminal) = shown();
    world.run(&["-n", &"訓".repeat(60), "sleep", "60"]);
    for size in [(80, 24), (71, 12), (40, 10), (20, 6), (9, 3), (2, 2), (1, 1), (220, 60), (80, 24)] {
        terminal.resize(size);
        terminal.send(DOWN);
        terminal.send("\u{1b}[A");
    }
    terminal.until("the whole screen", |text| text.contains("● running") && text.contains("first line"));
    assert!(terminal.process().is_alive());
}

#[test]
fn output_that_a_terminal_would_obey_is_shown_escaped() {
    let world = World::new();
    world.run(&["-n", "nasty", "sh", "-c", r"printf '\033]0;title\007\033[2J\033[31mred\033[0m\n'; exec sleep 60"]);
    let terminal = Terminal::start(&world, &["top"], SIZE);
    terminal.until("it escaped", |text| text.replace(['\n', ' '], "").contains(r"\x1b]0;title\x07\x1b[2Jred"));
}

#[test]
fn without_a_terminal_it_says_what_to_do_instead() {
    let world = World::new();
    let expected =
        "error: hap top needs a terminal\n hint: `hap` prints the list, `hap logs -f ALIAS` follows one log\n";
    assert_eq!(world.hap(&["top"]).fails(1), expected);
}

#[test]
fn an_empty_world_is_shown_too() {
    let world = World::new();
    let mut terminal = Terminal::start(&world, &["top"], SIZE);
    terminal.until_shown("No haps yet");
    terminal.send("pskR/x\r");
    world.run(&["-n", "axle", "sleep", "60"]);
    terminal.until_shown("axle");
    wait_for("the program", || terminal.process().is_alive());
}
