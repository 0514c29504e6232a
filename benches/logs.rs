//! `hap logs` beside cat(1), tail(1) and `tail -f`, in pairs: the same file, one right after the other.
//!
//! `cargo bench --bench logs` prints a table. A first word of `ROUNDS=3` in the environment makes it quicker;
//! `BENCH_DIR` chooses the file system (`/dev/shm` is a tmpfs).
#![allow(missing_docs)] // a benchmark

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const HAP: &str = env!("CARGO_BIN_EXE_hap");
const GIB: u64 = 1 << 30;
const LINE: &[u8] =
    b"a line of a hundred bytes, as they are usual in the logs of servers that have a lot to say for all...\n";

fn main() {
    let rounds = env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(7);
    let bench = Bench::new(rounds);
    println!("{:<44} {:>12} {:>12} {:>7}", "", "hap", "peer", "ratio");
    bench.dumps();
    bench.tails();
    bench.latency();
    bench.throughput("follow, 1 GiB in blocks, `tail -f`", &LINE.repeat(640), GIB);
    bench.throughput("follow, 100 MB in lines, `tail -f`", LINE, 100_000_000);
}

/// A hap that sleeps, whose log the benchmark writes.
struct Bench {
    directory: tempfile::TempDir,
    log: PathBuf,
    rounds: usize,
}

impl Bench {
    fn new(rounds: usize) -> Self {
        let place = env::var_os("BENCH_DIR").map_or_else(env::temp_dir, PathBuf::from);
        let directory =
            tempfile::Builder::new().prefix("hap-bench-").tempdir_in(place).expect("a directory of our own");
        let log = directory.path().join("haps/1/stdout.log");
        let bench = Self { directory, log, rounds };
        assert!(bench.hap(&["run", "-q", "sleep", "3600"]).stdout(Stdio::null()).status().expect("it runs").success());
        bench
    }

    fn hap(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(HAP);
        command.args(arguments).env("HAPLESS_DIR", self.directory.path()).stdin(Stdio::null());
        command
    }

    fn peer(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(arguments[0]);
        command.args(&arguments[1..]).arg(&self.log).stdin(Stdio::null());
        command
    }

    fn dumps(&self) {
        self.fill(GIB);
        let out = self.directory.path().join("out");
        let null = || File::create("/dev/null").expect("it is there");
        let file = || File::create(&out).expect("a file");
        let _warm = timed(&mut self.peer(&["cat"]), null().into());
        self.pair("dump, 1 GiB to /dev/null, `cat`", |command| timed(command, null().into()), &["logs", "1"], &["cat"]);
        self.pair("dump, 1 GiB to a file, `cat`", |command| timed(command, file().into()), &["logs", "1"], &["cat"]);
        self.pair("dump, 1 GiB into a pipe, `cat`", timed_through_a_pipe, &["logs", "1"], &["cat"]);
        fs::remove_file(out).expect("it is there");
    }

    fn tails(&self) {
        let through = timed_through_a_pipe;
        self.pair("last 10 lines of 1 GiB, `tail`", through, &["logs", "-n", "10", "1"], &["tail", "-n", "10"]);
        self.pair(
            "last 100,000 lines of 1 GiB, `tail`",
            through,
            &["logs", "-n", "100000", "1"],
            &["tail", "-n", "100000"],
        );
        self.clear();
        let mut log = self.append();
        log.set_len(10 * GIB).expect("holes cost nothing");
        writeln!(log, "\nthe last line").expect("written");
        self.pair("last line of 10 GiB of holes, `tail`", through, &["logs", "-n", "1", "1"], &["tail", "-n", "1"]);
    }

    /// From the write of a line until it can be read at the follower's other end.
    fn latency(&self) {
        let measure = |command: &mut Command| -> Vec<Duration> {
            self.clear();
            let mut log = self.append();
            let mut follower = Reader::start(command);
            (0..300)
                .map(|number| {
                    // It sleeps between lines, as it does in real life.
                    thread::sleep(Duration::from_millis(3));
                    let begin = Instant::now();
                    writeln!(log, "line {number}").expect("written");
                    follower.until(b'\n');
                    begin.elapsed()
                })
                .skip(20)
                .collect()
        };
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            ours.extend(measure(&mut self.hap(&["logs", "-f", "1"])));
            theirs.extend(measure(&mut self.peer(&["tail", "-n", "+1", "-f"])));
        }
        ours.sort_unstable();
        theirs.sort_unstable();
        row("follow, a line until it is shown: median", quantile(&ours, 500), quantile(&theirs, 500));
        row("follow, a line until it is shown: p99", quantile(&ours, 990), quantile(&theirs, 990));
    }

    fn throughput(&self, what: &str, block: &[u8], bytes: u64) {
        let measure = |command: &mut Command| {
            self.clear();
            let mut log = self.append();
            let mut follower = Reader::start(command);
            log.write_all(b"\n").expect("written");
            follower.until(b'\n');
            let count = bytes / block.len() as u64;
            let all = count * block.len() as u64;
            let begin = Instant::now();
            let reader = thread::spawn(move || follower.count(all));
            for _ in 0..count {
                log.write_all(block).expect("written");
            }
            reader.join().expect("all is read");
            begin.elapsed()
        };
        let pairs = (0..self.rounds.min(3)).map(|_| {
            (measure(&mut self.hap(&["logs", "-f", "1"])), measure(&mut self.peer(&["tail", "-n", "+1", "-f"])))
        });
        let (mut ours, mut theirs): (Vec<_>, Vec<_>) = pairs.unzip();
        ours.sort_unstable();
        theirs.sort_unstable();
        row(what, quantile(&ours, 500), quantile(&theirs, 500));
    }

    fn pair(&self, what: &str, measure: impl Fn(&mut Command) -> Duration, ours: &[&str], theirs: &[&str]) {
        let pairs = (0..self.rounds).map(|_| (measure(&mut self.hap(ours)), measure(&mut self.peer(theirs))));
        let (mut ours, mut theirs): (Vec<_>, Vec<_>) = pairs.unzip();
        ours.sort_unstable();
        theirs.sort_unstable();
        row(what, quantile(&ours, 500), quantile(&theirs, 500));
    }

    fn fill(&self, bytes: u64) {
        let mut log = self.append();
        let block = LINE.repeat(1 << 14);
        let mut left = bytes;
        while left > 0 {
            let length = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            log.write_all(&block[..length]).expect("written");
            left -= length as u64;
        }
    }

    fn clear(&self) {
        self.append().set_len(0).expect("truncated");
    }

    fn append(&self) -> File {
        OpenOptions::new().append(true).open(&self.log).expect("the log is there")
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.hap(&["kill", "1"]).stdout(Stdio::null()).status();
    }
}

/// A follower and what it prints. Killed in the end.
struct Reader(Child);

impl Reader {
    fn start(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::piped()).spawn().expect("it starts"))
    }

    fn until(&mut self, end: u8) {
        let out = self.0.stdout.as_mut().expect("piped");
        let mut byte = [0];
        while byte[0] != end {
            out.read_exact(&mut byte).expect("it goes on");
        }
    }

    fn count(&mut self, bytes: u64) {
        let out = self.0.stdout.as_mut().expect("piped");
        let mut block = vec![0; 1 << 17];
        let mut left = bytes;
        while left > 0 {
            left -= out.read(&mut block).expect("it goes on") as u64;
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn timed(command: &mut Command, out: Stdio) -> Duration {
    let begin = Instant::now();
    assert!(command.stdout(out).status().expect("it runs").success());
    begin.elapsed()
}

fn timed_through_a_pipe(command: &mut Command) -> Duration {
    let begin = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it runs");
    let mut out = child.stdout.take().expect("piped");
    let mut block = vec![0; 1 << 17];
    while out.read(&mut block).expect("it goes on") > 0 {}
    assert!(child.wait().expect("it ends").success());
    begin.elapsed()
}

fn quantile(sorted: &[Duration], thousandths: usize) -> Duration {
    sorted[(sorted.len() - 1) * thousandths / 1000]
}

fn row(what: &str, ours: Duration, theirs: Duration) {
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!("{what:<44} {:>12} {:>12} {ratio:>7.2}", text(ours), text(theirs));
}

fn text(duration: Duration) -> String {
    match duration.as_micros() {
        micros @ 0..10_000 => format!("{}.{:03} ms", micros / 1000, micros % 1000),
        micros => format!("{} ms", micros / 1000),
    }
}
