//! Starting: `hap` itself, a command, many of them.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Instant;

use super::place::{HAP, Place, time};
use super::table::{Table, Unit};

const TIMES: usize = 300;
/// How many launches make a rate.
const LAUNCHES: usize = 400;

pub fn rows(place: &Place, table: &mut Table) {
    if table.wants("binary") {
        let size = |path: &Path| {
            f64::from(u32::try_from(fs::metadata(path).expect("it is built").len()).expect("fits")) / 1024.0
        };
        let (floor, hap) = (size(&place.floor()), size(Path::new(HAP)));
        table.figures("binary", floor, hap, Unit::KiB);
    }
    let version = || time(place.hap("state", &["--version"]));
    table.times("`hap --version`", TIMES, || time(place.program(place.floor())), version);

    let launch = || time(place.hap("launches", &["run", "true"]));
    table.times("launch", TIMES, || time(place.floor_run(&["true"])), launch);
    table.times("launch, beside `setsid -f`", TIMES, || time(setsid(place)), launch);
    first_instruction(place, table);
    rate(place, table, "launches, one after another", 1);
    rate(place, table, "launches, 8 at once", 8);
}

fn setsid(place: &Place) -> Command {
    let mut command = place.program("setsid");
    command.args(["-f", "true"]).stderr(std::process::Stdio::null());
    command
}

/// From before the launcher is started to the first instruction of the command.
fn first_instruction(place: &Place, table: &mut Table) {
    let fifo = place.path("stamp");
    make_fifo(&fifo);
    let stamped = |mut launch: Command| {
        let start = clock();
        let mut child = launch.arg(place.floor()).arg("stamp").arg(&fifo).spawn().expect("it starts");
        let stamp = read_stamp(&fifo);
        child.wait().expect("it ends");
        (stamp - start) * 1e3
    };
    let hap = || stamped(place.hap("launches", &["run"]));
    table.times("launch to first instruction", TIMES, || stamped(place.floor_run::<&str>(&[])), hap);
}

fn rate(place: &Place, table: &mut Table, what: &str, at_once: usize) {
    if !table.wants(what) {
        return;
    }
    let per_second = |start: &(dyn Fn() -> f64 + Sync)| {
        let begin = Instant::now();
        thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| (0..LAUNCHES / at_once).for_each(|_| _ = start()));
            }
        });
        f64::from(u32::try_from(LAUNCHES).expect("fits")) / begin.elapsed().as_secs_f64()
    };
    let state = format!("rate-{at_once}");
    let floor = per_second(&|| time(place.floor_run(&["true"])));
    let hap = per_second(&|| time(place.hap(&state, &["run", "true"])));
    table.figures(what, floor, hap, Unit::PerSecond);
    let recorded = fs::read_dir(place.path(&state).join("haps")).expect("a state directory").count();
    assert_eq!(recorded, LAUNCHES, "every launch is recorded");
}

pub fn make_fifo(path: &Path) {
    if !path.exists() {
        let made = Command::new("mkfifo").arg(path).status().expect("mkfifo(1)");
        assert!(made.success());
    }
}

/// The moment that `floor stamp` tells.
pub fn read_stamp(fifo: &Path) -> f64 {
    let mut bytes = [0; 8];
    fs::File::open(fifo).and_then(|mut file| file.read_exact(&mut bytes)).expect("a stamp");
    seconds(i64::from_ne_bytes(bytes))
}

/// `CLOCK_MONOTONIC`, in seconds.
pub fn clock() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    seconds(now.tv_sec * 1_000_000_000 + now.tv_nsec)
}

#[allow(clippy::cast_precision_loss)] // 53 bits of nanoseconds since boot are a hundred days
fn seconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / 1e9
}
