//! Logs of more than one: of the runs before, through a restart, of several haps at once.
#![allow(missing_docs)] // a test

mod world;

use std::fs;
use std::io::Write;

use world::World;
use world::following::{Following, echoing_with, say_to, until_long};

/// A hap whose runs print what is in `work/word` when they begin, to both streams.
fn with_runs(world: &World, words: &[&str]) -> String {
    let mut id = String::new();
    for (number, word) in words.iter().enumerate() {
        fs::write(world.work("word"), format!("{word}\n")).expect("our own file");
        if number == 0 {
            id = world.run_sh("cat word; echo \"not $(cat word)\" >&2");
        } else {
            world.hap(&["restart", &id]).ok();
        }
        world.until_ended(&id);
    }
    id
}

#[test]
fn each_run_before_can_be_read_by_its_number() {
    let world = World::new();
    let id = with_runs(&world, &["one", "two", "three"]);
    for (options, text) in [
        (&[][..], "three\n"),
        (&["--previous"], "two\n"),
        (&["--previous", "--stderr"], "not two\n"),
        (&["--run", "1"], "one\n"),
        (&["--run=2"], "two\n"),
        (&["--run", "3"], "three\n"),
        (&["--run", "1", "-n", "0"], ""),
        (&["--run", "1", "--all"], "one\nnot one\n"),
    ] {
        let arguments = [&["logs", &id], options].concat();
        assert_eq!(world.hap(&arguments).ok(), text, "{options:?}");
    }
    assert_eq!(world.hap(&["errors", "--run", "1", &id]).ok(), "not one\n");
}

#[test]
fn a_run_that_never_was_is_an_error_that_says_which_there_are() {
    let world = World::new();
    let id = with_runs(&world, &["one", "two"]);
    for number in ["0", "3", "4294967295"] {
        let said = world.hap(&["logs", "--run", number, &id]).fails(1);
        assert!(said.contains("its runs are 1 to 2"), "{said}");
    }
    assert_eq!(world.hap(&["logs", "--run", "x", &id]).code, 2);
    assert_eq!(world.hap(&["logs", "--run", "1", "--previous", &id]).code, 2);
    let only = world.run(&["true"]);
    assert!(world.hap(&["logs", "--previous", &only]).fails(1).contains("no run before"));
    assert!(world.hap(&["logs", "--run", "2", &only]).fails(1).contains("run 1 is the only one"));
}

#[test]
fn a_run_before_is_over_so_following_it_ends_though_the_hap_goes_on() {
    let world = World::new();
    let id = world.run_sh("echo run; exec sleep 1000");
    until_long(&world, &id, 4);
    world.hap(&["restart", "-t", "0", &id]).ok();
    for options in [&["--previous"][..], &["--run", "1"], &["--previous", "--retry"]] {
        let arguments = [&["logs", "-f", &id], options].concat();
        assert_eq!(world.hap(&arguments).ok(), "run\n", "{options:?}");
    }
    assert_eq!(world.word(&id), "running");
}

#[test]
fn following_ends_at_a_restart_with_all_that_the_old_run_wrote() {
    let world = World::new();
    let id = world.run_sh("trap 'echo last; exit 0' TERM; echo first; while :; do sleep 0.01; done");
    let mut following = Following::start(&world, &["logs", "-f", &id]);
    assert_eq!(following.line(), "first\n");
    world.hap(&["restart", &id]).ok();
    assert_eq!(following.rest(), ("last\n".into(), 0));
}

#[test]
fn with_retry_following_goes_on_through_an_end_and_a_restart() {
    let world = World::new();
    fs::write(world.work("word"), "one\n").expect("our own file");
    let id = world.run_sh("cat word; echo end");
    let mut following = Following::start(&world, &["logs", "-f", "--retry", &id]);
    assert_eq!((following.line(), following.line()), ("one\n".into(), "end\n".into()));
    world.until_ended(&id);
    for (number, word) in [(2, "two"), (3, "three"), (4, "four")] {
        fs::write(world.work("word"), format!("{word}\n")).expect("our own file");
        world.hap(&["restart", &id]).ok();
        assert_eq!((following.line(), following.line()), (format!("{word}\n"), "end\n".into()));
        following.until_said(&format!("here begins run {number}"));
    }
    following.hap.process().signal(libc::SIGINT);
    assert_eq!(following.rest().0, "");
}

#[test]
fn with_retry_the_last_words_of_a_run_come_before_the_next_one() {
    let world = World::new();
    let id = world.run_sh("trap 'echo last; exit 0' TERM; echo first; while :; do sleep 0.01; done");
    let mut following = Following::start(&world, &["logs", "-f", "--retry", &id]);
    assert_eq!(following.line(), "first\n");
    for _ in 0..3 {
        world.hap(&["restart", &id]).ok();
        assert_eq!((following.line(), following.line()), ("last\n".into(), "first\n".into()));
    }
    world.hap(&["kill", &id]).ok();
    world.hap(&["clean"]).ok();
    assert_eq!(following.rest(), (String::new(), 0), "it ends when the hap is no more");
}

#[test]
fn to_retry_means_nothing_without_following() {
    let world = World::new();
    let id = world.run(&["true"]);
    assert_eq!(world.hap(&["logs", "--retry", &id]).code, 2);
}

#[test]
fn several_are_printed_one_after_the_other_below_their_names() {
    let world = World::new();
    let web = world.run(&["-n", "web", "sh", "-c", "echo a; echo b"]);
    let worker = world.run(&["-n", "worker", "sh", "-c", "echo c; printf d"]);
    world.until_ended(&web);
    world.until_ended(&worker);
    assert_eq!(world.hap(&["logs", "web", "worker"]).ok(), "==> web <==\na\nb\n\n==> worker <==\nc\nd");
    assert_eq!(world.hap(&["logs", "-n", "1", &worker, &web]).ok(), "==> worker <==\nd\n==> web <==\nb\n");
    let outcome = world.hap(&["logs", "web", "nobody", "worker"]);
    assert_eq!(outcome.stdout, "==> web <==\na\nb\n\n==> worker <==\nc\nd", "{outcome:?}");
    assert!(outcome.code == 1 && outcome.stderr.contains("nobody"), "{outcome:?}");
}

#[test]
fn several_are_followed_with_their_names_before_whole_lines() {
    let world = World::new();
    let web = echoing_with(&world, "web", &["-n", "web"]);
    let worker = echoing_with(&world, "worker", &["-n", "worker"]);
    let (mut to_web, mut to_worker) = (say_to(&world, "web"), say_to(&world, "worker"));
    writeln!(to_web, "zero\none").expect("it reads");
    until_long(&world, &web, 9);
    let mut following = Following::start(&world, &["logs", "-f", "-n", "1", &web, &worker]);
    assert_eq!(following.line(), "web    | one\n");
    writeln!(to_worker, "two").expect("it reads");
    assert_eq!(following.line(), "worker | two\n");
    writeln!(to_web, "three\nend").expect("it reads");
    assert_eq!(following.line(), "web    | three\n");
    world.until_ended(&web);
    writeln!(to_worker, "four\nend").expect("it reads");
    assert_eq!(following.rest(), ("worker | four\n".into(), 0), "it ends with the last of them");
}

#[test]
fn one_of_several_that_is_unknown_does_not_keep_the_others_from_being_followed() {
    let world = World::new();
    let id = world.run(&["-n", "web", "echo", "a"]);
    world.until_ended(&id);
    let outcome = world.hap(&["logs", "-f", "nobody", "web"]);
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("web | a\n", 1), "{outcome:?}");
}
