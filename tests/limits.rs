//! Too little of everything: disk, descriptors, processes, rights. Each is a clear error with nothing
//! half-made, and what runs already loses nothing.
#![allow(missing_docs, unsafe_code)] // a test; limits are set between fork and exec

mod world;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::resource::{Resource, setrlimit};

use world::tools::is_root;
use world::{Outcome, World, finish};

/// A user that nobody is.
const STRANGER: u32 = 54_321;

/// A small file system for the state directory of a world. Goes with it.
struct Disk<'a> {
    world: &'a World,
    path: PathBuf,
}

impl<'a> Disk<'a> {
    /// `None` where that is not allowed.
    fn mount(world: &'a World, options: &str) -> Option<Self> {
        let path = world.path("disk");
        fs::create_dir(&path).expect("a new directory");
        let mounted = mount(Some("none"), &path, Some("tmpfs"), MsFlags::empty(), Some(options));
        mounted.ok().map(|()| Self { world, path })
    }

    fn hap(&self, words: &[&str]) -> Outcome {
        finish(self.command(words))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.world.command(words);
        command.env("HAPLESS_DIR", self.path.join("state"));
        command
    }

    fn json(&self, alias: &str) -> serde_json::Value {
        world::json(&self.hap(&["status", "--json", alias]).ok())
    }

    fn set_read_only(&self) {
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(None::<&str>, &self.path, None::<&str>, flags, None::<&str>).expect("our own mount");
    }

    /// Whatever is in the directory of haps.
    fn entries(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path.join("state/haps")).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = self.hap(&["kill", "--all"]);
        let _ = umount2(&self.path, MntFlags::MNT_DETACH);
    }
}

/// One line what, one line what to do, nothing else.
#[track_caller]
fn assert_clear(outcome: &Outcome, reason: &str) {
    assert_eq!((outcome.code, outcome.stdout.as_str()), (1, ""), "{outcome:?}");
    assert!(outcome.stderr.starts_with("error: ") && outcome.stderr.contains("\n hint: "), "{outcome:?}");
    assert!(outcome.stderr.contains(reason), "{reason:?} in {outcome:?}");
}

// ---- Disk ----

#[test]
fn a_disk_that_its_own_log_has_filled_loses_no_end() {
    let world = World::new();
    let Some(disk) = Disk::mount(&world, "size=400k") else { skip!("a file system cannot be mounted") };
    assert_that_a_filled_disk_loses_no_end(&disk, &[]);
}

#[test]
fn a_disk_without_room_for_times_loses_no_end_either() {
    let world = World::new();
    let Some(disk) = Disk::mount(&world, "size=400k") else { skip!("a file system cannot be mounted") };
    assert_that_a_filled_disk_loses_no_end(&disk, &["--timestamps", "--log-limit", "100M"]);
}

fn assert_that_a_filled_disk_loses_no_end(disk: &Disk<'_>, options: &[&str]) {
    for (script, code, signal) in [
        ("yes; exit 42", Some(42), None),
        ("yes; kill -TERM $$", Some(-15), Some("SIGTERM")),
        ("yes; exit 0", Some(0), None),
    ] {
        let words = [&["run", "-q", "--wait"], options, &["sh", "-c", script]].concat();
        let id = disk.hap(&words).stdout.trim().to_owned();
        let status = disk.json(&id);
        assert_eq!((status["rc"].as_i64(), status["signal"].as_str()), (code, signal), "{status}");
        assert!(status["end_time"].is_string() && status["runtime_seconds"].is_f64(), "{status}");
        let refused = disk.hap(&["run", "true"]);
        assert_clear(&refused, "No space left on device");
        assert_eq!(disk.entries(), [id.as_str()], "nothing half-made");
        assert!(disk.hap(&["clean"]).ok().starts_with("Removed 1 hap"));
    }
    assert_eq!(disk.hap(&["run", "-q", "--wait", "true"]).stdout, "1\n", "all is as new");
}

#[test]
fn a_full_disk_loses_no_end_of_those_that_were_running_before() {
    let world = World::new();
    let Some(disk) = Disk::mount(&world, "size=1m") else { skip!("a file system cannot be mounted") };
    for code in 0..5 {
        let script = format!("while [ ! -e end ]; do sleep 0.01; done; exit {code}");
        disk.hap(&["run", "-q", "sh", "-c", &script]).ok();
    }
    fs::write(disk.path.join("filler"), vec![0; 1 << 20]).expect_err("the disk is full");
    assert_clear(&disk.hap(&["run", "true"]), "No space left on device");
    assert_clear(&disk.hap(&["restart", "-t", "0", "1"]), "No space left on device");
    fs::write(world.work("end"), "").expect("another disk");
    for code in 1..5 {
        let waited = disk.hap(&["wait", &(code + 1).to_string()]);
        assert_eq!(waited.code, code, "{waited:?}");
    }
}

#[test]
fn a_disk_without_inodes_is_an_error_that_leaves_nothing() {
    let world = World::new();
    let Some(disk) = Disk::mount(&world, "nr_inodes=60") else { skip!("a file system cannot be mounted") };
    disk.hap(&["run", "-q", "-n", "first", "true"]).ok();
    disk.hap(&["wait", "first"]).ok();
    for number in 0..60 {
        let _ = fs::write(disk.path.join(number.to_string()), "");
    }
    // One by one more is possible, until a whole launch is.
    let mut number = 0;
    let id = loop {
        let before = disk.entries().len();
        let outcome = disk.hap(&["run", "-q", "true"]);
        if outcome.code == 0 {
            break outcome.stdout.trim().to_owned();
        }
        assert_clear(&outcome, "No space left on device");
        assert_eq!(disk.entries().len(), before, "after {number} inodes");
        fs::remove_file(disk.path.join(number.to_string())).expect("there are enough");
        number += 1;
    };
    assert_eq!(disk.hap(&["wait", &id]).code, 0);
}

#[test]
fn a_read_only_disk_can_be_looked_at_and_nothing_else() {
    let world = World::new();
    let Some(disk) = Disk::mount(&world, "size=1m") else { skip!("a file system cannot be mounted") };
    disk.hap(&["run", "-q", "-n", "done", "sh", "-c", "echo out"]).ok();
    disk.hap(&["wait", "done"]).ok();
    disk.set_read_only();
    assert_eq!(disk.json("done")["rc"], 0);
    assert_eq!(disk.hap(&["logs", "done"]).ok(), "out\n");
    for words in [&["run", "true"][..], &["clean"], &["rename", "done", "x"], &["restart", "done"]] {
        assert_clear(&disk.hap(words), "Read-only file system");
    }
    assert_eq!(disk.json("done")["restarts"], 0);
}

// ---- Limits ----

/// `hap` with at most so much of something, as a user whom the limit binds.
fn limited(world: &World, words: &[&str], resource: Resource, limit: u64) -> Outcome {
    let mut command = world.command(words);
    // SAFETY: setrlimit(2) is a system call.
    unsafe {
        command.pre_exec(move || Ok(setrlimit(resource, limit, limit)?));
    }
    finish(command)
}

#[track_caller]
fn assert_whole_or_nothing(world: &World, outcome: &Outcome, when: &str) {
    outcome.assert_calm();
    let ids = world.ids();
    assert_eq!(ids.len(), usize::from(outcome.code == 0), "{when}: {outcome:?} left {ids:?}");
    assert!(outcome.code == 0 || outcome.stderr.starts_with("error: "), "{when}: {outcome:?}");
    let half_made = world.entries("haps").into_iter().filter(|name| name.starts_with('.')).count();
    assert_eq!(half_made, 0, "{when}: {outcome:?}");
}

#[test]
fn too_few_descriptors_are_an_error_that_leaves_nothing() {
    let mut refused = 0;
    for limit in 3..40 {
        let world = World::new();
        let outcome = limited(&world, &["run", "true"], Resource::RLIMIT_NOFILE, limit);
        assert_whole_or_nothing(&world, &outcome, &format!("{limit} descriptors"));
        refused += u32::from(outcome.code != 0);
        if outcome.code == 0 {
            assert_eq!(world.until_ended("1")["rc"], 0, "{limit} descriptors");
        }
    }
    assert!((1..30).contains(&refused), "{refused} of them were refused");
}

#[test]
fn too_small_a_file_size_is_an_error_that_leaves_nothing() {
    let mut refused = 0;
    for limit in [0, 1, 100, 300, 600, 900, 1200, 1500, 2000, 4000, 1 << 20] {
        let world = World::new();
        let outcome = limited(&world, &["run", "sh", "-c", "exit 6"], Resource::RLIMIT_FSIZE, limit);
        assert_whole_or_nothing(&world, &outcome, &format!("{limit} bytes"));
        if outcome.code == 0 {
            assert_eq!(world.until_ended("1")["rc"], 6, "{limit} bytes");
        } else {
            assert_clear(&outcome, "File too large");
            refused += 1;
        }
    }
    assert!((1..11).contains(&refused), "{refused} of them were refused");
}

#[test]
fn too_few_processes_are_an_error_that_leaves_nothing() {
    if !is_root() {
        skip!("only root can become a user of whom there are no processes");
    }
    let mut refused = 0;
    for limit in 0..6 {
        let world = World::new();
        // Zombies that init has not fetched yet count as processes: each trial has a user of its own.
        let user = STRANGER + 1 + u32::try_from(limit).expect("small");
        give_to(&world, user);
        let mut command = world.command_as(user, &["run", "true"]);
        // SAFETY: setrlimit(2) is a system call. It binds the user that the process then becomes.
        unsafe {
            command.pre_exec(move || Ok(setrlimit(Resource::RLIMIT_NPROC, limit, limit)?));
        }
        let outcome = finish(command);
        let haps = world::json(&finish(world.command_as(user, &["--json"])).ok());
        let count = haps.as_array().expect("an array").len();
        assert_eq!(count, usize::from(outcome.code == 0), "{limit} processes: {outcome:?}");
        if outcome.code != 0 {
            assert_clear(&outcome, "Resource temporarily unavailable");
            assert_eq!(world.entries("haps"), Vec::<String>::new(), "{limit} processes");
            refused += 1;
        }
    }
    assert!((1..6).contains(&refused), "{refused} of them were refused");
}

// ---- Rights ----

fn give_to(world: &World, user: u32) {
    for path in ["", "home", "work"] {
        chown(world.path(path), Some(user), Some(user)).expect("we are root");
    }
}

fn as_stranger(world: &World, words: &[&str], directory: &Path) -> Outcome {
    let mut command = world.command_as(STRANGER, words);
    command.env_remove("HOME").env("HAPLESS_DIR", directory);
    finish(command)
}

#[test]
fn a_user_without_name_and_home_has_a_state_directory_all_the_same() {
    if !is_root() {
        skip!("only root can become another user");
    }
    let world = World::new();
    give_to(&world, STRANGER);
    let state = world.path("theirs");
    assert_eq!(as_stranger(&world, &["run", "-q", "--wait", "true"], &state).ok(), "1\n");
    let panel = as_stranger(&world, &["status", "-v", "1"], &state).ok();
    assert!(panel.contains(&format!("User: {STRANGER}\n")), "{panel}");
    let homeless = as_stranger(&world, &["run", "true"], Path::new(""));
    assert_clear(&homeless, "HAPLESS_DIR");
}

#[test]
fn the_directory_of_somebody_else_is_refused_with_the_remedy() {
    if !is_root() {
        skip!("only root can become another user");
    }
    let world = World::new();
    let state = world.path("state");
    world.run(&["-n", "mine", "sleep", "60"]);
    for path in [world.path(""), state.clone()] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("our own");
    }
    for words in [&["run", "true"][..], &["status"], &["kill", "--all"], &["clean"]] {
        let refused = as_stranger(&world, words, &state);
        assert_clear(&refused, "it belongs to another user");
        assert!(refused.stderr.contains("HAPLESS_DIR"), "{refused:?}");
    }
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).expect("our own");
    assert_eq!(world.word("mine"), "running");
}

#[test]
fn a_planted_directory_is_refused_and_nothing_is_put_into_it() {
    let world = World::new();
    let state = world.path("state");
    fs::create_dir(&state).expect("a new directory");
    for mode in [0o777, 0o770, 0o1777] {
        fs::set_permissions(&state, fs::Permissions::from_mode(mode)).expect("our own");
        assert_clear(&world.hap(&["run", "true"]), "other users may write to it");
        assert_clear(&world.hap(&["status"]), "other users may write to it");
        assert_eq!(fs::read_dir(&state).expect("our own").count(), 0);
    }
    fs::remove_dir(&state).expect("our own");
    fs::create_dir(world.path("elsewhere")).expect("a new directory");
    std::os::unix::fs::symlink("elsewhere", &state).expect("a new link");
    assert_clear(&world.hap(&["run", "true"]), "it is a symbolic link");
    assert_eq!(fs::read_dir(world.path("elsewhere")).expect("our own").count(), 0);
}
