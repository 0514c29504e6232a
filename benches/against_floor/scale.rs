//! How the cost of each verb grows with the number of haps.

use std::fs;

use super::place::{Place, time};
use super::table::{Table, Unit};

const RUNNING: usize = 1000;

pub fn rows(place: &Place, table: &mut Table) {
    let mut made = 0;
    for (count, times) in [(1, 200), (10, 200), (100, 200), (1000, 60), (10_000, 20)] {
        let names = ["`hap status`", "`hap --json`", "`hap status NAME`", "`hap logs NAME`", "`hap wait NAME`"];
        let names = names.map(|name| format!("{name}, {count} finished"));
        if !names.iter().any(|name| table.wants(name)) {
            continue;
        }
        while made < count {
            made += 1;
            run(place, "finished", &["run", "-n", &format!("job-{made}"), "true"]);
        }
        settle(place, count);
        let list = || time(floor_list(place, "finished"));
        let name = format!("job-{}", count / 2 + 1);
        let nothing = || time(place.program(place.floor()));
        let hap = |words: &[&str]| time(place.hap("finished", words));
        table.times(&names[0], times, list, || hap(&["status"]));
        table.times(&names[1], times, list, || hap(&["--json"]));
        table.times(&names[2], times, nothing, || hap(&["status", &name]));
        table.times(&names[3], times, nothing, || hap(&["logs", &name]));
        table.times(&names[4], times, nothing, || hap(&["wait", &name]));
        if count == 10_000 && table.wants("verbs") {
            verbs(place, table);
        }
    }
}

/// Every verb with many haps finished and many running at once.
fn verbs(place: &Place, table: &mut Table) {
    for number in 0..RUNNING {
        run(place, "finished", &["run", "-n", &format!("live-{number}"), "sleep", "1000"]);
    }
    let what = |verb: &str| format!("`{verb}` of all verbs, 10000 finished and {RUNNING} running");
    let mut once = |verb: &str, words: &[&str]| {
        let took = time(place.hap("finished", words));
        table.figure(&what(verb), took, Unit::Milliseconds);
    };
    once("hap status", &["status"]);
    once("hap status NAME", &["status", "live-500"]);
    once("hap run", &["run", "true"]);
    once("hap run -n NAME", &["run", "-n", "one-more", "true"]);
    once("hap logs NAME", &["logs", "live-500"]);
    once("hap pause NAME", &["pause", "live-500"]);
    once("hap resume NAME", &["resume", "live-500"]);
    once("hap rename NAME NEW", &["rename", "live-500", "renamed"]);
    once("hap restart NAME", &["restart", "renamed"]);
    once("hap kill NAME", &["kill", "renamed"]);
    once("hap kill --all", &["kill", "--all"]);
    once("hap clean", &["clean"]);
}

fn run(place: &Place, state: &str, words: &[&str]) {
    assert!(place.hap(state, words).status().expect("it starts").success(), "{words:?}");
}

/// All of them have ended and are on record.
fn settle(place: &Place, count: usize) {
    let haps = place.path("finished").join("haps");
    let is_over = |id: usize| {
        let record = fs::read_to_string(haps.join(id.to_string()).join("record.json"));
        record.is_ok_and(|record| record.contains(r#""end":"#))
    };
    while !(1..=count).all(is_over) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// The same records, read by the floor.
fn floor_list(place: &Place, state: &str) -> std::process::Command {
    let mut command = place.program(place.floor());
    command.arg("list").arg(place.path(state).join("haps"));
    command
}
