//! What the command has started and what then lost everything that connects it with the hap: its session, its parent,
//! and, with a `kill -9`, the supervisor that it would have come back to. The mark in its environment is left.
#![allow(missing_docs)] // a test

mod world;

use world::process::{Process, kernel_is};
use world::{World, wait_for};

/// Shell text that makes a daemon as daemons do: two forks, a session of its own. Its pid goes to `work/NAME`.
fn daemonise(name: &str) -> String {
    format!("setsid sh -c 'sleep 1000 & echo $! > {name}' < /dev/null > /dev/null 2>&1 &")
}

/// A hap with a daemon and without its supervisor.
fn orphaned(world: &World) -> (String, Process) {
    let id = world.run_sh(&format!("{} exec sleep 1000", daemonise("daemon")));
    let daemon = world.process_in("daemon");
    let supervisor = world.supervisor(&id);
    wait_for("it to be nobody's child", || daemon.stat().is_some_and(|stat| stat.parent == supervisor.pid));
    world.kill_supervisor(&id);
    (id, daemon)
}

#[test]
fn a_daemon_that_lost_its_supervisor_is_reached_by_pause_resume_and_kill() {
    let _ = needs!("setsid");
    let world = World::new();
    let (id, daemon) = orphaned(&world);
    world.hap(&["pause", &id]).ok();
    assert!(daemon.is_stopped());
    world.hap(&["resume", &id]).ok();
    wait_for("it to go on", || !daemon.is_stopped());
    let said = world.hap(&["kill", &id]).ok();
    assert!(said.ends_with(": 2 processes\n"), "{said}");
    assert!(!daemon.is_alive());
}

#[test]
fn a_daemon_that_lost_its_supervisor_is_reached_by_stop_and_by_restart() {
    let _ = needs!("setsid");
    for verb in ["stop", "restart"] {
        let world = World::new();
        let (id, daemon) = orphaned(&world);
        world.hap(&[verb, &id]).ok();
        assert!(!daemon.is_alive(), "{verb}");
    }
}

#[test]
fn a_daemon_that_is_made_under_a_new_supervisor_is_reached_as_well() {
    let _ = needs!("setsid");
    let world = World::new();
    assert_eq!(world.sh("mkfifo go").code, 0);
    let id = world.run_sh(&format!("read line < go; {} sleep 1000", daemonise("daemon")));
    world.kill_supervisor(&id);
    assert_eq!(world.word(&id), "running");
    assert_eq!(world.sh("echo go > go").code, 0);
    let daemon = world.process_in("daemon");
    world.hap(&["kill", &id]).ok();
    assert!(!daemon.is_alive());
}

#[test]
fn when_supervisor_and_command_are_killed_what_is_left_is_counted_killed_and_cleaned_last() {
    let _ = needs!("setsid");
    let world = World::new();
    let (id, daemon) = orphaned(&world);
    world.main_process(&id).kill();
    let status = world.status(&id);
    // Whoever looks while it is a zombie still sees how it ended.
    assert!(status["status"] == "lost" || status["signal"] == "SIGKILL", "{status}");
    assert_eq!(status["leftover"], 1, "{status}");
    world.hap(&["clean"]).ok();
    assert_eq!(world.list().len(), 1, "what still has a process stays");
    world.hap(&["kill", &id]).ok();
    assert!(!daemon.is_alive());
    world.hap(&["clean"]).ok();
    assert!(world.list().is_empty());
}

#[test]
fn when_the_command_ends_under_a_new_supervisor_what_is_left_is_counted() {
    let _ = needs!("setsid");
    if !kernel_is(6, 15) {
        skip!("this kernel tells strangers no exit status");
    }
    let world = World::new();
    assert_eq!(world.sh("mkfifo end").code, 0);
    let id = world.run_sh(&format!("{} read line < end; exit 5", daemonise("daemon")));
    let daemon = world.process_in("daemon");
    world.kill_supervisor(&id);
    assert_eq!(world.word(&id), "running");
    assert_eq!(world.sh("echo end > end").code, 0);
    let status = world.until_ended(&id);
    assert_eq!((&status["rc"], &status["leftover"]), (&5.into(), &1.into()), "{status}");
    world.hap(&["kill", &id]).ok();
    assert!(!daemon.is_alive());
    assert_eq!(world.status(&id)["leftover"], 0);
}

#[test]
fn a_hap_within_it_and_what_that_has_started_are_not_touched() {
    let _ = needs!("setsid");
    let world = World::new();
    let inner = format!("{} sleep 1000", daemonise("inner-daemon"));
    world.executable("inner", &format!("#!/bin/sh\n{inner}\n"));
    let id = world.run_sh(&format!("{} {} run -q -n inner ./inner; sleep 1000", daemonise("daemon"), world::HAP));
    let (daemon, inner_daemon) = (world.process_in("daemon"), world.process_in("inner-daemon"));
    let inner = world.main_process("2");
    let inner_supervisor = world.supervisor("2");
    world.kill_supervisor(&id);
    world.hap(&["kill", &id]).ok();
    assert!(!daemon.is_alive());
    assert!(inner.is_alive() && inner_daemon.is_alive() && inner_supervisor.is_alive());
    world.kill_supervisor("2");
    world.hap(&["kill", "2"]).ok();
    assert!(!inner.is_alive() && !inner_daemon.is_alive());
}
