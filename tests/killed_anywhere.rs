//! The laws under `kill -9`: `hap run`, `hap restart` and a `hap` that replaces a dead supervisor are
//! traced, and each of their processes in turn is killed at each of its system calls, before it and
//! after it. Whatever is left must be a recorded command or none, never half a hap, no output and no
//! exit code may be lost, and nothing may stay that `hap clean` cannot remove.
#![allow(missing_docs)] // a test

mod world;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use world::tracer::{self, Plan, Rest, Traced};

/// The processes of a launch, in the order of their birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Caller,
    Intermediate,
    Supervisor,
    Command,
}

impl tracer::Role for Role {
    const CALLER: Self = Self::Caller;

    fn child(self) -> Self {
        match self {
            Self::Caller => Self::Intermediate,
            Self::Intermediate => Self::Supervisor,
            Self::Supervisor | Self::Command => Self::Command,
        }
    }

    fn is_free_once_executed(self) -> bool {
        self == Self::Command
    }
}

#[test]
fn the_caller_may_be_killed_at_any_system_call() {
    kill_everywhere(Role::Caller);
}

#[test]
fn the_intermediate_process_may_be_killed_at_any_system_call() {
    kill_everywhere(Role::Intermediate);
}

#[test]
fn the_supervisor_may_be_killed_at_any_system_call() {
    kill_everywhere(Role::Supervisor);
}

#[test]
fn a_supervisor_that_keeps_limit_and_times_may_be_killed_at_any_system_call() {
    kill_at_every_stop(Role::Supervisor, &|world, stop, when| {
        let keeping = ["run", "-n", "victim", "--log-limit", "256K", "--timestamps"];
        let words = [&keeping[..], &["sh", "-c", "echo $$ > marker; echo run $$; sleep 0.01; echo end"]].concat();
        let launch = Launch::traced(world, &words, Role::Supervisor, stop);
        list(world, when);
        if let Ok(pid) = fs::read_to_string(world.join("marker")) {
            assert_eq!(output(world), format!("run {pid}end\n"), "{when}");
        }
        launch.check(world, when);
        launch
    });
}

#[test]
fn the_command_may_be_killed_at_any_system_call_before_it_is_executed() {
    kill_everywhere(Role::Command);
}

#[test]
fn whoever_restarts_may_be_killed_at_any_system_call() {
    for role in [Role::Caller, Role::Intermediate] {
        kill_everywhere_in_a_restart(role);
    }
}

#[test]
fn the_supervisor_of_a_restart_may_be_killed_at_any_system_call() {
    kill_everywhere_in_a_restart(Role::Supervisor);
}

#[test]
fn the_command_of_a_restart_may_be_killed_at_any_system_call_before_it_is_executed() {
    kill_everywhere_in_a_restart(Role::Command);
}

#[test]
fn whoever_replaces_a_supervisor_may_be_killed_at_any_system_call() {
    for role in [Role::Caller, Role::Intermediate, Role::Supervisor] {
        kill_at_every_stop(role, &|world, stop, when| {
            let (command, supervisor) = start_sleeper(world);
            kill(supervisor, Signal::SIGKILL).expect("it is there");
            let is_gone = || world::process::stat(supervisor.as_raw()).is_none_or(|stat| stat.state == 'Z');
            world::wait_for("the supervisor to be gone", is_gone);
            let healing = Launch::traced_until_the_end(world, &["status"], role, stop);
            check_that_nothing_was_lost_by_healing(world, command, when);
            healing
        });
    }
}

/// Kills it at every stop of a first start.
fn kill_everywhere(role: Role) {
    kill_at_every_stop(role, &|world, stop, when| {
        let words = ["run", "-n", "victim", "sh", "-c", "echo $$ > marker"];
        let launch = Launch::traced(world, &words, role, stop);
        launch.check(world, when);
        launch
    });
}

fn kill_everywhere_in_a_restart(role: Role) {
    kill_at_every_stop(role, &|world, stop, when| {
        let first = ["run", "-n", "victim", "sh", "-c", "echo $$ >> marker; echo run $$; exit 3"];
        assert!(hap(world).args(first).current_dir(world).stdout(Stdio::null()).status().expect("hap run").success());
        list(world, when);
        let launch = Launch::traced(world, &["restart", "victim"], role, stop);
        launch.check_restart(world, when);
        launch
    });
}

/// Kills it at its first stop, its second, and so on until there is none left to be killed at.
fn kill_at_every_stop(role: Role, trial: &dyn Fn(&Path, usize, &str) -> Launch) {
    let mut tried = 0;
    for stop in 0.. {
        let world = tempfile::tempdir().expect("a directory");
        if !trial(world.path(), stop, &format!("{role:?} killed at stop {stop}")).0.was_killed {
            break;
        }
        tried += 1;
    }
    eprintln!("{role:?}: killed at {tried} places");
    assert!(tried > 5, "{role:?} was killed at only {tried} places");
}

/// Starts a command that ends with the code 7 once it is told to: itself and its supervisor.
fn start_sleeper(world: &Path) -> (Pid, Pid) {
    let words = ["run", "-n", "victim", "sh", "-c", "while [ ! -e end ]; do sleep 0.01; done; exit 7"];
    assert!(hap(world).args(words).current_dir(world).stdout(Stdio::null()).status().expect("hap run").success());
    let record = fs::read(world.join("state/haps/1/record.json")).expect("a record");
    let record: Value = serde_json::from_slice(&record).expect("JSON");
    let pid = |role: &str| Pid::from_raw(i32::try_from(record[role]["pid"].as_i64().expect("a pid")).expect("fits"));
    (pid("process"), pid("supervisor"))
}

fn check_that_nothing_was_lost_by_healing(world: &Path, command: Pid, when: &str) {
    let status = || {
        let output = hap(world).args(["status", "--json", "victim"]).output().expect("hap status");
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|error| panic!("{when}: {error}: {output:?}"))
    };
    let was_to_end = world.join("end").exists();
    if !was_to_end {
        // Whoever comes next heals what is still to be healed.
        let before = status();
        assert_eq!((&before["status"], &before["pid"]), (&"running".into(), &command.as_raw().into()), "{when}");
        fs::write(world.join("end"), "").expect("our own file");
    }
    list(world, when);
    let after = status();
    // Nobody may have been there when it ended, and before Linux 6.15 nobody but the parent is told how.
    let may_be_unknown = was_to_end || !world::process::kernel_is(6, 15);
    let is_unknown = after["status"] == "lost" && after["rc"].is_null();
    assert!(after["rc"] == 7 || may_be_unknown && is_unknown, "{when}: {after}");
}

/// What came of a traced `hap`.
struct Launch(Traced);

impl Launch {
    /// Runs `hap` to the end of all its processes, but kills this one at this stop.
    fn traced(world: &Path, words: &[&str], victim: Role, stop: usize) -> Self {
        Self::trace(world, words, victim, stop, &mut |_, _| Rest::Trace)
    }

    /// The same for a `hap` that leaves a process behind which lives as long as the sleeper: that is told to
    /// end only if the victim lives longer than the caller.
    fn traced_until_the_end(world: &Path, words: &[&str], victim: Role, stop: usize) -> Self {
        Self::trace(world, words, victim, stop, &mut |was_killed, _| {
            if was_killed {
                return Rest::LetGo;
            }
            fs::write(world.join("end"), "").expect("our own file");
            Rest::Trace
        })
    }

    fn trace(
        world: &Path,
        words: &[&str],
        victim: Role,
        stop: usize,
        rest: &mut (dyn FnMut(bool, bool) -> Rest + Send),
    ) -> Self {
        let mut command = hap(world);
        command.args(words).current_dir(world);
        Self(tracer::trace(command, Plan { victim, stop, counts: &mut |_| true, rest }))
    }

    fn check(&self, world: &Path, when: &str) {
        let haps = list(world, when);
        let marker = fs::read_to_string(world.join("marker")).ok();
        let ran: Option<i64> = marker.as_deref().and_then(|pid| pid.trim().parse().ok());
        assert!(haps.len() <= 1, "{when}: {haps:?}");
        for hap in &haps {
            assert_eq!(hap["name"], "victim", "{when}: a whole hap");
            assert_ne!(hap["status"], "running", "{when}: everything has ended");
        }
        if let Some(pid) = ran {
            assert_eq!(haps.first().map(|hap| &hap["pid"]), Some(&Value::from(pid)), "{when}: what ran is recorded");
        }
        match self.0.code {
            Some(0) => assert_eq!(haps.len(), 1, "{when}: what was promised is recorded"),
            Some(_) => {
                assert_eq!(ran, None, "{when}: what was refused did not run");
                assert!(haps.is_empty(), "{when}: what was refused left {haps:?}");
            }
            None => {}
        }
        self.check_that_clean_leaves_nothing(world, when);
    }

    /// A restart of a hap whose first run ended with the code 3 and wrote one line.
    fn check_restart(&self, world: &Path, when: &str) {
        let haps = list(world, when);
        let [now] = haps.as_slice() else { panic!("{when}: {haps:?}") };
        let ran: Vec<String> =
            fs::read_to_string(world.join("marker")).expect("it ran").lines().map(str::to_owned).collect();
        assert_eq!(now["name"], "victim", "{when}");
        match ran.as_slice() {
            [first] if now["restarts"] == 0 => assert_eq!(
                (now["pid"].to_string(), &now["rc"], output(world)),
                (first.clone(), &3.into(), format!("run {first}\n")),
                "{when}: it is as it was"
            ),
            [_first] => assert!(now["status"] == "failed" || now["status"] == "lost", "{when}: it did not run: {now}"),
            [_first, second] => {
                assert_eq!((&now["restarts"], now["pid"].to_string()), (&1.into(), second.clone()), "{when}");
                let is_told = now["rc"] == 3 || self.0.was_killed && now["status"] == "lost";
                assert!(is_told, "{when}: {now}");
            }
            more => panic!("{when}: it ran {} times", more.len()),
        }
        let all_output = kept_output(&world.join("state/haps/1"));
        for pid in &ran {
            assert!(all_output.contains(&format!("run {pid}\n")), "{when}: the output of {pid} is lost");
        }
        match self.0.code {
            Some(0) => assert_eq!(now["restarts"], 1, "{when}: what was promised is recorded"),
            Some(_) => assert_eq!((&now["restarts"], &now["rc"]), (&0.into(), &3.into()), "{when}: refused, kept"),
            None => {}
        }
        let again = hap(world).args(["restart", "--json", "victim"]).current_dir(world).output().expect("hap restart");
        assert!(again.status.success(), "{when}: {again:?}");
        list(world, when);
        self.check_that_clean_leaves_nothing(world, when);
    }

    fn check_that_clean_leaves_nothing(&self, world: &Path, when: &str) {
        assert!(hap(world).arg("clean").stdout(Stdio::null()).status().expect("hap clean").success(), "{when}");
        for name in ["haps", "names", "trash"] {
            let left: Vec<_> = fs::read_dir(world.join("state").join(name)).into_iter().flatten().flatten().collect();
            assert!(left.is_empty() || name == "names" && self.0.code.is_none(), "{when}: {name} still has {left:?}");
        }
        // A name is free again, whatever became of its link.
        let again = hap(world).args(["run", "-q", "-n", "victim", "true"]).output().expect("hap run");
        assert_eq!(String::from_utf8_lossy(&again.stdout), "1\n", "{when}: {again:?}");
        assert!(
            hap(world).args(["kill", "--all"]).stdout(Stdio::null()).status().expect("hap kill").success(),
            "{when}"
        );
    }
}

fn hap(world: &Path) -> Command {
    let mut command = Command::new(world::HAP);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", world);
    command.env("HAPLESS_DIR", world.join("state")).stdin(Stdio::null());
    command
}

fn output(world: &Path) -> String {
    let output = hap(world).args(["logs", "victim"]).output().expect("hap logs");
    String::from_utf8(output.stdout).expect("text")
}

/// All that lies in any log of a hap, of this run or one before.
fn kept_output(directory: &Path) -> String {
    let entries = fs::read_dir(directory).expect("a directory").flatten();
    let texts = entries.map(|entry| match entry.file_type().expect("its type") {
        kind if kind.is_dir() => kept_output(&entry.path()),
        kind if kind.is_file() => fs::read_to_string(entry.path()).unwrap_or_default(),
        _ => String::new(),
    });
    texts.collect()
}

/// The haps, once none of them is active: a command that was detached may take a moment to end.
fn list(world: &Path, when: &str) -> Vec<Value> {
    for _ in 0..2000 {
        let output = hap(world).arg("--json").output().expect("hap --json");
        assert!(output.status.success(), "{when}: {output:?}");
        let haps: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
        if haps.iter().all(|hap| hap["status"] != "running") {
            return haps;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("{when}: still running")
}
