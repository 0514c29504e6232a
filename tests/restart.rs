//! `hap restart`.
#![allow(missing_docs)] // a test

mod world;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use world::{World, finish, json, wait_for};

#[test]
fn the_same_command_runs_again_under_the_same_id_and_name() {
    let world = World::new();
    world.run(&["-n", "again", "sh", "-c", "echo \"$HAP_ID $HAP_NAME $1\"; exit 3", "sh", "a  b"]);
    let first = world.until_ended("again");
    let said = world.hap(&["restart", "again"]).ok();
    assert!(said.starts_with("Restarted hap 1 (again@2), pid "), "{said}");
    let second = world.until_ended("again");
    assert_eq!((&second["hid"], &second["restarts"], &second["rc"]), (&1.into(), &1.into(), &3.into()));
    assert_ne!(first["pid"], second["pid"]);
    assert_eq!(world.hap(&["logs", "1"]).ok(), "1 again a  b\n", "the logs start afresh");
    assert!(world.hap(&[] as &[&str]).ok().contains("again@2"));
    assert_eq!(world.status("again@2")["hid"], 1, "what the table shows can be typed");
    for other in ["again@1", "again@3", "again@", "again@02", "@2"] {
        world.hap(&["status", other]).fails(1);
    }
    assert_eq!(world.list().len(), 1);
}

#[test]
fn environment_directory_umask_and_arguments_are_those_of_the_first_start() {
    let world = World::new();
    fs::create_dir(world.work("there")).expect("a new directory");
    let script = "cd there; umask 027; KEY='first value' \"$HAP\" run -q -n same -e EXTRA=1 sh -c 'pwd; umask; echo \"$KEY $EXTRA\"; printf \"%s|\" \"$@\"' sh '' \"$(printf 'two\\nlines')\" 'ü\\xff'";
    world.sh(script).ok();
    world.until_ended("same");
    let first = world.hap(&["logs", "same"]).bytes;
    assert!(String::from_utf8_lossy(&first).contains("there\n0027\nfirst value 1\n|two\nlines|"));
    let mut elsewhere = world.script("cd /; umask 077; KEY=second \"$HAP\" restart same");
    elsewhere.env("EXTRA", "2");
    finish(elsewhere).ok();
    world.until_ended("same");
    assert_eq!(world.hap(&["logs", "same"]).bytes, first);
}

#[test]
fn one_that_runs_or_is_paused_is_stopped_first_with_its_whole_tree() {
    for verb in [None, Some("pause")] {
        let world = World::new();
        let id = world.run_sh("rm -f ready; setsid sleep 61 & echo $! > child; echo $$ > ready; wait");
        world.until_written("ready");
        let (command, child) = (world.main_process(&id), world.process_in("child"));
        if let Some(verb) = verb {
            world.hap(&[verb, &id]).ok();
        }
        world.hap(&["restart", &id]).ok();
        assert!(!command.is_alive() && !child.is_alive());
        assert_eq!((world.word(&id).as_str(), world.status(&id)["restarts"].as_u64()), ("running", Some(1)));
    }
}

#[test]
fn one_that_does_not_listen_is_killed_after_the_timeout() {
    let world = World::new();
    let id = world.run_sh("trap '' TERM; echo $$ > ready; while :; do sleep 0.1; done");
    world.until_written("ready");
    let command = world.main_process(&id);
    world.hap(&["restart", "-t", "0.1", &id]).ok();
    assert!(!command.is_alive());
    assert_eq!(world.word(&id), "running");
}

#[test]
fn lost_and_failed_ones_run_again() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    if !world.lose(&id) {
        skip!("this init keeps zombies, which tell how they ended");
    }
    assert_eq!(world.word(&id), "lost");
    world.hap(&["restart", &id]).ok();
    assert_eq!(world.word(&id), "running");
    let runs = json(&world.hap(&["status", "-v", "--json", &id]).ok())["runs"].clone();
    assert_eq!(
        (&runs[0]["run"], &runs[0]["status"], &runs[0]["rc"]),
        (&1.into(), &"lost".into(), &serde_json::Value::Null)
    );
}

#[test]
fn several_at_once_and_an_unknown_one_does_not_keep_the_others() {
    let world = World::new();
    let (one, two) = (world.run(&["true"]), world.run(&["sleep", "60"]));
    world.until_ended(&one);
    let outcome = world.hap(&["restart", &one, "nobody", &two]);
    assert_eq!(outcome.code, 1);
    assert_eq!(outcome.stdout.lines().count(), 2, "{outcome:?}");
    assert!(world.list().iter().all(|hap| hap["restarts"] == 1));
    assert_eq!(world.hap(&["restart"]).code, 2);
}

#[test]
fn an_unknown_one_beside_one_whose_program_is_gone_is_exit_1() {
    let world = World::new();
    world.executable("program", "#!/bin/sh\n");
    let id = world.run(&["./program"]);
    world.until_ended(&id);
    std::fs::remove_file(world.work("program")).expect("it is there");
    assert_eq!(world.hap(&["restart", &id]).code, 127);
    assert_eq!(world.hap(&["restart", "nobody", &id]).code, 1);
    assert_eq!(world.hap(&["restart", &id, "nobody"]).code, 1);
}

#[test]
fn the_runs_before_are_listed_with_their_codes() {
    let world = World::new();
    let id = world.run_sh("n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) > n; echo run $n; exit $n");
    for _ in 0..3 {
        world.until_ended(&id);
        world.hap(&["restart", &id]).ok();
    }
    assert_eq!(world.until_ended(&id)["rc"], 3);
    let details = json(&world.hap(&["status", "-v", "--json", &id]).ok());
    let runs = details["runs"].as_array().expect("an array");
    let codes: Vec<_> = runs.iter().map(|run| (run["run"].as_u64(), run["rc"].as_i64())).collect();
    assert_eq!(codes, [(Some(1), Some(0)), (Some(2), Some(1)), (Some(3), Some(2))]);
    assert!(runs.iter().all(|run| run["runtime_seconds"].is_f64() && run["end_time"].is_string()));
    let panel = world.hap(&["status", "-v", &id]).ok();
    assert!(panel.contains("  1: success, code 0, after ") && panel.contains("  3: failed, code 2, after "), "{panel}");
}

#[test]
fn a_program_or_directory_that_is_gone_is_refused_and_the_hap_kept_as_it_was() {
    let world = World::new();
    fs::create_dir(world.work("there")).expect("a new directory");
    let program = world.executable("program", "#!/bin/sh\necho out; exec sleep 60\n");
    let id = world.run(&["-d", "there", program.to_str().expect("text")]);
    let command = world.main_process(&id);
    // The shell must have opened its script before that is moved.
    wait_for("its output", || world.hap(&["logs", &id]).ok() == "out\n");
    fs::rename(&program, world.work("away")).expect("our own");
    let refused = world.hap(&["restart", &id]);
    assert_eq!(refused.code, 127, "{refused:?}");
    assert!(command.is_alive(), "what runs is not stopped for nothing");
    fs::rename(world.work("away"), &program).expect("our own");
    fs::remove_dir(world.work("there")).expect("our own");
    let refused = world.hap(&["restart", &id]);
    assert_eq!(refused.code, 126, "{refused:?}");
    assert!(command.is_alive() && world.status(&id)["restarts"] == 0);
}

#[test]
fn one_that_cannot_be_executed_any_more_is_kept_with_its_end_and_its_output() {
    let world = World::new();
    let program = world.executable("program", "#!/bin/sh\necho precious; echo error >&2; exit 3\n");
    let id = world.run(&[&program]);
    let before = world.until_ended(&id);
    fs::write(&program, "#!/no/such/interpreter\n").expect("our own");
    for _ in 0..2 {
        let refused = world.hap(&["restart", &id]);
        assert_eq!((refused.code, refused.stdout.as_str()), (126, ""), "{refused:?}");
        assert_eq!(world.status(&id), before);
        assert_eq!(world.hap(&["logs", &id]).ok(), "precious\n");
        assert_eq!(world.hap(&["errors", &id]).ok(), "error\n");
    }
    fs::write(&program, "#!/bin/sh\necho back\n").expect("our own");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("our own");
    world.hap(&["restart", &id]).ok();
    assert_eq!(world.until_ended(&id)["restarts"], 1);
    assert_eq!(world.hap(&["logs", &id]).ok(), "back\n");
}

#[test]
fn of_many_restarts_at_once_the_others_say_why_and_nothing_runs_twice() {
    let world = World::new();
    let id = world.run_sh("echo $$ >> pids; exec sleep 60");
    world.until_written("pids");
    let outcome = world.sh(&format!("for i in 1 2 3 4 5 6; do \"$HAP\" restart {id} & done; wait"));
    let won = outcome.stdout.lines().count();
    let lost = outcome.stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!((won + lost, won >= 1), (6, true), "{outcome:?}");
    for line in outcome.stderr.lines().filter(|line| line.starts_with("error: ")) {
        assert!(line.contains("being changed by another hap command"), "{line}");
    }
    assert_eq!(world.status(&id)["restarts"], won);
    let alive: Vec<i32> = fs::read_to_string(world.work("pids"))
        .expect("pids")
        .lines()
        .filter_map(|pid| pid.parse().ok())
        .filter(|&pid| {
            world::process::Process::with_pid(pid)
                .is_some_and(|process| process.is_alive() && process.name() == "sleep")
        })
        .collect();
    assert_eq!(alive, [world.main_process(&id).pid], "one runs, and it is the recorded one");
}

#[test]
fn json_has_the_hap_as_it_is_now() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    let object = json(&world.hap(&["restart", "--json", &id]).ok());
    assert_eq!((&object["restarts"], &object["status"]), (&1.into(), &"running".into()));
    assert_eq!(object["pid"], world.record(&id)["process"]["pid"]);
}
