//! `hap wait` and `hap run --wait`.
#![allow(missing_docs)] // a test

mod world;

use std::time::{Duration, Instant};

use world::{Companion, World, json};

#[test]
fn it_returns_the_code_of_the_command() {
    let world = World::new();
    for (script, code, text) in [("exit 0", 0, "success, code 0"), ("exit 7", 7, "failed, code 7")] {
        let id = world.run_sh(script);
        let waited = world.hap(&["wait", &id]);
        assert_eq!(waited.code, code, "{waited:?}");
        assert!(waited.stdout.contains(text) && waited.stderr.is_empty(), "{waited:?}");
        assert_eq!(world.hap(&["wait", &id]).code, code, "also once it has ended");
    }
}

#[test]
fn an_end_by_a_signal_is_128_and_its_number() {
    let world = World::new();
    for (signal, code) in [("KILL", 137), ("TERM", 143), ("USR1", 138)] {
        let id = world.run_sh(&format!("kill -{signal} $$; sleep 60"));
        let waited = world.hap(&["wait", &id]);
        assert_eq!(waited.code, code, "{waited:?}");
        assert!(waited.stdout.contains(&format!("SIG{signal}")), "{waited:?}");
    }
}

#[test]
fn the_last_one_named_decides() {
    let world = World::new();
    let (three, five) = (world.run_sh("exit 3"), world.run_sh("exit 5"));
    assert_eq!(world.hap(&["wait", &three, &five]).code, 5);
    assert_eq!(world.hap(&["wait", &five, &three]).code, 3);
}

#[test]
fn an_unknown_one_is_reported_and_the_others_waited_for() {
    let world = World::new();
    let id = world.run_sh("exit 3");
    let waited = world.hap(&["wait", "nobody", &id]);
    assert_eq!(waited.code, 1);
    assert!(waited.stderr.contains("nobody") && waited.stdout.contains("failed, code 3"), "{waited:?}");
    assert_eq!(world.hap(&["wait"]).code, 2);
}

#[test]
fn it_sleeps_until_the_command_ends_and_is_woken_at_once() {
    let world = World::new();
    let id = world.run_sh("sleep 1; exit 9");
    let mut waiting = Companion::start(world.command(&["wait", &id]));
    let process = waiting.process();
    process.until_gone();
    // Looking every 10 ms would be a hundred.
    assert!(process.sleeps() < 40, "it was woken {} times", process.sleeps());
    assert_eq!(waiting.end(), 9);
}

#[test]
fn a_paused_one_is_waited_for_and_the_time_can_be_up() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    world.hap(&["pause", &id]).ok();
    let begin = Instant::now();
    let waited = world.hap(&["wait", "--timeout", "0.2", &id]);
    assert!(begin.elapsed() >= Duration::from_millis(200));
    assert_eq!(waited.code, 124, "{waited:?}");
    assert!(waited.stderr.contains("still paused"), "{waited:?}");
    assert_eq!(world.hap(&["wait", "-t", "0", &id]).code, 124, "no time at all is just a look");
    for wrong in ["-1", "x", "", "1e99"] {
        assert_eq!(world.hap(&["wait", "--timeout", wrong, &id]).code, 2, "{wrong:?}");
    }
}

#[test]
fn an_end_that_nobody_saw_is_no_success() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    if !world.lose(&id) {
        skip!("this init keeps zombies, which tell how they ended");
    }
    let waited = world.hap(&["wait", &id]);
    assert_eq!(waited.code, 1, "{waited:?}");
    assert!(waited.stdout.contains("lost"), "{waited:?}");
}

#[test]
fn json_is_an_object_for_one_and_an_array_for_more() {
    let world = World::new();
    let (three, five) = (world.run_sh("exit 3"), world.run_sh("exit 5"));
    let one = world.hap(&["wait", "--json", &three]);
    assert_eq!((one.code, json(&one.stdout)["rc"].as_i64()), (3, Some(3)));
    let both = world.hap(&["wait", "--json", &three, &five]);
    let codes: Vec<i64> =
        json(&both.stdout).as_array().expect("an array").iter().filter_map(|hap| hap["rc"].as_i64()).collect();
    assert_eq!((both.code, codes), (5, vec![3, 5]));
}

#[test]
fn run_wait_is_run_and_wait() {
    let world = World::new();
    let waited = world.hap(&["run", "--wait", "-n", "seven", "sh", "-c", "echo out; exit 7"]);
    assert_eq!(waited.code, 7, "{waited:?}");
    assert!(
        waited.stdout.starts_with("Started hap 1 (seven)") && waited.stdout.contains("failed, code 7"),
        "{waited:?}"
    );
    let quiet = world.hap(&["run", "--wait", "-q", "true"]);
    assert_eq!((quiet.code, quiet.stdout.as_str()), (0, "2\n"));
    let object = world.hap(&["run", "--wait", "--json", "sh", "-c", "kill -9 $$"]);
    assert_eq!((object.code, json(&object.stdout)["rc"].as_i64()), (137, Some(-9)));
    assert_eq!(world.hap(&["run", "--wait", "no-such-command"]).code, 127);
    assert_eq!(world.hap(&["run", "--wait", "--check", "true"]).code, 2);
}

#[test]
fn ctrl_c_ends_the_waiting_and_leaves_the_command_alone() {
    let world = World::new();
    let mut command = world.command(&["run", "--wait", "sleep", "60"]);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
    let mut waiting = Companion::start(command);
    world::wait_for("it has started", || !world.ids().is_empty());
    let process = waiting.process();
    world::wait_for("it waits", || process.holds_back(libc::SIGINT));
    process.signal(libc::SIGINT);
    // By the signal: a shell ends its script for nothing else.
    assert_eq!(waiting.end(), -libc::SIGINT);
    let mut said = String::new();
    std::io::Read::read_to_string(&mut waiting.0.stderr.take().expect("piped"), &mut said).expect("text");
    assert!(said.contains("goes on") && said.contains("hap logs -f 1"), "{said}");
    assert_eq!(world.word("1"), "running");
}
