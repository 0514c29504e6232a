//! `hap run --check`.
#![allow(missing_docs)] // a test

mod world;

use std::time::{Duration, Instant};

use world::{World, finish, json};

fn check(world: &World, seconds: &str, words: &[&str]) -> world::Outcome {
    let mut command = world.command(&[&["run", "--check"], words].concat());
    command.env("HAPLESS_FAILFAST_TIMEOUT", seconds);
    finish(command)
}

#[test]
fn what_fails_in_time_is_a_failure_with_its_stderr() {
    let world = World::new();
    let failed = check(&world, "60", &["-n", "bad", "sh", "-c", "echo out; echo reason >&2; exit 4"]);
    assert_eq!(failed.code, 1);
    assert!(failed.stdout.contains("Hap 1 (bad) has not stayed healthy: failed, code 4"), "{failed:?}");
    assert_eq!(failed.stderr, "reason\n", "silence but for its stderr");
    assert_eq!(world.word("bad"), "failed");
}

#[test]
fn merged_output_is_shown_as_it_was_written() {
    let world = World::new();
    let failed = check(&world, "60", &["--merge", "sh", "-c", "echo out; echo reason >&2; exit 4"]);
    assert_eq!((failed.code, failed.stderr.as_str()), (1, "out\nreason\n"));
}

#[test]
fn it_returns_the_moment_the_command_ends() {
    let world = World::new();
    let begin = Instant::now();
    let finished = check(&world, "3600", &["true"]);
    assert!(begin.elapsed() < Duration::from_secs(60));
    assert_eq!(finished.code, 0);
    assert!(finished.stdout.contains("has finished successfully") && finished.stderr.is_empty(), "{finished:?}");
}

#[test]
fn what_still_runs_then_is_healthy() {
    let world = World::new();
    for seconds in ["0.2", "0"] {
        let healthy = check(&world, seconds, &["sleep", "60"]);
        assert_eq!(healthy.code, 0);
        assert!(healthy.stdout.contains("is healthy: still running after 0."), "{healthy:?}");
        assert_eq!(healthy.stderr, "", "no spinner where nobody looks");
    }
}

#[test]
fn a_time_that_makes_no_sense_is_an_error_that_starts_nothing() {
    let world = World::new();
    for seconds in ["soon", "-1", "nan", "inf"] {
        let refused = check(&world, seconds, &["true"]);
        assert_eq!((refused.code, refused.stdout.as_str()), (1, ""), "{seconds}");
        assert!(refused.stderr.contains("HAPLESS_FAILFAST_TIMEOUT"), "{refused:?}");
    }
    assert!(world.list().is_empty());
    assert_eq!(check(&world, "", &["true"]).code, 0, "empty counts as unset");
}

#[test]
fn json_says_whether_it_is_healthy() {
    let world = World::new();
    let object = json(&check(&world, "0.1", &["--json", "sleep", "60"]).ok());
    assert_eq!((&object["healthy"], &object["status"]), (&true.into(), &"running".into()));
    let failed = check(&world, "60", &["--json", "sh", "-c", "exit 4"]);
    assert_eq!((failed.code, &json(&failed.stdout)["healthy"]), (1, &false.into()));
}
