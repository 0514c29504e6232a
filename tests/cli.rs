//! What all of `hap` has in common: help, version, usage errors, streams that are closed or full.

mod world;

use std::fs::OpenOptions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use world::{World, finish};

const VERBS: [&str; 16] = [
    "run",
    "status",
    "show",
    "logs",
    "errors",
    "pause",
    "suspend",
    "resume",
    "signal",
    "kill",
    "stop",
    "clean",
    "cleanall",
    "completions",
    "man",
    "doctor",
];

#[test]
fn the_version_is_that_of_the_package() {
    let world = World::new();
    let expected = format!("hapless, version {}\n", env!("CARGO_PKG_VERSION"));
    for option in ["--version", "-V"] {
        assert_eq!(world.hap(&[option]).ok(), expected);
    }
}

#[test]
fn everything_has_help_with_examples() {
    let world = World::new();
    let help = world.hap(&["--help"]).ok();
    for verb in VERBS {
        assert!(help.contains(verb), "{verb} in {help}");
        for option in ["--help", "-h"] {
            let help = world.hap(&[verb, option]).ok();
            assert!(help.contains("Usage: hap"), "{help}");
            assert!(help.contains("Examples:"), "{help}");
        }
    }
    assert!(help.contains("Examples:"));
}

#[test]
fn help_says_the_same_on_stdout_whatever_the_state_directory_is() {
    let world = World::new();
    let mut command = world.command(&["--help"]);
    command.env("HAPLESS_DIR", "/proc/nothing/here");
    assert_eq!(finish(command).ok(), world.hap(&["--help"]).ok());
}

#[test]
fn wrong_usage_is_exit_2_and_says_so_on_stderr() {
    let world = World::new();
    let wrong: [&[&str]; 9] = [
        &["frobnicate"],
        &["--frobnicate"],
        &["status", "--frobnicate"],
        &["run", "--frobnicate", "true"],
        &["logs"],
        &["logs", "-n", "some", "1"],
        &["clean", "1"],
        &["run", "-q", "--json", "true"],
        &["clean", "--all", "--skip-failed"],
    ];
    for arguments in wrong {
        let refused = world.hap(arguments);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{arguments:?}: {refused:?}");
        assert!(!refused.stderr.is_empty());
    }
    assert!(!world.path("state").exists(), "nothing changed");
}

#[test]
fn a_closed_stdout_ends_it_quietly() {
    let world = World::new();
    for _ in 0..5 {
        world.run(&["sh", "-c", "echo output; sleep 60"]);
    }
    world::wait_for("output", || !world.hap(&["logs", "1"]).ok().is_empty());
    for words in
        ["", "--json", "status", "status -v 1 2 3 4 5", "logs 1", "--help", "--version", "run -q true", "clean"]
    {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        // The reader is gone before anything is written.
        drop(reader);
        let mut command = world.command(&words.split_whitespace().collect::<Vec<_>>());
        let output = command.stdout(writer).stderr(std::process::Stdio::piped()).output().expect("it runs");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "hap {words}");
    }
}

#[test]
fn a_full_stdout_is_an_error() {
    if !Path::new("/dev/full").exists() {
        skip!("no /dev/full here");
    }
    let world = World::new();
    world.run(&["sh", "-c", "echo output; sleep 60"]);
    world::wait_for("output", || !world.hap(&["logs", "1"]).ok().is_empty());
    for words in ["", "--json", "status 1", "logs 1", "--version", "--help", "run -q true"] {
        let outcome = world.sh(&format!("\"$HAP\" {words} > /dev/full"));
        assert_eq!(outcome.code, 1, "hap {words}: {outcome:?}");
        outcome.assert_calm();
    }
}

#[test]
fn what_was_started_although_nobody_could_be_told_is_not_to_be_started_again() {
    if !Path::new("/dev/full").exists() {
        skip!("no /dev/full here");
    }
    let world = World::new();
    let outcome = world.sh("\"$HAP\" run -n once sleep 60 > /dev/full");
    assert_eq!(outcome.code, 1);
    let hint = " hint: do not start it again: `hap status 1` shows it\n";
    assert!(
        outcome.stderr.starts_with("error: hap 1 (once) was started") && outcome.stderr.ends_with(hint),
        "{outcome:?}"
    );
    assert_eq!(world.word("once"), "running");
}

#[test]
fn streams_that_are_not_open_at_all_do_no_harm() {
    let world = World::new();
    let outcome = world.sh("\"$HAP\" run -q sh -c 'echo out; echo err >&2' <&- >&- 2>&-");
    outcome.assert_calm();
    let id = world.ids().first().expect("it was started").clone();
    assert_eq!(world.until_ended(&id)["rc"], 0);
    assert_eq!(world.hap(&["logs", &id]).ok(), "out\n");
    assert_eq!(world.hap(&["errors", &id]).ok(), "err\n");
    assert_eq!(world.sh("\"$HAP\" status <&- >&- 2>&-").code, 0);
}

#[test]
fn errors_go_to_stderr_and_data_to_stdout() {
    let world = World::new();
    world.run(&["sleep", "60"]);
    let outcome = world.hap(&["status", "1", "nobody"]);
    assert!(outcome.stdout.contains("sleep 60") && !outcome.stdout.contains("nobody"), "{outcome:?}");
    assert!(outcome.stderr.contains("nobody") && !outcome.stderr.contains("sleep"), "{outcome:?}");
}

#[test]
fn an_error_is_one_line_what_and_one_line_what_to_do() {
    let world = World::new();
    world.run(&["-n", "taken", "sleep", "60"]);
    let errors: [&[&str]; 6] = [
        &["status", "nobody"],
        &["resume", "taken"],
        &["run", "-n", "taken", "true"],
        &["run", "-n", "a/b", "true"],
        &["run", "no-such-command"],
        &["run", "-d", "/no/such/directory", "true"],
    ];
    for arguments in errors {
        let outcome = world.hap(arguments);
        assert_eq!(outcome.stderr.lines().count(), 2, "{arguments:?}: {outcome:?}");
    }
}

#[test]
fn a_state_directory_that_cannot_be_is_an_error_that_names_it() {
    let world = World::new();
    std::fs::write(world.path("file"), "").expect("a new file");
    for place in [world.path("file"), world.path("file/below")] {
        for arguments in [&["run", "true"][..], &["status"], &["clean"]] {
            let mut command = world.command(arguments);
            command.env("HAPLESS_DIR", &place);
            let refused = finish(command).fails(1);
            assert!(refused.contains(&*place.to_string_lossy()), "{refused}");
        }
    }
}

#[test]
fn a_state_directory_that_others_can_change_is_refused_with_the_remedy() {
    let world = World::new();
    let place = world.path("planted");
    std::fs::create_dir(&place).expect("a new directory");
    let refuse = || {
        for arguments in [&["run", "true"][..], &["status"], &["kill", "--all"]] {
            let mut command = world.command(arguments);
            command.env("HAPLESS_DIR", &place);
            let refused = finish(command).fails(1);
            assert!(refused.contains(&*place.to_string_lossy()) && refused.contains("HAPLESS_DIR"), "{refused}");
        }
    };
    for mode in [0o777, 0o720, 0o702] {
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(mode)).expect("our own");
        refuse();
    }
    std::fs::remove_dir(&place).expect("our own");
    std::fs::create_dir(world.path("real")).expect("a new directory");
    std::os::unix::fs::symlink(world.path("real"), &place).expect("a new link");
    refuse();
}

#[test]
fn a_state_directory_of_somebody_else_is_refused() {
    if !world::tools::is_root() {
        skip!("only root can give a directory away");
    }
    let world = World::new();
    std::fs::create_dir(world.path("state")).expect("a new directory");
    std::fs::set_permissions(world.path("state"), std::fs::Permissions::from_mode(0o700)).expect("our own");
    std::os::unix::fs::chown(world.path("state"), Some(12345), Some(12345)).expect("root may");
    let refused = world.hap(&["run", "true"]).fails(1);
    assert!(refused.contains("another user"), "{refused}");
    std::os::unix::fs::chown(world.path("state"), Some(0), Some(0)).expect("root may");
}

#[test]
fn a_log_file_may_be_the_output_of_a_listing() {
    let world = World::new();
    world.run(&["sleep", "60"]);
    let file = OpenOptions::new().create(true).append(true).open(world.work("listing")).expect("a new file");
    let mut command = world.command(&["status"]);
    command.stdout(file);
    assert!(command.status().expect("it runs").success());
    assert!(std::fs::read_to_string(world.work("listing")).expect("a listing").contains("running"));
}
