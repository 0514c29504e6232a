//! `hap doctor` finds what is wrong, and what it says to do mends it; `hap run` warns of a logout once.
//! The machines on which a logout kills are made in a mount namespace, of which nobody else sees anything.
#![allow(missing_docs)] // a test

mod world;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use world::{HAP, Outcome, World, finish, json};

fn checkup(world: &World) -> (i32, Value) {
    let outcome = world.hap(&["doctor", "--json"]);
    assert_eq!(outcome.stderr, "");
    (outcome.code, json(&outcome.stdout))
}

/// The findings on one subject.
fn on<'a>(report: &'a Value, subject: &str) -> Vec<&'a Value> {
    let findings = report["findings"].as_array().expect("an array");
    findings.iter().filter(|finding| finding["subject"] == subject).collect()
}

/// The only finding on a subject: its verdict and what was found.
#[track_caller]
fn only<'a>(report: &'a Value, subject: &str) -> (&'a str, &'a str) {
    let findings = on(report, subject);
    assert_eq!(findings.len(), 1, "{subject} in {report:#}");
    (findings[0]["verdict"].as_str().expect("a word"), findings[0]["what"].as_str().expect("text"))
}

/// The command in the remedy for a subject.
#[track_caller]
fn command_for(report: &Value, subject: &str) -> String {
    let remedy = on(report, subject)[0]["remedy"].as_str().expect("something to do");
    remedy.split('`').nth(1).expect("a command").to_owned()
}

#[test]
fn where_all_is_well_each_line_says_so() {
    let world = World::new();
    world.run(&["sleep", "600"]);
    let outcome = world.hap(&["doctor"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:?}");
    for (subject, said) in [
        ("state directory", "is yours alone"),
        ("pidfd", "the kernel has it"),
        ("supervisors", "1 hap running, each with its supervisor"),
        ("records", "1 hap, all in order"),
    ] {
        let line = outcome.stdout.lines().find(|line| line.contains(subject)).expect("a line");
        assert!(line.starts_with("ok ") && line.contains(said), "{line}");
    }
    for subject in ["file system", "room", "group signals", "exit status", "logout"] {
        assert!(outcome.stdout.contains(subject), "{subject} in {}", outcome.stdout);
    }
}

#[test]
fn without_a_state_directory_it_makes_none() {
    let world = World::new();
    let (code, report) = checkup(&world);
    assert_eq!((code, only(&report, "state directory").0), (0, "ok"));
    assert!(only(&report, "state directory").1.contains("not there yet"));
    assert!(!world.path("state").exists());
}

#[test]
fn a_directory_that_others_can_read_is_a_problem_that_its_command_mends() {
    let world = World::new();
    world.run(&["true"]);
    fs::set_permissions(world.path("state"), fs::Permissions::from_mode(0o755)).expect("our own");
    let (code, report) = checkup(&world);
    assert_eq!((code, only(&report, "state directory").0), (1, "problem"));
    assert_eq!(report["verdict"], "problem");
    world.sh(&command_for(&report, "state directory")).ok();
    assert_eq!(checkup(&world).0, 0);
}

#[test]
fn a_directory_that_others_can_write_to_is_told_and_not_used() {
    let world = World::new();
    world.run(&["true"]);
    fs::set_permissions(world.path("state"), fs::Permissions::from_mode(0o777)).expect("our own");
    let (code, report) = checkup(&world);
    assert_eq!((code, only(&report, "state directory").0), (1, "problem"));
    assert!(on(&report, "records").is_empty());
    world.sh(&command_for(&report, "state directory")).ok();
    assert_eq!(checkup(&world).0, 0);
}

#[test]
fn a_killed_supervisor_is_told_and_replaced() {
    let world = World::new();
    let id = world.run(&["-n", "train", "sleep", "600"]);
    world.kill_supervisor(&id);
    let (code, report) = checkup(&world);
    assert_eq!(
        only(&report, "supervisors"),
        ("warning", "hap 1 (train) had lost its supervisor and now has a new one")
    );
    assert_eq!(code, 0, "nothing is left to do");
    assert!(world.supervisor(&id).is_alive());
    assert_eq!(only(&checkup(&world).1, "supervisors").0, "ok");
}

#[test]
fn a_command_that_nobody_can_supervise_is_a_problem() {
    let world = World::new();
    let id = world.run(&["-n", "train", "sleep", "600"]);
    world.kill_supervisor(&id);
    fs::remove_file(world.file(&id, "lock")).expect("its lock");
    let (code, report) = checkup(&world);
    assert_eq!((code, only(&report, "supervisors").0), (1, "problem"));
    assert!(only(&report, "supervisors").1.contains("hap 1 (train) has no supervisor"));
}

#[test]
fn a_damaged_record_is_put_back_from_its_spare() {
    let world = World::new();
    let id = world.run(&["-n", "train", "sleep", "600"]);
    fs::write(world.file(&id, "record.json"), "{").expect("our own");
    let (code, report) = checkup(&world);
    assert_eq!((code, only(&report, "records").0), (1, "problem"));
    assert!(only(&report, "records").1.contains("record.json: it is damaged"), "{report:#}");
    world.sh(&command_for(&report, "records")).ok();
    assert_eq!((checkup(&world).0, world.word("train")), (0, "running".to_owned()));
    world.hap(&["stop", "train"]).ok();
    assert_eq!(world.word("train"), "failed");
}

#[test]
fn a_damaged_record_without_a_spare_can_be_forgotten() {
    let world = World::new();
    let id = world.run(&["true"]);
    world.until_recorded(&id);
    fs::write(world.file(&id, "record.json"), "").expect("our own");
    let (code, report) = checkup(&world);
    assert_eq!((code, only(&report, "records").0), (1, "problem"));
    world.sh(&command_for(&report, "records")).ok();
    assert_eq!(only(&checkup(&world).1, "records"), ("ok", "there are none"));
}

#[test]
fn what_a_killed_hap_left_lying_about_is_swept_up_by_clean() {
    let world = World::new();
    world.run(&["sleep", "600"]);
    fs::create_dir(world.state("haps/.new-4194304-1")).expect("a new directory");
    let (code, report) = checkup(&world);
    assert_eq!((code, only(&report, "records").0), (0, "warning"));
    assert_eq!(command_for(&report, "records"), "hap clean");
    world.hap(&["clean"]).ok();
    assert_eq!(only(&checkup(&world).1, "records").0, "ok");
}

/// A machine with systemd, this logind.conf, and this unit for whoever asks.
struct Machine<'a> {
    rules: &'a str,
    cgroup: &'a str,
    lingers: bool,
}

const SESSION: &str = "0::/user.slice/user-1000.slice/session-3.scope";
const DESKTOP: &str = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/terminal.scope";
const KILLS: &str = "[Login]\nKillUserProcesses=yes\nKillExcludeUsers=nobody\n";

impl Machine<'_> {
    /// Runs a script there; `None` where that is not allowed.
    fn sh(&self, world: &World, script: &str) -> Option<Outcome> {
        let unshare = world::tools::find("unshare")?;
        fs::write(world.work("logind.conf"), self.rules).expect("a new file");
        fs::write(world.work("cgroup"), self.cgroup).expect("a new file");
        let user = nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten()?.name;
        let linger = if self.lingers {
            format!("mkdir -p /var/lib/systemd/linger; : > /var/lib/systemd/linger/{user}; ")
        } else {
            String::new()
        };
        // An `exec` keeps the pid, and with it what is mounted over the file in /proc.
        let machine = format!(
            "set -e; mount -t tmpfs none /run; mount -t tmpfs none /var/lib; \
             mkdir -p /run/systemd/system /run/systemd/logind.conf.d; \
             cp logind.conf /run/systemd/logind.conf.d/50-test.conf; {linger}\
             as_there() {{ mount --bind cgroup /proc/$(sh -c 'echo $PPID')/cgroup; exec \"$@\"; }}; echo machine; {script}"
        );
        let mut command = world.program(unshare);
        command.args(["--mount", "sh", "-c", &machine]).env("HAP", HAP).env("TERM", "xterm");
        let outcome = finish(command);
        let stdout = outcome.stdout.strip_prefix("machine\n")?.to_owned();
        Some(Outcome { stdout, ..outcome })
    }
}

#[test]
fn what_a_logout_does_depends_on_the_unit_and_on_logind() {
    let leaves = "[Login]\nKillUserProcesses=no\n";
    let cases = [
        (KILLS, SESSION, false, "problem", "loginctl enable-linger"),
        (KILLS, SESSION, true, "problem", "systemd-run --user --scope hap run ..."),
        (leaves, SESSION, false, "ok", ""),
        (leaves, DESKTOP, false, "problem", "loginctl enable-linger"),
        (leaves, DESKTOP, true, "ok", ""),
        (KILLS, "0::/system.slice/cron.service", false, "ok", ""),
    ];
    for (rules, cgroup, lingers, verdict, command) in cases {
        let world = World::new();
        let machine = Machine { rules, cgroup, lingers };
        let Some(outcome) = machine.sh(&world, "(as_there \"$HAP\" doctor --json)") else {
            skip!("no mount namespace can be made");
        };
        let report = json(&outcome.stdout);
        assert_eq!(only(&report, "logout").0, verdict, "{rules} {cgroup} {lingers}: {outcome:?}");
        assert_eq!(outcome.code, i32::from(verdict == "problem"), "{outcome:?}");
        if !command.is_empty() {
            assert_eq!(command_for(&report, "logout"), command);
        }
    }
}

#[test]
fn a_small_disk_in_memory_is_told_by_its_kind_and_its_room() {
    let world = World::new();
    let script = "mkdir disk; mount -t tmpfs -o size=1m none disk; HAPLESS_DIR=$PWD/disk/state \"$HAP\" doctor --json";
    let Some(outcome) = (Machine { rules: "", cgroup: "", lingers: false }).sh(&world, script) else {
        skip!("no mount namespace can be made");
    };
    let report = json(&outcome.stdout);
    assert_eq!(only(&report, "file system"), ("warning", "tmpfs: it is memory, and a reboot forgets all haps"));
    assert_eq!(only(&report, "room").0, "problem");
    assert_eq!(outcome.code, 1);
}

#[test]
fn run_warns_of_the_logout_once_and_only_at_a_terminal() {
    needs!("script");
    let world = World::new();
    let at_terminal = "script -qec 'exec ./in-session run -q sleep 600' /dev/null; ";
    world.executable("in-session", "#!/bin/sh\nmount --bind cgroup /proc/$$/cgroup; exec \"$HAP\" \"$@\"\n");
    let script = format!(
        "export XDG_SESSION_ID=3; ./in-session run -q sleep 600; echo -- silent; {at_terminal} echo -- warned; {at_terminal}"
    );
    let Some(outcome) = (Machine { rules: KILLS, cgroup: SESSION, lingers: false }).sh(&world, &script) else {
        skip!("no mount namespace can be made");
    };
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:?}");
    let parts: Vec<String> = outcome.stdout.split("--").map(|part| part.replace('\r', "")).collect();
    assert_eq!(parts[0], "1\n");
    assert!(parts[1].starts_with(" silent\n2\n"), "{outcome:?}");
    assert!(outcome.stdout.contains("when you log out haps are killed"), "{outcome:?}");
    assert!(outcome.stdout.contains("loginctl enable-linger"), "{outcome:?}");
    assert_eq!(outcome.stdout.matches("log out").count(), 1, "{outcome:?}");
    assert!(outcome.stdout.trim_end().ends_with("\n3"), "{outcome:?}");
}

#[test]
fn run_is_silent_where_a_logout_does_no_harm() {
    needs!("script");
    let world = World::new();
    let script = "export XDG_SESSION_ID=3; script -qec 'exec \"$HAP\" run -q sleep 600' /dev/null";
    let Some(outcome) = (Machine { rules: KILLS, cgroup: "0::/\n", lingers: false }).sh(&world, script) else {
        skip!("no mount namespace can be made");
    };
    assert_eq!(outcome.stdout, "1\r\n", "{outcome:?}");
    assert!(!world.state("logout-warned").exists());
}
