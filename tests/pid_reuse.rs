//! A pid that was really given out again. Alone in its file, and so in its process: other tests would
//! take the pid that is waited for.

mod world;

use std::fs;

use world::strangers::{abandoned, assert_never_touched};
use world::{Companion, World};

/// Starts strangers until one of them has this pid: the kernel is told where to go on counting. `None` if
/// it may not be told, or if a process that is not ours was quicker and stays.
fn stranger_with_pid(pid: i32) -> Option<Companion> {
    for _ in 0..2000 {
        fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).ok()?;
        let stranger = Companion::stranger();
        if stranger.pid() == pid {
            return Some(stranger);
        }
    }
    None
}

#[test]
fn a_pid_that_was_really_given_out_again_is_lost_and_never_touched() {
    let world = World::new();
    let Some(id) = abandoned(&world) else { skip!("the init here reaps nobody") };
    for role in ["process", "supervisor"] {
        let pid = world.record(&id)[role]["pid"].as_i64().expect("a pid");
        let stranger = stranger_with_pid(i32::try_from(pid).expect("fits"));
        let Some(stranger) = stranger else { skip!("we are not root, or somebody else was given the pid first") };
        assert_never_touched(&world, &id, &stranger, "lost");
    }
}
