//! Nothing fools `hap`, nothing escapes it, nothing is lost: who a process is, what belongs to a tree,
//! and what remains when a supervisor is killed.

mod world;

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use world::process::{self, Process, kernel_is};
use world::{World, wait_for};

/// Since Linux 6.15 the exit status is told to who is not the parent, too.
fn kernel_tells_strangers() -> bool {
    kernel_is(6, 15)
}

/// How a hap ended that its second supervisor watched: as it did, or where nobody can know, lost.
#[track_caller]
fn assert_ended_with(status: &Value, rc: i32) {
    if kernel_tells_strangers() || status["status"] != "lost" {
        assert_eq!(status["rc"], rc, "{status}");
    }
}

// ---- Supervision that heals ----

#[test]
fn a_killed_supervisor_leaves_the_command_running() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    let command = world.main_process(&id);
    world.kill_supervisor(&id);
    assert!(command.is_alive());
    assert_eq!(world.word(&id), "running");
    assert_eq!(world.main_process(&id), command);
}

#[test]
fn the_next_hap_of_any_kind_gives_it_a_new_supervisor() {
    let world = World::new();
    let id = world.run(&["-n", "train", "sh", "-c", "echo one; exec sleep 60"]);
    for arguments in [
        &[][..],
        &["status"],
        &["status", "train"],
        &["--json"],
        &["logs", "train"],
        &["clean"],
        &["signal", "1", "CONT"],
    ] {
        let old = world.supervisor(&id);
        old.kill();
        world.hap(arguments);
        let new = world.supervisor(&id);
        assert!(new.is_alive() && new != old, "hap {arguments:?}");
        assert_eq!((new.name(), new.stat().expect("it is there").terminal), (old_name(), 0));
    }
    assert_eq!(world.word(&id), "running");
}

fn old_name() -> String {
    "hap-supervisor".into()
}

#[test]
fn a_new_supervisor_records_the_real_exit_code() {
    for (code, script) in
        [(0, "exit 0"), (7, "exit 7"), (255, "exit 255"), (-15, "kill -TERM $$"), (-9, "kill -KILL $$")]
    {
        let world = World::new();
        nix::unistd::mkfifo(&world.work("go"), nix::sys::stat::Mode::S_IRWXU).expect("a new FIFO");
        let id = world.run_sh(&format!("read line < go; {script}"));
        world.kill_supervisor(&id);
        assert_eq!(world.word(&id), "running");
        fs::write(world.work("go"), "go\n").expect("it reads");
        let status = world.until_ended(&id);
        assert_ended_with(&status, code);
        assert_ne!((code, status["status"].as_str()), (7, Some("success")));
    }
}

#[test]
fn a_supervisor_that_is_only_just_being_killed_is_replaced() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    for _ in 0..30 {
        let old = world.supervisor(&id);
        // kill(2) returns before it is dead.
        old.signal(libc::SIGKILL);
        assert_eq!(world.word(&id), "running");
        let new = world.supervisor(&id);
        assert!(new != old && new.is_alive(), "{new:?} after {old:?}");
    }
}

#[test]
fn supervisors_may_be_killed_again_and_again() {
    let world = World::new();
    nix::unistd::mkfifo(&world.work("go"), nix::sys::stat::Mode::S_IRWXU).expect("a new FIFO");
    let id = world.run_sh("read line < go; exit 7");
    for _ in 0..10 {
        world.kill_supervisor(&id);
        assert_eq!(world.word(&id), "running");
    }
    fs::write(world.work("go"), "go\n").expect("it reads");
    assert_ended_with(&world.until_ended(&id), 7);
}

#[test]
fn many_that_meet_it_at_once_make_one_supervisor() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    world.kill_supervisor(&id);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(world.word(&id), "running"));
        }
    });
    let lock = world.file(&id, "lock");
    let holders = || {
        let all = process::of_world(&world.path(""));
        all.into_iter()
            .filter(|one| one.is_alive() && one.files().iter().any(|(_, file)| *file == lock))
            .collect::<Vec<_>>()
    };
    wait_for("one holder of the lock", || holders() == [world.supervisor(&id)]);
}

#[test]
fn a_paused_hap_without_supervisor_can_be_resumed_and_killed() {
    let world = World::new();
    let id = world.run_sh("sleep 61 & sleep 62 & wait");
    world.hap(&["pause", &id]).ok();
    world.kill_supervisor(&id);
    assert_eq!(world.word(&id), "paused");
    world.hap(&["resume", &id]).ok();
    assert_eq!(world.word(&id), "running");
    world.kill_supervisor(&id);
    world.hap(&["kill", &id]).ok();
    assert_ended_with(&world.status(&id), -9);
    wait_for("everybody to go", || process::of_world(&world.path("")).iter().all(|one| !one.is_alive()));
}

/// A hap that ends with 7 once a line is written to `go`, and its supervisor.
fn ends_when_told(world: &World) -> (String, Process) {
    nix::unistd::mkfifo(&world.work("go"), nix::sys::stat::Mode::S_IRWXU).expect("a new FIFO");
    let id = world.run_sh("read line < go; exit 7");
    let supervisor = world.supervisor(&id);
    (id, supervisor)
}

#[test]
fn a_supervisor_that_was_stopped_is_woken_by_the_next_hap() {
    let world = World::new();
    let (id, supervisor) = ends_when_told(&world);
    supervisor.signal(libc::SIGSTOP);
    wait_for("it to stop", || supervisor.is_stopped());
    let command = world.main_process(&id);
    fs::write(world.work("go"), "go\n").expect("it reads");
    wait_for("its end", || command.stat().is_none_or(|stat| stat.state == 'Z'));
    assert_eq!(world.status(&id)["rc"], 7);
    wait_for("the supervisor to record it and to go", || !supervisor.is_alive());
    let record = fs::read_to_string(world.file(&id, "record.json")).expect("a record");
    assert!(record.contains(r#""end":{"outcome":{"exited":7}"#), "{record}");
}

#[test]
fn no_signal_that_can_be_blocked_takes_a_supervisor_away() {
    let world = World::new();
    let (id, supervisor) = ends_when_told(&world);
    // The C libraries keep some of those above 31 for themselves, and leave them out of what they block.
    let numbers = (1..=64).filter(|&signal| signal != libc::SIGKILL && signal != libc::SIGSTOP);
    for number in numbers {
        world.sh(&format!("kill -{number} {}", supervisor.pid)).ok();
        assert!(supervisor.is_alive(), "signal {number}");
    }
    fs::write(world.work("go"), "go\n").expect("it reads");
    assert_eq!(world.until_ended(&id)["rc"], 7);
    assert_eq!(world.supervisor(&id).pid, supervisor.pid, "no other had to see it");
}

#[test]
fn when_both_are_killed_it_is_lost_and_says_why() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    if !world.lose(&id) {
        skip!("the init here reaps nobody");
    }
    let status = world.status(&id);
    assert_eq!((status["status"].as_str(), &status["rc"]), (Some("lost"), &Value::Null));
    let panel = world.hap(&["status", &id]).ok();
    assert!(panel.contains("lost") && panel.contains("supervisor"), "the reason: {panel}");
    for verb in ["kill", "stop", "pause", "resume"] {
        assert!(world.hap(&[verb, &id]).fails(1).contains("lost"));
    }
    world.hap(&["clean"]).ok();
    assert_eq!(world.list().len(), 0);
}

#[test]
fn an_end_that_is_on_its_way_is_never_shown_as_lost() {
    let world = World::new();
    for code in 0..60 {
        let id = world.run_sh(&format!("exit {code}"));
        loop {
            let status = world.status(&id);
            match status["status"].as_str() {
                Some("running") => {}
                _ => break assert_eq!(status["rc"], code, "{status}"),
            }
        }
    }
}

// ---- The tree ----

/// Writes a program that becomes a daemon as daemons do: two forks, a session of its own, its
/// environment and directory left behind. Its pid goes to `work/daemon`.
fn daemon(world: &World) {
    let work = world.work("").display().to_string();
    world.executable(
        "daemonise",
        &format!(
            "#!/bin/sh\ncd /\nsetsid sh -c 'env -i sleep 60 & echo $! > {work}/daemon' < /dev/null > /dev/null 2>&1 &\n"
        ),
    );
}

#[test]
fn a_daemon_is_reached_by_pause_and_resume() {
    let _ = needs!("setsid");
    let world = World::new();
    daemon(&world);
    let id = world.run_sh("./daemonise; sleep 60");
    let daemon = world.process_in("daemon");
    wait_for("it to be nobody's child", || daemon.stat().is_some_and(|stat| stat.parent == world.supervisor(&id).pid));
    world.hap(&["pause", &id]).ok();
    assert!(daemon.is_stopped());
    world.hap(&["resume", &id]).ok();
    assert!(!daemon.is_stopped() && daemon.is_alive());
}

#[test]
fn a_daemon_is_reached_by_kill_and_by_stop() {
    let _ = needs!("setsid");
    for verb in ["kill", "stop"] {
        let world = World::new();
        daemon(&world);
        let id = world.run_sh("./daemonise; sleep 60");
        let daemon = world.process_in("daemon");
        wait_for("it to be nobody's child", || {
            daemon.stat().is_some_and(|stat| stat.parent == world.supervisor(&id).pid)
        });
        world.hap(&[verb, &id]).ok();
        assert!(!daemon.is_alive(), "hap {verb} returned and it lives");
    }
}

#[test]
fn a_daemon_of_a_command_that_has_ended_is_reached_too() {
    let _ = needs!("setsid");
    let world = World::new();
    daemon(&world);
    let id = world.run_sh("./daemonise; exit 0");
    let daemon = world.process_in("daemon");
    let status = world.until_ended(&id);
    assert_eq!((status["status"].as_str(), status["leftover"].as_u64()), (Some("success"), Some(1)));
    world.hap(&["kill", &id]).ok();
    assert!(!daemon.is_alive());
    assert_eq!(world.status(&id)["rc"], 0, "its end stays its end");
}

#[test]
fn a_leftover_is_counted_and_killed_and_keeps_the_hap_from_being_cleaned() {
    let world = World::new();
    let id = world.run_sh("sleep 60 & echo $! > left; exit 3");
    let left = world.process_in("left");
    let status = world.until_ended(&id);
    let told = (status["status"].as_str(), status["rc"].as_i64(), status["leftover"].as_u64());
    assert_eq!(told, (Some("failed"), Some(3), Some(1)));
    assert!(world.hap(&["status"]).ok().contains("failed +1"));
    world.hap(&["clean"]).ok();
    assert_eq!(world.ids(), [id.as_str()], "clean keeps it");
    assert!(left.is_alive());
    world.hap(&["kill", &id]).ok();
    assert!(!left.is_alive());
    let status = world.status(&id);
    assert_eq!((status["rc"].as_i64(), status["leftover"].as_u64()), (Some(3), Some(0)));
    world.hap(&["clean"]).ok();
    assert_eq!(world.list().len(), 0);
}

#[test]
fn a_leftover_that_ends_by_itself_is_counted_no_more() {
    let world = World::new();
    let id = world.run_sh("sh -c 'while [ ! -e go ]; do sleep 0.01; done' & exit 0");
    // The loop, and at most moments a sleep of its own.
    assert_ne!(world.until_ended(&id)["leftover"], 0);
    fs::write(world.work("go"), "").expect("a new file");
    wait_for("nothing left", || world.status(&id)["leftover"] == 0);
    let supervisor = world.supervisor(&id);
    supervisor.until_gone();
    world.hap(&["clean"]).ok();
    assert_eq!(world.list().len(), 0);
}

#[test]
fn stop_reaches_a_leftover_and_kill_all_as_well() {
    let world = World::new();
    for arguments in [&["stop", "1"][..], &["kill", "--all"]] {
        let id = world.run_sh("sleep 60 & echo $! > left; exit 3");
        world.until_ended(&id);
        let left = world.process_in("left");
        world.hap(arguments).ok();
        assert!(!left.is_alive());
        fs::remove_file(world.work("left")).expect("our own file");
    }
}

/// A command that forks as fast as it can, in several chains whose every link ends at once. They end
/// by themselves after a while, and when the directory is gone.
fn storm(world: &World) -> String {
    world.executable("link", "#!/bin/sh\n[ $1 -gt 0 ] && [ -e \"$0\" ] && \"$0\" $(($1 - 1)) &\nexit 0\n");
    let id = world.run_sh("for i in 1 2 3 4; do ./link 3000 & done; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 60 & done; echo x > ready; wait; sleep 60");
    world.until_written("ready");
    id
}

/// All of this world but the supervisors.
fn members(world: &World) -> Vec<Process> {
    let all = process::of_world(&world.path("")).into_iter();
    all.filter(|one| one.is_alive() && one.name() != "hap-supervisor" && one.name() != "hap").collect()
}

#[test]
fn a_fork_storm_is_killed_whole() {
    let world = World::new();
    let id = storm(&world);
    let before = Instant::now();
    world.hap(&["kill", &id]).ok();
    assert_eq!(members(&world), [], "after {:?}", before.elapsed());
    assert_eq!(world.status(&id)["rc"], -9);
}

#[test]
fn a_fork_storm_is_paused_whole() {
    let world = World::new();
    let id = storm(&world);
    world.hap(&["pause", &id]).ok();
    let running = || members(&world).into_iter().filter(|one| !one.is_stopped() && one.is_alive()).collect::<Vec<_>>();
    assert_eq!(running(), []);
    let before = members(&world);
    // Long enough for thousands of links, if any went on.
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!((running(), members(&world)), (vec![], before));
    world.hap(&["kill", &id]).ok();
    assert_eq!(members(&world), []);
}

#[test]
fn a_fork_storm_without_its_supervisor_is_killed_whole() {
    let world = World::new();
    let id = storm(&world);
    world.kill_supervisor(&id);
    world.hap(&["kill", &id]).ok();
    assert_eq!(members(&world), []);
}

// ---- Haps within haps ----

/// A hap that has started another one, `inner`: their commands.
fn nested(world: &World) -> (Process, Process) {
    let mut command = world.command(&["run", "-q", "-n", "outer", "sh", "-c"]);
    command.arg("\"$HAP\" run -q -n inner sleep 61; echo $$ > ready; sleep 62").env("HAP", world::HAP);
    world::finish(command).ok();
    world.until_written("ready");
    (world.main_process("1"), world.main_process("2"))
}

#[test]
fn a_hap_within_a_hap_is_not_paused_with_it() {
    let world = World::new();
    let (outer, inner) = nested(&world);
    world.hap(&["pause", "outer"]).ok();
    assert!(outer.is_stopped() && !inner.is_stopped() && !world.supervisor("2").is_stopped());
    assert_eq!((world.word("outer"), world.word("inner")), ("paused".into(), "running".into()));
}

#[test]
fn a_hap_within_a_hap_is_not_killed_or_stopped_with_it() {
    for verb in ["kill", "stop"] {
        let world = World::new();
        let (_, inner) = nested(&world);
        let supervisor = world.supervisor("1");
        world.hap(&[verb, "outer"]).ok();
        assert!(inner.is_alive() && world.supervisor("2").is_alive());
        assert_eq!((world.word("inner"), world.status("outer")["leftover"].as_u64()), ("running".into(), Some(0)));
        supervisor.until_gone();
        world.hap(&["kill", "inner"]).ok();
        assert!(!inner.is_alive());
    }
}

#[test]
fn a_hap_within_a_hap_belongs_to_itself_also_without_its_supervisor() {
    let world = World::new();
    let (_, inner) = nested(&world);
    world.kill_supervisor("2");
    world.hap(&["kill", "outer"]).ok();
    assert!(inner.is_alive(), "it was killed with the hap that started it");
    assert_eq!(world.word("inner"), "running");
}

#[test]
fn a_hap_within_a_hap_belongs_to_itself_also_when_it_was_healed() {
    let world = World::new();
    let (_, inner) = nested(&world);
    world.kill_supervisor("2");
    assert_eq!(world.word("inner"), "running");
    world.hap(&["pause", "outer"]).ok();
    assert!(!inner.is_stopped(), "it was paused with the hap that started it");
    world.hap(&["kill", "outer"]).ok();
    assert!(inner.is_alive(), "it was killed with the hap that started it");
}

#[test]
fn an_ended_hap_is_cleaned_while_its_supervisor_looks_after_another_one() {
    let world = World::new();
    let (_, inner) = nested(&world);
    world.kill_supervisor("2");
    world.hap(&["kill", "outer"]).ok();
    world.hap(&["clean"]).ok();
    assert_eq!((world.ids(), inner.is_alive()), (vec!["2".to_owned()], true));
    assert_eq!(world.word("inner"), "running");
}

// ---- Time ----

#[test]
fn a_start_in_the_future_gives_no_negative_runtime() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    world.edit_record(&id, |record| {
        record["started"]["unix_ns"] = json!(4_000_000_000_000_000_000_i64);
        record["started"]["boot_ns"] = json!(u64::MAX);
    });
    let runtime = world.status(&id)["runtime_seconds"].as_f64().expect("a number");
    assert!(runtime >= 0.0, "{runtime}");
    world.hap(&["status"]).ok();
    world.hap(&["status", "-v", &id]).ok();
    world.hap(&["kill", &id]).ok();
}
