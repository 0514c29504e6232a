//! A recorded pid that is now a stranger's, in this boot or another, here or elsewhere, fools nobody.

mod world;

use serde_json::{Value, json};
use world::process::Process;
use world::strangers::{abandoned, assert_never_touched};
use world::{Companion, World};

fn as_json(process: Process) -> Value {
    json!({ "pid": process.pid, "start_ticks": process.start_ticks })
}

#[test]
fn a_pid_that_is_now_a_strangers_is_lost_and_never_touched() {
    let world = World::new();
    let Some(id) = abandoned(&world) else { skip!("the init here reaps nobody") };
    let stranger = Companion::stranger();
    let later = Process { start_ticks: stranger.process().start_ticks + 1, ..stranger.process() };
    let earlier = Process { start_ticks: stranger.process().start_ticks - 1, ..stranger.process() };
    for process in [later, earlier] {
        world.edit_record(&id, |record| {
            record["process"] = as_json(process);
            record["supervisor"] = as_json(process);
        });
        assert_never_touched(&world, &id, &stranger, "lost");
    }
}

#[test]
fn a_process_of_another_boot_is_lost_even_with_the_same_pid_and_start() {
    let world = World::new();
    let Some(id) = abandoned(&world) else { skip!("the init here reaps nobody") };
    let stranger = Companion::stranger();
    world.edit_record(&id, |record| {
        record["process"] = as_json(stranger.process());
        record["supervisor"] = as_json(stranger.process());
        record["place"]["boot_id"] = "00000000-0000-4000-8000-000000000000".into();
    });
    assert_never_touched(&world, &id, &stranger, "lost");
    let panel = world.hap(&["status", &id]).ok();
    assert!(panel.contains("the machine"), "the reason: {panel}");
}

#[test]
fn a_hap_of_another_host_is_shown_with_it_and_never_touched_or_removed() {
    let world = World::new();
    let Some(id) = abandoned(&world) else { skip!("the init here reaps nobody") };
    let stranger = Companion::stranger();
    world.edit_record(&id, |record| {
        record["process"] = as_json(stranger.process());
        record["supervisor"] = as_json(stranger.process());
        record["place"]["boot_id"] = "00000000-0000-4000-8000-000000000000".into();
        record["place"]["host"] = "far-away".into();
    });
    assert_never_touched(&world, &id, &stranger, "elsewhere");
    for arguments in [&["status", &id][..], &["status", "-v", &id]] {
        assert!(world.hap(arguments).ok().contains("far-away"));
    }
    assert_eq!(world.status(&id)["host"], "far-away");
    assert!(world.hap(&["kill", &id]).fails(1).contains("far-away"));
    world.hap(&["clean"]).ok();
    assert_eq!(world.ids(), [id]);
}

#[test]
fn a_hap_of_another_pid_namespace_is_never_touched() {
    let world = World::new();
    let Some(id) = abandoned(&world) else { skip!("the init here reaps nobody") };
    let stranger = Companion::stranger();
    world.edit_record(&id, |record| {
        record["process"] = as_json(stranger.process());
        record["supervisor"] = as_json(stranger.process());
        record["place"]["pid_namespace"] = 1.into();
    });
    assert_never_touched(&world, &id, &stranger, "elsewhere");
}

#[test]
fn one_of_a_machine_that_is_no_more_is_removed_only_if_asked_and_if_nobody_holds_its_lock() {
    let world = World::new();
    let unwatched = world.run(&["-n", "unwatched", "sleep", "60"]);
    let watched = world.run(&["-n", "watched", "sleep", "60"]);
    world.kill_supervisor(&unwatched);
    world.main_process(&unwatched).kill();
    for id in [&unwatched, &watched] {
        world.edit_record(id, |record| record["place"]["pid_namespace"] = 1.into());
        assert_eq!(world.word(id), "elsewhere");
    }
    let said = world.hap(&["clean"]).ok();
    assert!(
        said.contains("Nothing to clean") && said.contains("2 haps of other machines or containers stay"),
        "{said}"
    );
    assert!(world.hap(&["kill", "unwatched"]).fails(1).contains("`hap clean --elsewhere`"));
    let said = world.hap(&["clean", "--elsewhere"]).ok();
    assert!(said.starts_with("Removed 1 hap\n1 hap of another machine or container stays"), "{said}");
    assert_eq!(world.ids(), [watched]);
}

#[test]
fn impossible_pids_in_a_record_reach_nobody() {
    let world = World::new();
    let Some(id) = abandoned(&world) else { skip!("the init here reaps nobody") };
    let whole = world.record(&id);
    let init = Process::with_pid(1).map_or(0, |init| init.start_ticks);
    for pid in [1, 0, -1, -2, i32::MIN, i32::MAX] {
        for ticks in [0, init] {
            world.edit_record(&id, |record| {
                *record = whole.clone();
                record["process"] = json!({ "pid": pid, "start_ticks": ticks });
                record["supervisor"] = json!({ "pid": pid, "start_ticks": ticks });
            });
            for arguments in
                [&["kill", &id][..], &["stop", &id], &["pause", &id], &["signal", &id, "KILL"], &["kill", "--all"]]
            {
                world.hap(arguments).assert_calm();
            }
            assert_ne!(world.list()[0]["status"], "running");
        }
    }
}

#[test]
fn a_stranger_as_supervisor_of_a_running_hap_is_never_touched() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    world.kill_supervisor(&id);
    let stranger = Companion::stranger();
    let other = Process { start_ticks: stranger.process().start_ticks + 1, ..stranger.process() };
    world.edit_record(&id, |record| record["supervisor"] = as_json(other));
    assert_eq!(world.word(&id), "running");
    assert!(world.supervisor(&id).is_alive(), "it has a real one again");
    world.hap(&["kill", &id]).ok();
    assert!(stranger.process().is_alive() && !stranger.process().is_stopped());
}
