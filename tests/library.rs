//! `hap` used as a library: the example under `examples/`, run as it stands there, and what it leaves
//! to the `hap` command.

mod world;

#[path = "../examples/batch.rs"]
#[allow(dead_code, unreachable_pub)] // its `main` is for `cargo run --example`
mod batch;

use std::fs::File;
use std::io::Read;
use std::time::Duration;

use hapless::{Entry, Error, Hapless, Kind, Request, Stream, Waited};
use world::World;

fn request(words: &[&str]) -> Request {
    Request { command: words.iter().map(Into::into).collect(), ..Request::default() }
}

fn text(mut log: File) -> String {
    let mut text = String::new();
    log.read_to_string(&mut text).expect("it can be read");
    text
}

#[test]
fn the_example_does_what_it_says() {
    let world = World::new();
    let report = batch::batch(&Hapless::at(world.path("state"))).expect("it runs");
    assert_eq!(report, "line 1\nline 2\nline 3\nhap 1 ended with Some(3)\nhap 2 ended with Some(-15)\n2 in the list\n");
    assert_eq!(world.status("1")["rc"], 3);
}

#[test]
fn both_ways_in_see_the_same_haps() {
    let world = World::new();
    let haps = Hapless::at(world.path("state"));
    assert!(haps.list().expect("no directory is an empty list").is_empty());
    assert!(matches!(haps.find("1"), Err(Error::UnknownAlias { .. })));

    let id = world.run(&["-n", "train", "sh", "-c", "echo out; echo err >&2; exec sleep 1000"]);
    let hap = haps.find("train").expect("it is there");
    assert_eq!((hap.id.to_string(), hap.status.kind()), (id.clone(), Kind::Running));
    world::wait_for("its output", || text(haps.logs(&hap, Stream::Stderr).expect("a log")) == "err\n");
    assert_eq!(text(haps.logs(&hap, Stream::Stdout).expect("a log")), "out\n");

    haps.pause(&hap).expect("it runs");
    assert_eq!(world.word(&id), "paused");
    let hap = haps.find(&id).expect("it is there");
    assert!(matches!(haps.wait(&hap, Some(Duration::ZERO)), Ok(Waited::TimedOut(_))));
    haps.resume(&hap).expect("it is paused");
    let hap = haps.restart(&hap, Duration::from_secs(10)).expect("it can start again");
    assert_eq!(world.status("train")["restarts"], 1);
    haps.kill(&hap).expect("it is there");
    assert_eq!(world.status(&id)["signal"], "SIGKILL");
    assert!(matches!(&haps.list().expect("a list")[..], [Entry::Whole(hap)] if hap.status.kind() == Kind::Failed));
    assert_eq!(haps.clean().expect("it is over").removed.len(), 1);
    assert!(world.ids().is_empty());
}

#[test]
fn an_error_is_typed_and_leaves_nothing() {
    let world = World::new();
    let haps = Hapless::at(world.path("state"));
    let refused = haps.run(&request(&["no-such-command"])).expect_err("there is none");
    assert_eq!((refused.exit_code(), refused.to_string().as_str()), (127, "no-such-command: command not found"));
    assert!(haps.list().expect("a list").is_empty());
}
