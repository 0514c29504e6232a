//! Each released format of the state directory lies under `tests/formats` as it was written, and loads:
//! every hap with its status, its output, its name and the runs before it.

mod world;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use world::{World, json};

/// A world with a copy of a released state directory in it.
fn world_of(version: &str) -> World {
    let world = World::new();
    let released = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats").join(version);
    copy(&released, &world.path("state"));
    world
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a new directory");
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).expect("our own");
    for entry in fs::read_dir(from).expect("a directory").flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().expect("its type");
        if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(source).expect("a link"), target).expect("a new link");
        } else if kind.is_dir() {
            copy(&source, &target);
        } else {
            fs::copy(source, target).expect("a new file");
        }
    }
}

#[test]
fn version_1_loads() {
    let world = world_of("v1");
    let told: Vec<_> = world
        .list()
        .iter()
        .map(|hap| ["name", "status", "rc", "signal", "restarts"].map(|key| hap[key].to_string()).join(" "))
        .collect();
    assert_eq!(
        told,
        [
            r#""train" "success" 0 null 1"#,
            r#""訓練" "failed" 3 null 0"#,
            r#""killed" "failed" -15 "SIGTERM" 0"#,
            r#""renamed" "success" 0 null 0"#,
            r#""running" "elsewhere" null null 0"#,
        ]
    );
    assert_eq!(world.hap(&["logs", "train"]).ok(), "epoch 1\n");
    assert_eq!(world.hap(&["errors", "2"]).ok(), "oops\n");
    assert_eq!(world.status("1")["argv"], json(r#"["sh", "-c", "echo epoch 1"]"#));
    assert_eq!(world.status("2")["merge"], false);
    assert_eq!(world.status("renamed")["hid"], 4);
    world.hap(&["status", "plain"]).fails(1);
    let details = json(&world.hap(&["status", "-v", "--json", "train"]).ok());
    assert_eq!((&details["runs"][0]["rc"], &details["environment"][0]), (&json("0"), &json("\"LEVEL=3\"")));
}

#[test]
fn haps_of_version_1_can_be_run_again_and_cleaned() {
    let world = world_of("v1");
    // Their directory was another machine's.
    world.hap(&["restart", "killed"]).fails(126);
    fs::remove_file(world.file("2", "cwd")).expect("our own");
    std::os::unix::fs::symlink("/", world.file("2", "cwd")).expect("a new link");
    world.hap(&["restart", "2"]).ok();
    assert_eq!(world.until_ended("2")["restarts"], 1);
    let left = json(&world.hap(&["clean", "--json"]).ok());
    assert_eq!(left["removed"].as_array().map(Vec::len), Some(4));
    assert_eq!(world.ids(), ["5"], "a hap of another host is never removed");
}
