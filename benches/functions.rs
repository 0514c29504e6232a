//! What the parts of a listing cost, without starting a process: `cargo bench --bench functions`.
//!
//! Each is called again and again for a while; the least is what it costs when nothing else is going on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hapless::core::alias::Alias;
use hapless::ops::find::Haps;
use hapless::store::StateDir;

const HAP: &str = env!("CARGO_BIN_EXE_hap");
const COUNT: usize = 1000;
const LONG_ENOUGH: Duration = Duration::from_secs(1);

fn main() {
    let base = std::env::var_os("HAP_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let directory = tempfile::Builder::new().prefix("hap-bench-").tempdir_in(base).expect("a directory");
    let state = directory.path().join("state");
    (1..=COUNT).for_each(|number| run(&state, number));
    let open = || StateDir::open(&state).expect("it is safe").expect("it is there");
    let haps = Haps::new(open()).expect("this is a machine");
    let middle = Alias::from(format!("job-{}", COUNT / 2).as_str());

    println!("| function | least | median |\n| --- | ---: | ---: |");
    measure("open the state directory", || drop(open()));
    measure(&format!("the ids of {COUNT} haps"), || drop(open().ids().expect("ids")));
    measure(&format!("read and judge {COUNT} finished haps"), || drop(haps.all().expect("haps")));
    measure(&format!("find one of {COUNT} by its name"), || drop(haps.hap(&middle).expect("it is there")));
}

/// Starts one and waits until its end is on the disk.
fn run(state: &Path, number: usize) {
    let mut command = Command::new(HAP);
    command.env("HAPLESS_DIR", state).args(["run", "-n", &format!("job-{number}"), "true"]);
    assert!(command.stdout(Stdio::null()).status().expect("hap starts").success());
    let next = state.join("haps").join(number.to_string()).join("record.next");
    while fs::exists(&next).expect("our own directory") {
        std::thread::yield_now();
    }
}

fn measure(what: &str, function: impl Fn()) {
    let begin = Instant::now();
    let mut times = Vec::new();
    while begin.elapsed() < LONG_ENOUGH {
        let start = Instant::now();
        function();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    println!("| {what} | {:.1?} | {:.1?} |", times[0], times[times.len() / 2]);
}
