//! `hap kill` and `hap stop`: nothing of the hap is left, and the record says how it ended.

mod world;

use std::time::{Duration, Instant};

use world::{Companion, World, process, wait_for};

/// No process of this world is left at all.
#[track_caller]
fn assert_nobody_left(world: &World) {
    // The supervisor ends on its own, a moment after what it waited for.
    wait_for("the last process to go", || process::of_world(&world.path("")).iter().all(|one| !one.is_alive()));
}

#[test]
fn kill_ends_it_and_the_record_says_so_when_it_returns() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    let command = world.main_process(&id);
    let said = world.hap(&["kill", &id]).ok();
    assert!(said.contains(&id), "{said}");
    assert!(!command.is_alive());
    let record = world.record(&id);
    assert_eq!(record["end"]["outcome"]["signaled"], 9, "{record}");
    let status = world.status(&id);
    assert_eq!((status["status"].as_str(), status["rc"].as_i64()), (Some("failed"), Some(-9)));
    assert_nobody_left(&world);
}

#[test]
fn kill_ends_what_cannot_be_asked() {
    let world = World::new();
    let id = world.run_sh("trap '' HUP INT QUIT TERM USR1 TSTP; echo $$ > ready; while :; do sleep 60; done");
    world.until_written("ready");
    world.hap(&["kill", &id]).ok();
    assert_eq!(world.status(&id)["rc"], -9);
    assert_nobody_left(&world);
}

#[test]
fn kill_ends_a_paused_tree() {
    let world = World::new();
    let id = world.run_sh("sleep 61 & sleep 62 & echo $$ > ready; wait");
    world.until_written("ready");
    world.hap(&["pause", &id]).ok();
    world.hap(&["kill", &id]).ok();
    assert_eq!(world.status(&id)["rc"], -9);
    assert_nobody_left(&world);
}

#[test]
fn kill_takes_several_and_reports_an_unknown_one() {
    let world = World::new();
    world.run(&["-n", "a", "sleep", "60"]);
    world.run(&["-n", "b", "sleep", "60"]);
    world.run(&["-n", "c", "sleep", "60"]);
    let outcome = world.hap(&["kill", "a", "nobody", "c"]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("nobody"), "{outcome:?}");
    let words = ["a", "b", "c"].map(|name| world.word(name));
    assert_eq!(words, ["failed", "running", "failed"]);
}

#[test]
fn kill_all_ends_all_that_is_active_and_nothing_else_changes() {
    let world = World::new();
    world.run(&["-n", "done", "true"]);
    let done = world.until_ended("done");
    world.run(&["-n", "busy", "sleep", "60"]);
    world.run(&["-n", "idle", "sleep", "60"]);
    world.hap(&["pause", "idle"]).ok();
    world.hap(&["kill", "--all"]).ok();
    let words = ["busy", "idle"].map(|name| world.word(name));
    assert_eq!(words, ["failed", "failed"]);
    assert_eq!(world.status("done"), done);
    assert_nobody_left(&world);
}

#[test]
fn kill_all_with_nothing_active_is_no_error() {
    let world = World::new();
    world.hap(&["kill", "--all"]).ok();
    let id = world.run(&["true"]);
    world.until_ended(&id);
    world.hap(&["kill", "-a"]).ok();
}

#[test]
fn one_that_has_ended_cannot_be_killed_or_stopped() {
    let world = World::new();
    let id = world.run_sh("exit 3");
    world.until_ended(&id);
    for verb in ["kill", "stop"] {
        let refused = world.hap(&[verb, &id]).fails(1);
        assert!(refused.contains("failed"), "{refused}");
    }
    assert_eq!(world.status(&id)["rc"], 3);
}

#[test]
fn wrong_usage_is_exit_2() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    let wrong =
        [&["kill"][..], &["stop"], &["kill", "--all", &id], &["stop", "-t", "x", &id], &["stop", "--timeout=-1", &id]];
    for arguments in wrong {
        assert_eq!(world.hap(arguments).code, 2, "{arguments:?}");
    }
    assert_eq!(world.word(&id), "running");
}

#[test]
fn stop_asks_first() {
    let world = World::new();
    let id = world.run_sh("trap 'echo asked; exit 5' TERM; echo $$ > ready; while :; do sleep 0.05; done");
    world.until_written("ready");
    let before = Instant::now();
    world.hap(&["stop", &id]).ok();
    assert!(before.elapsed() < Duration::from_secs(8), "it did not wait for its timeout");
    assert_eq!(world.record(&id)["end"]["outcome"]["exited"], 5);
    assert_eq!(world.hap(&["logs", &id]).ok(), "asked\n");
    assert_nobody_left(&world);
}

#[test]
fn stop_kills_what_does_not_listen_after_the_timeout() {
    let world = World::new();
    let id = world.run_sh("trap '' TERM; sleep 60 & echo $$ > ready; while :; do sleep 60; done");
    world.until_written("ready");
    let said = world.hap(&["stop", "-t", "0.3", &id]).ok();
    assert!(said.contains("kill"), "it says what it needed: {said}");
    assert_eq!(world.status(&id)["rc"], -9);
    assert_nobody_left(&world);
}

#[test]
fn stop_wakes_a_paused_hap_to_let_it_end_in_order() {
    let world = World::new();
    let id = world.run_sh("trap 'exit 6' TERM; echo $$ > ready; while :; do sleep 0.05; done");
    world.until_written("ready");
    world.hap(&["pause", &id]).ok();
    world.hap(&["stop", &id]).ok();
    assert_eq!(world.status(&id)["rc"], 6);
}

#[test]
fn stop_reaches_the_whole_tree() {
    let world = World::new();
    let id = world.run_sh("sh -c 'sleep 61 & sleep 62 & wait' & sleep 63 & echo $$ > ready; wait");
    world.until_written("ready");
    let supervisor = world.supervisor(&id);
    wait_for("all of the tree", || supervisor.descendants().iter().filter(|one| one.name() == "sleep").count() == 3);
    world.hap(&["stop", &id]).ok();
    assert_nobody_left(&world);
}

#[test]
fn stop_asks_all_of_several_before_it_waits_for_the_first() {
    let world = World::new();
    let busy = world.run_sh("trap '' TERM; echo deaf; while [ ! -e end ]; do sleep 0.01; done; exit 4");
    let polite = world.run_sh("trap 'exit 3' TERM; echo listening; while :; do sleep 0.01; done");
    for id in [&busy, &polite] {
        wait_for("it to be ready", || !world.hap(&["logs", id]).ok().is_empty());
    }
    let mut stop = Companion::start(world.command(&["stop", "-t", "60", &busy, &polite]));
    assert_eq!(world.until_ended(&polite)["rc"], 3);
    assert_eq!(world.word(&busy), "running", "it still has time");
    std::fs::write(world.work("end"), "").expect("a new file");
    assert_eq!(stop.end(), 0);
    assert_eq!(world.status(&busy)["rc"], 4);
}

#[test]
fn stop_with_no_time_at_all_still_ends_it() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    world.hap(&["stop", "--timeout", "0", &id]).ok();
    assert!(["failed"].contains(&world.word(&id).as_str()));
    assert_nobody_left(&world);
}

#[test]
fn several_killers_of_one_hap_do_not_disturb_each_other() {
    let world = World::new();
    let id = world.run_sh("for i in 1 2 3 4 5 6 7 8; do sleep 60 & done; wait");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let outcome = world.hap(&["kill", &id]);
                outcome.assert_calm();
                assert!([0, 1].contains(&outcome.code), "{outcome:?}");
            });
        }
    });
    assert_eq!(world.status(&id)["rc"], -9);
    assert_nobody_left(&world);
}

#[test]
fn a_hap_can_kill_itself() {
    let world = World::new();
    let mut command =
        world.command(&["run", "-q", "-n", "self", "sh", "-c", "sleep 61 & \"$HAP\" kill self; sleep 62"]);
    command.env("HAP", world::HAP);
    world::finish(command).ok();
    assert_eq!(world.until_ended("self")["rc"], -9);
}
