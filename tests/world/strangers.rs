//! Haps that are over and processes that have nothing to do with them.

use super::{Companion, World};

/// A hap whose record has no end and whose processes are all gone.
pub fn abandoned(world: &World) -> Option<String> {
    let id = world.run(&["sleep", "60"]);
    world.lose(&id).then_some(id)
}

/// Every verb leaves a stranger alone that a record names, and none shows it as running.
#[track_caller]
pub fn assert_never_touched(world: &World, id: &str, stranger: &Companion, status: &str) {
    let process = stranger.process();
    assert_eq!(world.word(id), status);
    assert!(!world.hap(&["status"]).ok().contains("running"));
    for arguments in [
        &["pause", id][..],
        &["resume", id],
        &["signal", id, "TERM"],
        &["signal", id, "USR1"],
        &["kill", id],
        &["stop", id],
    ] {
        world.hap(arguments).fails(1);
    }
    world.hap(&["kill", "--all"]).ok();
    world.hap(&["clean", "--skip-failed"]).ok();
    assert!(process.is_alive() && !process.is_stopped(), "the stranger was touched");
    assert_eq!(world.word(id), status);
}
