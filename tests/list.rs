//! Which haps a list shows, in which order, and what it folds away on a terminal.

mod world;

use std::fs;

use serde_json::{Value, json};
use world::terminal::Terminal;
use world::{World, wait_for};

/// A world with haps of several kinds: good, bad, busy, idle.
fn varied() -> World {
    let world = World::new();
    world.run(&["-n", "good", "true"]);
    world.run(&["-n", "bad", "false"]);
    world.run(&["-n", "busy", "sleep", "60"]);
    world.run(&["-n", "idle", "sleep", "60"]);
    world.until_ended("good");
    world.until_ended("bad");
    world.hap(&["pause", "idle"]).ok();
    world
}

fn names(list: &str) -> Vec<String> {
    let list: Value = world::json(list);
    list.as_array().expect("a list").iter().map(|hap| hap["name"].as_str().expect("a name").to_owned()).collect()
}

/// A world with this many finished haps and one that runs, which is the oldest.
fn crowded(finished: u32) -> World {
    let world = World::new();
    world.run(&["-n", "busy", "sleep", "60"]);
    world.run(&["-n", "old-2", "true"]);
    world.until_recorded("2");
    let record = world.record("2");
    for number in 3..finished + 2 {
        let copy = world.state("haps").join(number.to_string());
        fs::create_dir(&copy).expect("a new directory");
        let mut record = record.clone();
        record["name"] = json!(format!("old-{number}"));
        fs::write(copy.join("record.json"), record.to_string()).expect("a new file");
    }
    world
}

#[test]
fn a_filter_shows_only_those_with_that_status() {
    let world = varied();
    let cases: [(&[&str], &[&str]); 7] = [
        (&["--filter", "running"], &["busy"]),
        (&["-f", "failed"], &["bad"]),
        (&["--filter", "active"], &["busy", "idle"]),
        (&["--filter", "ended"], &["good", "bad"]),
        (&["--filter", "success,paused"], &["good", "idle"]),
        (&["--filter", "success", "--filter", "failed"], &["good", "bad"]),
        (&["--filter", "lost"], &[]),
    ];
    for (options, expected) in cases {
        for verb in [&["--json"][..], &["status", "--json"]] {
            let arguments = [verb, options].concat();
            assert_eq!(names(&world.hap(&arguments).ok()), expected, "{arguments:?}");
        }
        let table = world.hap(options).ok();
        for name in ["good", "bad", "busy", "idle"] {
            assert_eq!(table.contains(name), expected.contains(&name), "{name} with {options:?} in {table}");
        }
    }
    assert_eq!(world.hap(&["--filter", "lost,broken"]).ok(), "No hap is lost or broken\n");
}

#[test]
fn a_filter_that_does_not_exist_is_wrong_usage_that_names_those_that_do() {
    let world = varied();
    for option in ["--filter", "--sort"] {
        let said = world.hap(&[option, "best"]);
        assert_eq!(said.code, 2);
        assert!(said.stderr.contains("best") && said.stderr.contains("possible values"), "{said:?}");
    }
    assert_eq!(world.hap(&["status", "good", "--filter", "failed"]).code, 2, "one hap is not a list");
}

#[test]
fn a_list_is_sorted_by_what_was_asked_for() {
    let world = varied();
    let cases = [
        ("id", ["good", "bad", "busy", "idle"]),
        ("name", ["bad", "busy", "good", "idle"]),
        ("status", ["busy", "idle", "bad", "good"]),
    ];
    for (order, expected) in cases {
        assert_eq!(names(&world.hap(&["--json", "--sort", order]).ok()), expected, "{order}");
        let table = world.hap(&["--sort", order]).ok();
        let places = expected.map(|name| table.find(name).expect("it is shown"));
        assert!(places.is_sorted(), "{order}: {table}");
    }
    let longest = names(&world.hap(&["--json", "--sort", "runtime"]).ok());
    assert_eq!(longest[..2], ["busy", "idle"], "who was started first has run longest");
}

#[test]
fn what_haps_take_is_shown_when_it_is_asked_for() {
    let world = World::new();
    let spin = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; exec sleep 60";
    world.run(&["-n", "idle", "sleep", "60"]);
    world.run(&["-n", "hungry", "sh", "-c", spin]);
    wait_for("the end of the work", || world.hap(&["logs", "hungry"]).ok() == "done\n");
    let list = world::json(&world.hap(&["--json", "-v"]).ok());
    let hungry = &list[1];
    assert!(hungry["cpu_seconds"].as_f64() > list[0]["cpu_seconds"].as_f64(), "{list}");
    assert!(hungry["memory_bytes"].as_u64() > Some(0), "{list}");
    assert!(hungry["log_bytes"].is_u64(), "{list}");
    assert_eq!(names(&world.hap(&["--json", "--sort", "cpu"]).ok()), ["hungry", "idle"]);
    let heading = |options: &[&str]| world.hap(options).ok().lines().next().unwrap_or_default().to_owned();
    assert!(!heading(&[]).contains("CPU"), "a plain list does not look into /proc for it");
    assert!(heading(&["--sort", "memory"]).contains("Memory"));
    assert_eq!(world.list()[0].get("cpu_seconds"), None);
}

#[test]
fn a_build_that_has_ended_its_compilers_keeps_their_cpu_time() {
    let world = World::new();
    let spin = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
    let id = world.run_sh(&format!("sh -c '{spin}'; echo done; exec sleep 60"));
    wait_for("the end of the work", || world.hap(&["logs", &id]).ok() == "done\n");
    let list = world::json(&world.hap(&["--json", "-v"]).ok());
    assert!(list[0]["cpu_seconds"].as_f64() > Some(0.05), "{list}");
}

#[test]
fn a_terminal_folds_old_finished_ones_and_never_what_runs() {
    let world = crowded(60);
    let mut terminal = Terminal::start(&world, &[], (80, 100));
    assert!(terminal.end().success());
    let text = terminal.until_shown("10 older ones have finished: `hap --all` shows them too");
    assert!(text.contains("busy") && text.contains("old-12 ") && !text.contains("old-11 "), "{text}");
    assert_eq!(text.lines().filter(|line| line.contains("success")).count(), 50);
    let mut terminal = Terminal::start(&world, &["--all"], (80, 100));
    assert!(terminal.end().success());
    assert!(terminal.until_shown("old-61").contains("old-2 "));
}

#[test]
fn a_pipe_and_json_get_all_of_them() {
    let world = crowded(60);
    let table = world.hap(&["status"]).ok();
    assert_eq!(table.lines().count(), 62, "{table}");
    assert!(!table.contains("older"));
    assert_eq!(world.list().len(), 61);
    let mut terminal = Terminal::start(&world, &["--json", "--filter", "success"], (80, 3000));
    assert!(terminal.end().success());
    let text = terminal.until("the end of the array", |text| text.trim_end().ends_with(']'));
    assert_eq!(names(&text).len(), 60);
}
