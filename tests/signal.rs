//! `hap signal`: which signal goes to whom.

mod world;

use serde_json::Value;
use world::World;

/// A hap whose command and whose child each write the name of the signals they get into files, and
/// go on. Returns once both listen.
fn listening(world: &World) -> String {
    let traps = |who: &str| {
        let one = |name: &str| format!("trap 'echo {name} >> {who}' {name}; ");
        ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "WINCH"].map(one).concat()
    };
    let listen = "while :; do sleep 60 & wait $!; done";
    world.executable("child.sh", &format!("#!/bin/sh\n{} echo $$ > child.pid\n{listen}\n", traps("child")));
    // A shell without job control lets its background commands ignore INT and QUIT for good.
    world.executable("main.sh", &format!("#!/bin/sh\n{} ./child.sh & echo $$ > main.pid\n{listen}\n", traps("main")));
    let id = world.run(&["./main.sh"]);
    world.process_in("main.pid");
    world.process_in("child.pid");
    id
}

#[test]
fn numbers_and_names_in_any_case_mean_the_same_signal() {
    let world = World::new();
    for signal in ["15", "TERM", "term", "SIGTERM", "SigTerm", "015"] {
        let id = world.run(&["sleep", "60"]);
        let said = world.hap(&["signal", &id, signal]).ok();
        assert!(said.contains("SIGTERM"), "{said}");
        let ended = world.until_ended(&id);
        assert_eq!((ended["rc"].as_i64(), ended["signal"].as_str()), (Some(-15), Some("SIGTERM")), "{signal}");
        assert_eq!(ended["status"], "failed");
    }
}

#[test]
fn every_deadly_signal_is_recorded_as_itself() {
    let world = World::new();
    for (signal, number) in [("HUP", 1), ("INT", 2), ("KILL", 9), ("USR1", 10), ("ALRM", 14), ("RTMIN+2", 36)] {
        let id = world.run(&["sleep", "60"]);
        world.hap(&["signal", &id, signal]).ok();
        assert_eq!(world.until_ended(&id)["rc"], -number, "{signal}");
    }
}

#[test]
fn what_is_no_signal_is_a_usage_error_and_nothing_is_sent() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    for signal in ["0", "65", "-9", "SIG", "KILLX", "", "9x", "\u{1b}[31m", "99999999999"] {
        let refused = world.hap(&["signal", &id, "--", signal]);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{signal:?}: {refused:?}");
        assert!(!refused.stderr.contains('\u{1b}'), "{refused:?}");
    }
    for arguments in
        [&["signal"][..], &["signal", &id], &["signal", &id, "-9"], &["signal", "--group", "--main", &id, "TERM"]]
    {
        assert_eq!(world.hap(arguments).code, 2, "{arguments:?}");
    }
    assert_eq!(world.word(&id), "running");
}

#[test]
fn one_that_is_not_active_cannot_be_signalled() {
    let world = World::new();
    let id = world.run(&["true"]);
    world.until_ended(&id);
    let refused = world.hap(&["signal", &id, "TERM"]).fails(1);
    assert!(refused.contains("success"), "{refused}");
}

#[test]
fn several_get_it_and_an_unknown_one_is_reported() {
    let world = World::new();
    world.run(&["-n", "a", "sleep", "60"]);
    world.run(&["-n", "b", "sleep", "60"]);
    let outcome = world.hap(&["signal", "a", "nobody", "b", "KILL"]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("nobody"), "{outcome:?}");
    for name in ["a", "b"] {
        assert_eq!(world.until_ended(name)["rc"], -9);
    }
}

#[test]
fn what_a_terminal_sends_to_a_job_goes_to_the_whole_group() {
    let world = World::new();
    let id = listening(&world);
    world.hap(&["signal", &id, "TERM"]).ok();
    assert_eq!((world.until_written("main"), world.until_written("child")), ("TERM".into(), "TERM".into()));
}

#[test]
fn all_others_go_to_the_command_itself() {
    let world = World::new();
    let id = listening(&world);
    for signal in ["HUP", "USR1", "USR2", "WINCH"] {
        world.hap(&["signal", &id, signal]).ok();
        world::wait_for("the command to hear it", || world.until_written("main").ends_with(signal));
    }
    // The child has heard none of them: it hears only the one that is now sent to all.
    world.hap(&["signal", &id, "TERM"]).ok();
    assert_eq!(world.until_written("child"), "TERM");
}

#[test]
fn group_and_main_choose_otherwise() {
    let world = World::new();
    let id = listening(&world);
    world.hap(&["signal", "--main", &id, "TERM"]).ok();
    assert_eq!(world.until_written("main"), "TERM");
    world.hap(&["signal", "--group", &id, "USR1"]).ok();
    assert_eq!(world.until_written("child"), "USR1");
    world::wait_for("the command to hear it", || world.until_written("main") == "TERM\nUSR1");
}

#[test]
fn stop_and_continue_are_seen_in_the_status() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    world.hap(&["signal", &id, "STOP"]).ok();
    world::wait_for("it to stop", || world.word(&id) == "paused");
    world.hap(&["signal", &id, "CONT"]).ok();
    world::wait_for("it to go on", || world.word(&id) == "running");
}

#[test]
fn a_signal_that_is_handled_leaves_it_running() {
    let world = World::new();
    let id = listening(&world);
    world.hap(&["signal", &id, "HUP"]).ok();
    assert_eq!(world.until_written("main"), "HUP");
    let status = world.status(&id);
    assert_eq!((&status["status"], &status["rc"]), (&Value::from("running"), &Value::Null));
}
