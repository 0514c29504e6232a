//! `hap pause`, `hap suspend`, `hap resume`: the whole tree stops, the whole tree goes on.

mod world;

use std::fs;

use world::{World, wait_for};

#[test]
fn a_paused_hap_is_shown_as_paused_and_does_not_run() {
    let world = World::new();
    for verb in ["pause", "suspend"] {
        let id = world.run(&["sleep", "60"]);
        let said = world.hap(&[verb, &id]).ok();
        assert!(said.contains(&id), "{said}");
        assert_eq!(world.word(&id), "paused");
        assert!(world.main_process(&id).is_stopped());
    }
}

#[test]
fn nothing_is_written_between_pause_and_resume() {
    let world = World::new();
    let id = world.run_sh("while :; do echo x; sleep 0.01; done");
    let length = || fs::metadata(world.file(&id, "stdout.log")).expect("a log").len();
    wait_for("some output", || length() > 10);
    world.hap(&["pause", &id]).ok();
    let before = length();
    // Long enough for many lines, if any were written.
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(length(), before);
    world.hap(&["resume", &id]).ok();
    assert_eq!(world.word(&id), "running");
    wait_for("more output", || length() > before + 10);
}

#[test]
fn the_whole_tree_stops_and_goes_on() {
    let world = World::new();
    let id = world.run_sh("sleep 61 & sh -c 'sleep 62 & sleep 63' & sleep 64 | sleep 65 & wait");
    let supervisor = world.supervisor(&id);
    wait_for("all of the tree", || supervisor.descendants().iter().filter(|one| one.name() == "sleep").count() == 5);
    world.hap(&["pause", &id]).ok();
    let tree = supervisor.descendants();
    assert!(tree.len() >= 7, "{tree:?}");
    for process in &tree {
        assert!(process.is_stopped(), "{process:?} {} {:?}", process.name(), process.stat());
    }
    assert!(!supervisor.is_stopped());
    world.hap(&["resume", &id]).ok();
    assert_eq!(world.word(&id), "running");
    wait_for("all to go on", || tree.iter().all(|process| process.is_alive() && !process.is_stopped()));
}

#[test]
fn pausing_one_that_is_paused_changes_nothing() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    world.hap(&["pause", &id]).ok();
    world.hap(&["pause", &id]).ok();
    assert_eq!(world.word(&id), "paused");
    world.hap(&["resume", &id]).ok();
    assert_eq!(world.word(&id), "running");
}

#[test]
fn resuming_one_that_is_not_paused_is_an_error() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    let refused = world.hap(&["resume", &id]).fails(1);
    assert!(refused.contains("running"), "{refused}");
    let ended = world.run(&["true"]);
    world.until_ended(&ended);
    let refused = world.hap(&["resume", &ended]).fails(1);
    assert!(refused.contains("success"), "{refused}");
}

#[test]
fn one_that_has_ended_cannot_be_paused() {
    let world = World::new();
    let id = world.run_sh("exit 3");
    world.until_ended(&id);
    let refused = world.hap(&["pause", &id]).fails(1);
    assert!(refused.contains("failed"), "{refused}");
}

#[test]
fn several_are_paused_in_one_go_and_an_unknown_one_is_reported() {
    let world = World::new();
    world.run(&["-n", "a", "sleep", "60"]);
    world.run(&["-n", "b", "sleep", "60"]);
    let outcome = world.hap(&["pause", "a", "nobody", "2"]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("nobody"), "{outcome:?}");
    assert_eq!((world.word("a"), world.word("b")), ("paused".into(), "paused".into()));
    let outcome = world.hap(&["resume", "b", "nobody", "a"]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert_eq!((world.word("a"), world.word("b")), ("running".into(), "running".into()));
}

#[test]
fn a_stopped_grandchild_alone_does_not_count_as_paused() {
    let world = World::new();
    let id = world.run_sh("sleep 60 & echo $! > child; wait");
    let child = world.process_in("child");
    child.signal(libc::SIGSTOP);
    wait_for("the child to stop", || child.is_stopped());
    assert_eq!(world.word(&id), "running");
}

#[test]
fn one_that_was_stopped_from_outside_is_paused_and_can_be_resumed() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    world.main_process(&id).signal(libc::SIGSTOP);
    wait_for("it to stop", || world.word(&id) == "paused");
    world.hap(&["resume", &id]).ok();
    assert_eq!(world.word(&id), "running");
}

#[test]
fn a_paused_hap_is_not_cleaned_away() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    world.hap(&["pause", &id]).ok();
    world.hap(&["clean"]).ok();
    world.hap(&["cleanall"]).ok();
    assert_eq!(world.word(&id), "paused");
}

#[test]
fn no_alias_is_a_usage_error() {
    let world = World::new();
    for verb in ["pause", "suspend", "resume"] {
        assert_eq!(world.hap(&[verb]).code, 2);
    }
}

#[test]
fn a_program_whose_main_thread_has_ended_is_paused_as_a_whole() {
    needs!("python3");
    let world = World::new();
    let script = "
import ctypes, os, threading, time
def work():
    while not os.path.exists('end'): print('x', flush=True); time.sleep(0.01)
    os._exit(5)
threading.Thread(target=work).start()
ctypes.CDLL(None).pthread_exit(None)
";
    let id = world.run(&["python3", "-c", script]);
    let command = world.main_process(&id);
    wait_for("the end of its main thread", || command.stat().is_some_and(|stat| stat.state == 'Z'));
    assert_eq!(world.word(&id), "running");
    world.hap(&["pause", &id]).ok();
    assert_eq!(world.word(&id), "paused");
    let length = fs::metadata(world.file(&id, "stdout.log")).expect("a log").len();
    world.hap(&["resume", &id]).ok();
    assert_eq!(world.word(&id), "running");
    wait_for("more output", || fs::metadata(world.file(&id, "stdout.log")).expect("a log").len() > length);
    fs::write(world.work("end"), "").expect("a new file");
    assert_eq!(world.until_ended(&id)["rc"], 5);
}

#[test]
fn a_program_that_waits_for_its_child_to_be_executed_is_paused_at_once() {
    let python = needs!("python3");
    let world = World::new();
    // vfork(2) in a loop: sooner or later a pause stops the child before its exec.
    let script = "import subprocess\nwhile True: subprocess.run(['/bin/true'])";
    let id = world.run(&[python.to_str().expect("text"), "-c", script]);
    for _ in 0..150 {
        world.hap(&["pause", &id]).ok();
        assert_eq!(world.word(&id), "paused");
        assert!(world.main_process(&id).is_stopped(), "its child was let go as far as it needs");
        world.hap(&["resume", &id]).ok();
        assert_eq!(world.word(&id), "running");
    }
    world.hap(&["pause", &id]).ok();
    world.hap(&["kill", &id]).ok();
}
