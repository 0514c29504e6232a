//! `hap --watch`: the list, live, on a terminal that is left as it was found.

mod world;

use world::process::Process;
use world::terminal::Terminal;
use world::{World, wait_for};

const SIZE: (u16, u16) = (80, 24);

/// A world with one that runs, and a terminal that watches it.
fn watched() -> (World, Terminal) {
    let world = World::new();
    world.run(&["-n", "train", "sleep", "60"]);
    let terminal = Terminal::start(&world, &["--watch"], SIZE);
    terminal.until_shown("train");
    (world, terminal)
}

#[test]
fn what_comes_ends_is_renamed_restarted_and_cleaned_is_seen() {
    let (world, terminal) = watched();
    world.run(&["-n", "other", "sleep", "60"]);
    terminal.until_shown("other");
    world.hap(&["pause", "train"]).ok();
    terminal.until_shown("paused");
    world.hap(&["kill", "train"]).ok();
    terminal.until_shown("failed");
    world.hap(&["kill", "other"]).ok();
    terminal.until("the end of both", |text| text.matches("failed").count() == 2);
    // Nothing runs any more: only what the kernel tells wakes it now.
    world.hap(&["rename", "train", "model"]).ok();
    terminal.until_shown("model");
    world.hap(&["restart", "model"]).ok();
    terminal.until_shown("model@2");
    world.hap(&["clean"]).ok();
    terminal.until("one less", |text| !text.contains("other") && text.contains("model@2"));
}

#[test]
fn the_runtime_goes_on_while_something_runs() {
    let (_world, terminal) = watched();
    let before = terminal.text();
    terminal.until("a later runtime", |text| text != before);
}

#[test]
fn idle_it_sleeps() {
    let world = World::new();
    let id = world.run(&["true"]);
    world.until_ended(&id);
    let terminal = Terminal::start(&world, &["--watch"], SIZE);
    terminal.until_shown("success");
    let process = terminal.process();
    wait_for("sleep", || process.stat().is_some_and(|stat| stat.state == 'S'));
    let before = process.sleeps();
    // The time that something else takes: a second hap that runs for a second, in another world.
    let elsewhere = World::new();
    let other = elsewhere.run(&["sleep", "1"]);
    elsewhere.until_ended(&other);
    assert!(process.sleeps() <= before + 2, "it slept {} times more", process.sleeps() - before);
}

#[test]
fn it_ends_by_a_key_or_a_signal_and_leaves_the_terminal_as_it_was() {
    for (keys, signal, code) in [
        ("q", 0, 0),
        ("\u{3}", 0, 0),
        ("\u{1b}", 0, 0),
        ("", libc::SIGINT, 0),
        ("", libc::SIGTERM, 128 + libc::SIGTERM),
        ("", libc::SIGHUP, 128 + libc::SIGHUP),
        ("", libc::SIGQUIT, 128 + libc::SIGQUIT),
    ] {
        let (world, mut terminal) = watched();
        assert!(terminal.is_taken());
        if signal == 0 {
            terminal.send(keys);
        } else {
            terminal.process().signal(signal);
        }
        assert_eq!(terminal.end().code(), Some(code), "{keys:?} {signal}");
        terminal.assert_restored();
        assert!(!terminal.text().contains("train"), "the screen is the one before");
        assert_eq!(world.word("train"), "running");
    }
}

#[test]
fn a_window_of_another_size_is_filled_anew() {
    let (world, terminal) = watched();
    world.run(&["-n", "a-name-that-needs-some-room", "sleep", "60"]);
    for size in [(40, 10), (20, 5), (3, 2), (1, 1), (200, 50), (80, 24)] {
        terminal.resize(size);
        // What is drawn for a narrower window leaves no rest behind.
        terminal.until("the footer", |text| size.0 < 20 || text.contains("q quits") || text.contains("no room"));
    }
    let text = terminal.until_shown("a-name-that-needs-some-room");
    assert_eq!(text.matches("train").count(), 1, "{text}");
}

#[test]
fn a_suspended_one_gives_the_terminal_back_until_it_goes_on() {
    let (world, mut terminal) = watched();
    let process: Process = terminal.process();
    // A group without a shell is never stopped from the terminal (setpgid(2), orphaned): it goes on at once.
    process.signal(libc::SIGTSTP);
    world.run(&["-n", "other", "sleep", "60"]);
    terminal.until_shown("other");
    assert!(terminal.is_taken());
    terminal.send("q");
    assert!(terminal.end().success());
    terminal.assert_restored();
}

#[test]
fn it_takes_the_options_of_a_list() {
    let world = World::new();
    world.run(&["-n", "good", "true"]);
    world.run(&["-n", "busy", "sleep", "60"]);
    world.run(&["-n", "lazy", "sleep", "60"]);
    world.until_ended("good");
    let shows = |arguments: &[&str], names: &[&str]| {
        let terminal = Terminal::start(&world, arguments, SIZE);
        let text = terminal.until_shown("q quits");
        for name in ["good", "busy", "lazy"] {
            assert_eq!(text.contains(name), names.contains(&name), "{name} in {text}");
        }
    };
    shows(&["-w", "--filter", "running"], &["busy", "lazy"]);
    shows(&["status", "--watch", "-v", "--sort", "memory"], &["good", "busy", "lazy"]);
    shows(&["status", "--watch", "lazy", "1"], &["good", "lazy"]);
    assert!(world.hap(&["status", "-w", "lzay"]).fails(1).contains("did you mean lazy?"));
    assert_eq!(world.hap(&["-w", "--json"]).code, 2);
}

#[test]
fn in_a_low_window_old_finished_ones_give_way_to_what_runs() {
    let world = World::new();
    for number in 0..12 {
        let id = world.run(&["-n", &format!("old-{number}"), "true"]);
        world.until_ended(&id);
    }
    world.run(&["-n", "busy", "sleep", "60"]);
    let terminal = Terminal::start(&world, &["-w"], (80, 12));
    let text = terminal.until_shown("q quits");
    assert!(text.contains("busy") && text.contains("older ones have finished"), "{text}");
    assert!(text.contains("old-11") && !text.contains("old-2 "), "{text}");
}

#[test]
fn it_waits_for_the_first_hap_of_all() {
    let world = World::new();
    let terminal = Terminal::start(&world, &["-w"], SIZE);
    terminal.until_shown("No haps yet");
    assert!(!world.path("state").exists(), "looking makes nothing");
    world.run(&["-n", "first", "sleep", "60"]);
    terminal.until_shown("first");
}

#[test]
fn without_a_terminal_it_says_what_to_do_instead() {
    let world = World::new();
    world.run(&["sleep", "60"]);
    let expected = "error: --watch needs a terminal\n hint: leave --watch out, or use `hap wait` to wait for an end\n";
    assert_eq!(world.hap(&["--watch"]).fails(1), expected);
    let mut terminal = Terminal::start_with(&world, &["-w"], SIZE, &[("TERM", "dumb")]);
    assert_eq!(terminal.end().code(), Some(1));
    terminal.until_shown("needs a terminal");
}
