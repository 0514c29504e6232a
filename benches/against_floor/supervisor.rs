//! What a supervisor costs while its command runs, and how soon an end is on record.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{hint, thread};

use super::place::Place;
use super::start::{clock, make_fifo, read_stamp};
use super::table::{Table, Unit};

const TIMES: usize = 200;

/// How long supervisors are watched for whether they sleep.
const WATCHED: Duration = Duration::from_secs(10);

pub fn rows(place: &Place, table: &mut Table) {
    end_to_record(place, table);
    for count in [1, 100, 1000] {
        let names = [format!("USS of a supervisor, {count} at once"), format!("PSS of a supervisor, {count} at once")];
        if names.iter().any(|name| table.wants(name)) || table.wants("wake-ups") {
            running(place, table, count, &names);
        }
    }
}

/// From the last instruction of the command until a reader finds its end on record.
fn end_to_record(place: &Place, table: &mut Table) {
    let (go, stamp) = (place.path("go"), place.path("end-stamp"));
    make_fifo(&go);
    make_fifo(&stamp);
    let from_end = |mut launch: Command, record: &dyn Fn() -> PathBuf, is_end: &dyn Fn(&Path) -> bool| {
        launch.arg(place.floor()).arg("end").arg(&go).arg(&stamp);
        assert!(launch.status().expect("it starts").success());
        let path = record();
        drop(fs::File::options().write(true).open(&go));
        let ended = read_stamp(&stamp);
        while !is_end(&path) {
            hint::spin_loop();
        }
        (clock() - ended) * 1e3
    };
    let newest = |directory: PathBuf| {
        let entries = fs::read_dir(&directory).expect("a state directory").flatten();
        let last = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).max().expect("a hap");
        directory.join(last.to_string())
    };
    let floor = || {
        let hap = || newest(place.floor_state());
        from_end(place.floor_run::<&str>(&[]), &hap, &|hap| hap.join("end").exists())
    };
    let shown = || from_end(place.hap("ends", &["run"]), &|| newest(place.path("ends/haps")), &is_shown);
    table.times("command's end until it is shown", TIMES, floor, shown);
    let synced = || from_end(place.hap("ends", &["run"]), &|| newest(place.path("ends/haps")), &is_replaced);
    table.times("command's end until no power cut can take it away", TIMES, floor, synced);
}

/// Whether `hap status` finds the end: in the record, or in what is about to take its place.
fn is_shown(hap: &Path) -> bool {
    let next = fs::read_to_string(hap.join("record.next")).unwrap_or_default();
    next.contains(r#""end":"#) && next.trim_end().ends_with('}') || is_replaced(hap)
}

/// The record has the end: it is replaced once that is on the disk.
fn is_replaced(hap: &Path) -> bool {
    fs::read_to_string(hap.join("record.json")).expect("a record").contains(r#""end":"#)
}

/// So many haps at once, all asleep.
fn running(place: &Place, table: &mut Table, count: usize, names: &[String; 2]) {
    let state = format!("running-{count}");
    for _ in 0..count {
        assert!(place.hap(&state, &["run", "sleep", "1000"]).status().expect("it starts").success());
        assert!(place.floor_run(&["sleep", "1000"]).status().expect("it starts").success());
    }
    let haps = supervisors(&place.path(&state).join("haps"));
    let floors = floor_supervisors(&place.floor_state());
    assert_eq!((haps.len(), floors.len()), (count, count));
    settle(&haps);
    for (name, fields) in names.iter().zip([&["Private_Clean:", "Private_Dirty:"][..], &["Pss:"][..]]) {
        let (floor, hap) = (mean_memory(&floors, fields), mean_memory(&haps, fields));
        table.figures(name, floor, hap, Unit::KiB);
    }
    if count > 1 && table.wants("wake-ups") {
        let before = wake_ups(&haps);
        thread::sleep(WATCHED);
        let what = format!("wake-ups of {count} idle supervisors in {} s", WATCHED.as_secs());
        table.figure(&what, wake_ups(&haps) - before, Unit::Count);
    }
    assert!(place.hap(&state, &["kill", "--all"]).status().expect("it starts").success());
    for pid in floors {
        kill_floor(pid);
    }
}

/// The supervisors that the records name.
fn supervisors(haps: &Path) -> Vec<i32> {
    let entries = fs::read_dir(haps).expect("a state directory").flatten();
    let records = entries.filter_map(|entry| fs::read(entry.path().join("record.json")).ok());
    records
        .map(|record| serde_json::from_slice::<serde_json::Value>(&record).expect("JSON"))
        .map(|record| record["supervisor"]["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).expect("a pid"))
        .collect()
}

/// The supervisors of the floor that live. `floor run` returns before it has said who they are.
fn floor_supervisors(state: &Path) -> Vec<i32> {
    thread::sleep(Duration::from_millis(200));
    let entries = fs::read_dir(state).expect("a state directory").flatten();
    let running = entries.filter(|entry| !entry.path().join("end").exists());
    let pids = running.filter_map(|entry| fs::read_to_string(entry.path().join("pid")).ok());
    pids.filter_map(|pids| pids.split(' ').next()?.parse().ok()).filter(|pid| is_alive(*pid)).collect()
}

fn is_alive(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Ends the command of a supervisor of the floor, and so the supervisor.
fn kill_floor(supervisor: i32) {
    let children = fs::read_to_string(format!("/proc/{supervisor}/task/{supervisor}/children")).unwrap_or_default();
    for child in children.split_whitespace() {
        let _ = Command::new("kill").arg(child).status();
    }
}

/// Waits until all of them sleep for their children.
fn settle(pids: &[i32]) {
    let sleeps = |pid: &i32| fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") S "));
    for _ in 0..1000 {
        if pids.iter().all(sleeps) {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("a supervisor does not sleep");
}

/// These fields of `/proc/PID/smaps_rollup` added, on average.
fn mean_memory(pids: &[i32], fields: &[&str]) -> f64 {
    let of = |pid: &i32| {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("it lives");
        let lines = text.lines().filter(|line| fields.iter().any(|field| line.starts_with(field)));
        lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok()).sum::<f64>()
    };
    pids.iter().map(of).sum::<f64>() / f64::from(u32::try_from(pids.len()).expect("fits"))
}

/// How often they have woken up since they were born, and how many clock ticks they have run.
fn wake_ups(pids: &[i32]) -> f64 {
    let of = |pid: &i32| {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
        let lines = text.lines().filter(|line| line.contains("ctxt_switches:"));
        lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok()).sum::<f64>()
    };
    pids.iter().map(of).sum()
}
