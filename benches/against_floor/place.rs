//! Where the benchmark works: the two programs, their state directories, and how they are started.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// The program that is measured.
pub const HAP: &str = env!("CARGO_BIN_EXE_hap");

/// A directory of our own. Whatever runs in it is killed when it is dropped.
pub struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let base = std::env::var_os("HAP_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let directory = tempfile::Builder::new().prefix("hap-bench-").tempdir_in(base).expect("a directory");
        let place = Self { directory };
        build_floor(&place.floor());
        fs::create_dir(place.floor_state()).expect("a new directory");
        place
    }

    /// The C program.
    pub fn floor(&self) -> PathBuf {
        self.path("floor")
    }

    /// Its state directory.
    pub fn floor_state(&self) -> PathBuf {
        self.path("floor-state")
    }

    /// A path of our own.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A program in a small environment, without output.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", self.directory.path());
        command.env("LANG", "C.UTF-8").env("HAPLESS_DIR", self.path("state")).current_dir(self.directory.path());
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// `hap` with these arguments in the state directory of this name.
    pub fn hap<A: AsRef<OsStr>>(&self, state: &str, arguments: &[A]) -> Command {
        let mut command = self.program(HAP);
        command.env("HAPLESS_DIR", self.path(state)).args(arguments);
        command
    }

    /// `floor run` with these arguments.
    pub fn floor_run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = self.program(self.floor());
        command.arg("run").arg(self.floor_state()).args(arguments);
        command
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for state in fs::read_dir(self.directory.path()).into_iter().flatten().flatten() {
            if state.path().join("haps").is_dir() {
                let _ = self.program(HAP).env("HAPLESS_DIR", state.path()).args(["kill", "--all"]).status();
            }
        }
    }
}

fn build_floor(target: &Path) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/floor.c");
    let built = ["musl-gcc", "cc"].iter().any(|compiler| {
        let mut command = Command::new(compiler);
        command.args(["-static", "-Os", "-s", "-o"]).arg(target).arg(&source);
        command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    });
    assert!(built, "a C compiler with a static library is needed");
}

/// How long a command takes until it is reaped, in milliseconds.
pub fn time(mut command: Command) -> f64 {
    let start = Instant::now();
    let status = command.status().expect("the program starts");
    let passed = start.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    passed.as_secs_f64() * 1e3
}
