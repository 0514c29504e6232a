//! `hap rename`.
#![allow(missing_docs)] // a test

mod world;

use world::{World, json};

#[test]
fn the_new_name_is_the_name_everywhere_and_the_old_one_is_free() {
    let world = World::new();
    let id = world.run(&["-n", "old", "sleep", "60"]);
    assert_eq!(world.hap(&["rename", "old", "new"]).ok(), "Renamed hap 1 (old) to new\n");
    assert_eq!(world.status("new")["hid"], 1);
    assert_eq!(world.list()[0]["name"], "new");
    assert_eq!(world.hap(&["status", "old"]).code, 1);
    assert_eq!(world.run(&["-n", "old", "true"]), "2", "the old name is free");
    world.hap(&["kill", "new"]).ok();
    assert_eq!(world.status("1")["name"], "new", "its end does not bring the old name back");
    assert_eq!(world.hap(&["rename", &id, "newer"]).code, 0, "an ended one, by its id");
    world.until_ended("old");
    world.hap(&["clean"]).ok();
    assert_eq!((world.entries("names"), world.entries("renames")), (vec![], vec![]));
}

#[test]
fn a_restart_keeps_the_new_name() {
    let world = World::new();
    world.run(&["-n", "old", "true"]);
    world.until_ended("old");
    world.hap(&["rename", "old", "new"]).ok();
    world.hap(&["restart", "new"]).ok();
    assert_eq!(world.until_ended("new")["restarts"], 1);
}

#[test]
fn a_name_that_is_taken_or_invalid_is_refused_and_nothing_changes() {
    let world = World::new();
    world.run(&["-n", "one", "sleep", "60"]);
    world.run(&["-n", "two", "sleep", "60"]);
    for (name, reason) in [
        ("two", "taken by hap 2"),
        ("7", "cannot be a name"),
        ("a/b", "cannot be a name"),
        ("", "cannot be a name"),
        ("-x", ""),
    ] {
        let refused = world.hap(&["rename", "one", name]);
        assert_eq!(refused.code, if name == "-x" { 2 } else { 1 }, "{name:?}: {refused:?}");
        assert!(refused.stderr.contains(reason), "{refused:?}");
    }
    assert_eq!(world.hap(&["rename", "nobody", "x"]).code, 1);
    assert_eq!(world.hap(&["rename", "one"]).code, 2);
    assert_eq!((world.status("one")["hid"].as_u64(), world.status("two")["hid"].as_u64()), (Some(1), Some(2)));
}

#[test]
fn its_own_name_is_no_conflict() {
    let world = World::new();
    world.run(&["-n", "same", "sleep", "60"]);
    world.hap(&["rename", "same", "same"]).ok();
    assert_eq!(world.status("same")["hid"], 1);
}

#[test]
fn of_many_who_want_one_name_one_gets_it() {
    let world = World::new();
    for _ in 0..8 {
        world.run(&["true"]);
    }
    let outcome =
        world.sh("for id in 1 2 3 4 5 6 7 8; do \"$HAP\" rename $id best >/dev/null 2>&1 && echo $id & done; wait");
    assert_eq!(outcome.stdout.lines().count(), 1, "{outcome:?}");
    assert_eq!(world.status("best")["hid"].to_string(), outcome.stdout.trim());
}

#[test]
fn json_has_both_names() {
    let world = World::new();
    world.run(&["-n", "old", "true"]);
    let object = json(&world.hap(&["rename", "--json", "old", "new"]).ok());
    assert_eq!((&object["name"], &object["previous_name"]), (&"new".into(), &"old".into()));
}
