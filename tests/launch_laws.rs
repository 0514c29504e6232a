//! The laws of launching: what a command inherits and what not, that nothing reaches it from where
//! it was started, that every launch is one hap and every end is told apart.
#![allow(unsafe_code)] // `pre_exec` is the one way to start a process with signals blocked or in a new session

mod world;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::thread;

use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use world::process::{Process, parse, status_line};
use world::session::on_terminal;
use world::{Companion, World, finish, id_in, tools, wait_for};

/// The stdout of a hap that is started by a shell script, once it has ended. `$HAP` is `hap`.
#[track_caller]
fn output_of(world: &World, script: &str) -> String {
    let id = id_in(&world.sh(script));
    world.until_ended(&id);
    world.hap(&["logs", &id]).ok()
}

/// A hap lives on, and its supervisor with it.
#[track_caller]
fn assert_lives_on(world: &World, id: &str) {
    assert_eq!(world.word(id), "running");
    assert!(world.main_process(id).is_alive() && world.supervisor(id).is_alive());
}

// ---- It returns at once, and lives on ----

#[test]
fn a_pipe_that_run_writes_to_is_not_held_open() {
    let world = World::new();
    // `cat` ends when nobody has the pipe open any more.
    let outcome = world.sh("\"$HAP\" run -q sleep 60 | cat");
    assert_eq!(outcome.ok(), "1\n");
    assert_lives_on(&world, "1");
}

#[test]
fn a_command_substitution_returns_at_once() {
    let world = World::new();
    assert_eq!(world.sh("x=$(\"$HAP\" run -q sleep 60 2>&1); echo \"got $x\"").ok(), "got 1\n");
    assert_lives_on(&world, "1");
}

#[test]
fn a_pipe_on_any_descriptor_is_not_held_open() {
    let world = World::new();
    let outcome = world.sh("{ \"$HAP\" run -q sleep 60 3>&1 9>&1 2>&1; } | cat");
    assert_eq!(outcome.ok(), "1\n");
    assert_lives_on(&world, "1");
}

#[test]
fn the_end_of_its_parent_does_not_reach_it() {
    let world = World::new();
    let mut caller = Companion::start(world.script("\"$HAP\" run -q sleep 60 > id; exec sleep 60"));
    let id = world.until_written("id");
    caller.kill();
    assert_lives_on(&world, &id);
}

#[test]
fn what_is_sent_to_the_group_of_its_caller_does_not_reach_it() {
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGKILL] {
        let world = World::new();
        let mut script = world.script("\"$HAP\" run -q sleep 60 > id; exec sleep 60");
        script.process_group(0);
        let mut caller = Companion::start(script);
        let id = world.until_written("id");
        // SAFETY: killpg(3) takes any numbers; this group is led by a child that was not waited for.
        assert_eq!(unsafe { libc::killpg(caller.pid(), signal) }, 0);
        assert_eq!(caller.end(), -signal);
        assert_lives_on(&world, &id);
    }
}

#[test]
fn signals_to_the_group_while_it_starts_leave_a_whole_hap_or_none() {
    let world = World::new();
    for _ in 0..30 {
        let mut script = world.script("\"$HAP\" run -q sleep 60; \"$HAP\" run -q sleep 60; \"$HAP\" run -q sleep 60");
        script.process_group(0).stdout(Stdio::null());
        let before = world.ids().len();
        let mut caller = Companion::start(script);
        wait_for("the first of them", || {
            world.ids().len() > before || caller.0.try_wait().is_ok_and(|end| end.is_some())
        });
        // SAFETY: as above.
        unsafe { libc::killpg(caller.pid(), libc::SIGINT) };
        caller.end();
    }
    for hap in world.list() {
        // The caller was ended between recording the command and letting it go: it says that it never ran.
        let never_ran =
            hap["status"] == "failed" && hap["reason"].as_str().is_some_and(|reason| reason.contains("executed"));
        assert!(hap["status"] == "running" || never_ran, "{hap}");
        let command = world.main_process(&hap["hid"].to_string());
        assert_eq!(command.is_alive(), !never_ran, "{hap}");
    }
    world.hap(&["clean"]).ok();
    assert!(world.entries("haps").iter().all(|name| !name.starts_with('.')), "nothing half-made");
}

#[test]
fn a_supervisor_cannot_be_ended_by_anything_short_of_kill() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    let supervisor = world.supervisor(&id);
    for signal in (1..32).filter(|signal| ![libc::SIGKILL, libc::SIGSTOP].contains(signal)) {
        supervisor.signal(signal);
    }
    assert_lives_on(&world, &id);
    world.main_process(&id).signal(libc::SIGUSR2);
    assert_eq!(world.until_ended(&id)["rc"], -libc::SIGUSR2);
}

// ---- Terminals ----

#[test]
fn the_hang_up_of_its_terminal_does_not_reach_it() {
    let world = World::new();
    let mut script = world.script("\"$HAP\" run -q sleep 60 > id; exec sleep 60");
    let (mut shell, terminal) = on_terminal(&mut script);
    let id = world.until_written("id");
    drop(terminal);
    assert_eq!(shell.end(), -libc::SIGHUP, "the terminal is gone");
    assert_lives_on(&world, &id);
    assert_eq!(world.main_process(&id).stat().expect("it is there").terminal, 0);
    assert_eq!(world.supervisor(&id).stat().expect("it is there").terminal, 0);
}

#[test]
fn an_interactive_shell_that_is_hung_up_does_not_take_it_along() {
    for shell in ["sh", "bash", "zsh"] {
        let Some(shell) = tools::find(shell) else {
            skip!("no {shell} here");
        };
        let world = World::new();
        // Without one zsh asks a new user questions.
        fs::write(world.path("home/.zshrc"), "").expect("a new file");
        let mut command = world.program(&shell);
        command.arg("-i").env("HAP", world::HAP).env("TERM", "dumb").env("PS1", "$ ");
        let (mut shell, terminal) = on_terminal(&mut command);
        let mut terminal = File::from(terminal);
        terminal
            .write_all(b"\"$HAP\" run -q sleep 60 > id; \"$HAP\" run -q -n bg sleep 60 > id2 &\n")
            .expect("it reads");
        let ids = [world.until_written("id"), world.until_written("id2")];
        drop(terminal);
        shell.end();
        for id in ids {
            assert_lives_on(&world, &id);
        }
    }
}

#[test]
fn ctrl_c_and_ctrl_backslash_at_its_terminal_do_not_reach_it() {
    let world = World::new();
    let mut script = world.script("\"$HAP\" run -q sleep 60 > id; exec sleep 60");
    let (mut shell, terminal) = on_terminal(&mut script);
    let id = world.until_written("id");
    File::from(terminal.try_clone().expect("a descriptor")).write_all(b"\x03\x1c").expect("it is written");
    assert!([-libc::SIGINT, -libc::SIGQUIT].contains(&shell.end()));
    assert_lives_on(&world, &id);
}

// ---- ssh ----

/// A private sshd on 127.0.0.1, and how to reach it.
struct Sshd {
    daemon: Companion,
    port: u16,
    user: String,
}

impl Sshd {
    /// Starts one; an error says why this machine cannot have it.
    fn start(world: &World) -> Result<Self, String> {
        let missing = |name: &str| format!("no {name} here");
        let daemon = tools::find("sshd").ok_or_else(|| missing("sshd"))?;
        let keygen = tools::find("ssh-keygen").ok_or_else(|| missing("ssh-keygen"))?;
        tools::find("ssh").ok_or_else(|| missing("ssh"))?;
        if tools::is_root() && !Path::new("/run/sshd").exists() {
            fs::create_dir("/run/sshd").map_err(|error| format!("no /run/sshd here: {error}"))?;
        }
        for key in ["host_key", "user_key"] {
            let mut make = world.program(&keygen);
            make.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(world.path(key));
            finish(make).ok();
        }
        fs::copy(world.path("user_key.pub"), world.path("authorized_keys")).expect("a copy");
        let mut whoami = world.program("id");
        whoami.arg("-un");
        let user = finish(whoami).ok().trim().to_owned();
        let mut problem = String::new();
        // The port is free when it is chosen and may be taken when it is used.
        for _ in 0..5 {
            match Self::start_on_a_free_port(world, &daemon, &user) {
                Ok(sshd) => return Ok(sshd),
                Err(error) => problem = error,
            }
        }
        Err(problem)
    }

    fn start_on_a_free_port(world: &World, daemon: &Path, user: &str) -> Result<Self, String> {
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = free.local_addr().expect("it has one").port();
        drop(free);
        let root = world.path("").display().to_string();
        let lines = [
            format!("Port {port}\nListenAddress 127.0.0.1\nHostKey {root}/host_key\nPidFile {root}/sshd.pid"),
            format!("AuthorizedKeysFile {root}/authorized_keys\nStrictModes no\nUsePAM no\nPermitRootLogin yes"),
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPrintMotd no\nMaxStartups 100\n".to_owned(),
        ];
        fs::write(world.path("sshd_config"), lines.join("\n")).expect("a new file");
        let log = File::create(world.path("sshd.log")).expect("a new file");
        let mut command = world.program(daemon);
        command.args(["-D", "-e", "-f"]).arg(world.path("sshd_config")).stdout(Stdio::null()).stderr(log);
        let sshd = Self { daemon: Companion::start(command), port, user: user.to_owned() };
        let said = || fs::read_to_string(world.path("sshd.log")).unwrap_or_default();
        let mut sshd = sshd;
        wait_for("sshd to listen or to give up", || {
            said().contains("Server listening") || sshd.daemon.0.try_wait().is_ok_and(|end| end.is_some())
        });
        let probe = finish(sshd.command(world, "exit 0"));
        if probe.code == 0 { Ok(sshd) } else { Err(format!("sshd lets nobody in here: {}{}", probe.stderr, said())) }
    }

    /// `ssh 127.0.0.1 TEXT`.
    fn command(&self, world: &World, text: &str) -> Command {
        let mut ssh = world.program("ssh");
        let port = self.port.to_string();
        let options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes", "LogLevel=ERROR"];
        ssh.args(["-F", "/dev/null", "-p", &port, "-o", "IdentitiesOnly=yes", "-i"]).arg(world.path("user_key"));
        ssh.args(options.iter().flat_map(|option| ["-o", option]));
        ssh.arg(format!("{}@127.0.0.1", self.user)).arg(text);
        ssh
    }

    /// `hap` with these words, on the other side.
    fn hap(&self, world: &World, words: &str) -> Command {
        let state = world.path("state");
        self.command(
            world,
            &format!("cd '{}' && HAPLESS_DIR='{}' '{}' {words}", world.work("").display(), state.display(), world::HAP),
        )
    }
}

#[test]
fn over_ssh_it_returns_at_once_and_lives_on() {
    let world = World::new();
    let sshd = match Sshd::start(&world) {
        Ok(sshd) => sshd,
        Err(reason) => {
            skip!("{reason}");
        }
    };
    assert_eq!(finish(sshd.hap(&world, "run -q sleep 60")).ok(), "1\n");
    let mut with_terminal = sshd.hap(&world, "run -q sleep 60");
    with_terminal.arg("-tt");
    let mut words: Vec<_> = with_terminal.get_args().map(ToOwned::to_owned).collect();
    // The option has to come before the host.
    let option = words.pop().expect("-tt");
    words.insert(0, option);
    let mut with_terminal = world.program("ssh");
    with_terminal.args(words);
    assert_eq!(finish(with_terminal).stdout, "2\r\n");
    for id in ["1", "2"] {
        assert_lives_on(&world, id);
    }
}

#[test]
fn it_outlives_the_connection_and_the_follower_in_it() {
    let world = World::new();
    let sshd = match Sshd::start(&world) {
        Ok(sshd) => sshd,
        Err(reason) => {
            skip!("{reason}");
        }
    };
    let script = "i=0; while :; do i=$((i+1)); echo Processing $i...; sleep 0.02; done";
    assert_eq!(finish(sshd.hap(&world, &format!("run -q sh -c '{script}'"))).ok(), "1\n");
    let mut client = sshd.hap(&world, "logs -f 1");
    client.stdout(Stdio::piped());
    let mut client = Companion::start(client);
    let mut first = [0; 15];
    client.0.stdout.as_mut().expect("piped").read_exact(&mut first).expect("it follows");
    assert_eq!(&first, b"Processing 1...");
    client.kill();
    assert_lives_on(&world, "1");
    let lines = || world.hap(&["logs", "1"]).ok().lines().count();
    let before = lines();
    wait_for("more output", || lines() > before + 10);
    assert!(finish(sshd.hap(&world, "status")).ok().contains("running"));
}

// ---- Storms ----

#[test]
fn launches_from_many_at_once_are_as_many_haps_with_the_right_ends() {
    const LAUNCHERS: usize = 16;
    const LAUNCHES: usize = 200;
    let world = World::new();
    let ids: Vec<(String, usize)> = thread::scope(|scope| {
        let launch = |launcher: usize| {
            let mine = (0..LAUNCHES).filter(move |number| number % LAUNCHERS == launcher);
            mine.map(|number| (world.run(&["sh", "-c", &format!("exit {}", number % 256)]), number)).collect::<Vec<_>>()
        };
        let launchers: Vec<_> = (0..LAUNCHERS).map(|launcher| scope.spawn(move || launch(launcher))).collect();
        launchers.into_iter().flat_map(|launcher| launcher.join().expect("it launches")).collect()
    });
    let mut numbers: Vec<usize> = ids.iter().map(|(id, _)| id.parse().expect("an id")).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=LAUNCHES).collect::<Vec<_>>());
    for (id, number) in &ids {
        assert_eq!(world.until_ended(id)["rc"], number % 256, "hap {id}");
    }
    let names: HashSet<String> = world.list().iter().map(|hap| hap["name"].to_string()).collect();
    assert_eq!(names.len(), LAUNCHES);
    assert_eq!(world.entries("names").len(), LAUNCHES);
}

#[test]
fn of_many_that_want_one_name_exactly_one_gets_it() {
    for round in 0..5 {
        let world = World::new();
        let start = Barrier::new(16);
        let codes: Vec<i32> = thread::scope(|scope| {
            let launch = || {
                start.wait();
                let outcome = world.hap(&["run", "-q", "-n", "only", "sh", "-c", "echo ran >> marker; sleep 60"]);
                outcome.assert_calm();
                outcome.code
            };
            let launchers: Vec<_> = (0..16).map(|_| scope.spawn(launch)).collect();
            launchers.into_iter().map(|launcher| launcher.join().expect("it ends")).collect()
        });
        assert_eq!(codes.iter().filter(|&&code| code == 0).count(), 1, "round {round}: {codes:?}");
        assert_eq!(codes.iter().filter(|&&code| code == 1).count(), 15, "round {round}: {codes:?}");
        assert_eq!((world.ids(), world.entries("haps")), (vec!["1".to_owned()], vec!["1".to_owned()]));
        assert_eq!(world.until_written("marker"), "ran");
    }
}

// ---- Every end is told apart ----

#[test]
fn all_exit_codes_are_told_apart() {
    let world = World::new();
    let ids: Vec<String> = (0..256).map(|code| world.run_sh(&format!("exit {code}"))).collect();
    for (code, id) in ids.iter().enumerate() {
        let status = world.until_ended(id);
        assert_eq!(status["rc"], code, "exit code {code}");
        assert_eq!(status["status"], if code == 0 { "success" } else { "failed" });
        assert!(status["signal"].is_null());
    }
}

#[test]
fn all_deaths_by_signal_are_told_apart() {
    const HARMLESS: [i32; 8] = [
        libc::SIGCHLD,
        libc::SIGCONT,
        libc::SIGSTOP,
        libc::SIGTSTP,
        libc::SIGTTIN,
        libc::SIGTTOU,
        libc::SIGURG,
        libc::SIGWINCH,
    ];
    let world = World::new();
    let deadly: Vec<i32> = (1..32).chain([34, 40, 64]).filter(|signal| !HARMLESS.contains(signal)).collect();
    let ids: Vec<String> =
        deadly.iter().map(|signal| world.run_sh(&format!("ulimit -c 0; kill -{signal} $$; exit 99"))).collect();
    for (signal, id) in deadly.iter().zip(&ids) {
        let status = world.until_ended(id);
        assert_eq!((status["rc"].as_i64(), status["status"].as_str()), (Some(-i64::from(*signal)), Some("failed")));
        assert!(status["signal"].as_str().is_some_and(|name| name.starts_with("SIG")), "{status}");
    }
}

// ---- What a command inherits ----

#[test]
fn no_descriptor_above_2_is_passed_on() {
    let world = World::new();
    let script = "exec 7</etc/passwd 9>/dev/null; \"$HAP\" run -q sh -c 'echo $$ > pid; sleep 60'";
    let id = id_in(&world.sh(script));
    let command = world.process_in("pid");
    let numbers = |process: Process| process.files().iter().map(|(number, _)| *number).collect::<Vec<_>>();
    assert_eq!(numbers(command), [0, 1, 2]);
    let files = command.files();
    assert_eq!(files[0].1, Path::new("/dev/null"));
    assert_eq!((&files[1].1, &files[2].1), (&world.file(&id, "stdout.log"), &world.file(&id, "stderr.log")));
    for (_, file) in world.supervisor(&id).files() {
        assert!(file == Path::new("/dev/null") || file.starts_with(world.path("state")) || is_pipe(&file), "{file:?}");
    }
}

/// The supervisor may keep one end of its own pipe, never one of the caller's: see the laws about pipes above.
fn is_pipe(file: &Path) -> bool {
    file.to_string_lossy().starts_with("pipe:")
}

#[test]
fn signals_that_the_caller_ignored_or_blocked_are_reset() {
    let world = World::new();
    let mut command =
        world.script("trap '' HUP INT QUIT TERM USR1 CHLD PIPE TSTP; exec \"$HAP\" run -q cat /proc/self/status");
    // SAFETY: sigprocmask(2) is a system call that may be made after a fork.
    unsafe {
        command.pre_exec(|| Ok(sigprocmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::all()), None)?));
    }
    let id = id_in(&finish(command));
    assert_eq!(world.until_ended(&id)["rc"], 0);
    let status = world.hap(&["logs", &id]).ok();
    for key in ["SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd"] {
        assert_eq!(status_line(&status, key).as_deref(), Some("0000000000000000"), "{key}");
    }
}

#[test]
fn a_caller_that_ignores_the_end_of_its_children_loses_no_exit_code() {
    let world = World::new();
    world.sh("trap '' CHLD; \"$HAP\" run -q sh -c 'exit 7'").ok();
    assert_eq!(world.until_ended("1")["rc"], 7);
}

#[test]
fn umask_nice_and_limits_come_from_the_caller() {
    let world = World::new();
    let output = output_of(&world, "umask 0147; \"$HAP\" run -q cat /proc/self/status");
    assert_eq!(status_line(&output, "Umask").as_deref(), Some("0147"));
    let output = output_of(&world, "nice -n 7 \"$HAP\" run -q cat /proc/self/stat");
    // The tests themselves may run at some niceness; 19 is the last.
    let own = world::process::stat(std::process::id().cast_signed()).expect("we are there").nice;
    assert_eq!(parse(output.as_bytes()).expect("a stat line").nice, 19.min(own + 7));
    let output = output_of(&world, "ulimit -n 123; ulimit -c 0; \"$HAP\" run -q cat /proc/self/limits");
    let line = output.lines().find(|line| line.starts_with("Max open files")).expect("it is there");
    assert!(line.split_whitespace().any(|word| word == "123"), "{line}");
}

#[test]
fn the_environment_comes_from_the_caller_byte_for_byte() {
    let world = World::new();
    let mut command = world.command(&["run", "-q", "-n", "mine", "cat", "/proc/self/environ"]);
    command.env("MANY", "a\nb=c\td\u{1b}[31m").env("EMPTY", "");
    command.env("BYTES", <std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(vec![0xff, 0x80]));
    let mut expected: Vec<Vec<u8>> = command
        .get_envs()
        .map(|(key, value)| [key.as_encoded_bytes(), b"=", value.expect("it is set").as_encoded_bytes()].concat())
        .chain([b"HAP_ID=1".to_vec(), b"HAP_NAME=mine".to_vec()])
        .collect();
    let id = id_in(&finish(command));
    world.until_ended(&id);
    let process = world.main_process(&id);
    expected.push(format!("HAP_RUN={}.{}", process.pid, process.start_ticks).into_bytes());
    let seen = world.hap(&["logs", &id]).bytes;
    let mut seen: Vec<Vec<u8>> =
        seen.split(|&byte| byte == 0).filter(|one| !one.is_empty()).map(<[u8]>::to_vec).collect();
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
}

#[test]
fn a_hap_within_a_hap_is_told_its_own_id_and_name() {
    let world = World::new();
    let inner = "echo $HAP_ID $HAP_NAME > inner";
    let mut command = world.command(&["run", "-q", "-n", "outer", "sh", "-c"]);
    command
        .arg(format!("\"$HAP\" run -q -n inner sh -c '{inner}'; echo $HAP_ID $HAP_NAME > outer"))
        .env("HAP", world::HAP);
    finish(command).ok();
    assert_eq!((world.until_written("outer"), world.until_written("inner")), ("1 outer".into(), "2 inner".into()));
}

#[test]
fn it_has_its_own_session_and_no_terminal() {
    let world = World::new();
    let id = world.run(&["cat", "/proc/self/stat"]);
    let pid = i32::try_from(world.until_ended(&id)["pid"].as_i64().expect("a pid")).expect("it fits");
    let stat = parse(world.hap(&["logs", &id]).ok().as_bytes()).expect("a stat line");
    assert_eq!((stat.session, stat.group, stat.terminal), (pid, pid, 0));
}

#[test]
fn its_stdin_is_empty() {
    let world = World::new();
    let id = id_in(&world.sh("echo input | \"$HAP\" run -q sh -c 'readlink /proc/self/fd/0; cat; echo end'"));
    assert_eq!(world.until_ended(&id)["rc"], 0);
    assert_eq!(world.hap(&["logs", &id]).ok(), "/dev/null\nend\n");
}

#[test]
fn its_supervisor_keeps_no_directory_busy() {
    let world = World::new();
    let id = world.run(&["sleep", "60"]);
    let supervisor = world.supervisor(&id);
    assert_eq!(fs::read_link(format!("/proc/{}/cwd", supervisor.pid)).expect("it is there"), Path::new("/"));
    assert_ne!(supervisor.stat().expect("it is there").session, world.main_process(&id).pid);
}

#[test]
fn it_is_the_command_itself_that_is_recorded() {
    let world = World::new();
    let id = world.run_sh("echo $$ > pid; exec sleep 60");
    assert_eq!(world.until_written("pid"), world.status(&id)["pid"].to_string());
    let command = world.main_process(&id);
    assert_eq!(command, world.process_in("pid"));
    assert_eq!(command.stat().expect("it is there").parent, world.supervisor(&id).pid);
}

#[test]
fn it_has_been_executed_when_run_returns() {
    let world = World::new();
    for _ in 0..20 {
        let id = world.run(&["sleep", "60"]);
        assert_eq!(world.main_process(&id).name(), "sleep");
    }
}

#[test]
fn a_script_without_an_interpreter_line_runs_with_the_shell() {
    let world = World::new();
    world.executable("script", "echo \"script $0 $1 $#\"\nexit 5\n");
    let id = world.run(&["./script", "two words", ""]);
    assert_eq!(world.until_ended(&id)["rc"], 5);
    assert_eq!(world.hap(&["logs", &id]).ok(), "script ./script two words 2\n");
    world.executable("empty", "");
    let id = world.run(&["./empty"]);
    assert_eq!(world.until_ended(&id)["rc"], 0);
}

// ---- Shell text ----

/// Runs shell text with this `SHELL`: what it prints, and the shell that ran it.
#[track_caller]
fn shell_text(world: &World, shell: Option<&str>, text: &str) -> (String, String) {
    let mut command = world.command(&["run", "-q", text]);
    if let Some(shell) = shell {
        command.env("SHELL", shell);
    }
    let id = id_in(&finish(command));
    let status = world.until_ended(&id);
    assert_eq!(status["argv"][1], "-c");
    assert_eq!((status["argv"][2].as_str(), status["cmd"].as_str()), (Some(text), Some(text)));
    (world.hap(&["logs", &id]).ok(), status["argv"][0].as_str().expect("a shell").to_owned())
}

#[test]
fn a_single_argument_of_shell_text_is_given_to_the_shell() {
    let world = World::new();
    let (output, shell) = shell_text(&world, None, "echo a && echo b > file; echo \"$HOME\" | tr a-z A-Z");
    let home = world.path("home").to_string_lossy().to_uppercase();
    assert_eq!((output, shell.as_str()), (format!("a\n{home}\n"), "/bin/sh"));
    assert_eq!(fs::read_to_string(world.work("file")).expect("it was written"), "b\n");
}

#[test]
fn shell_text_passes_its_exit_code_on() {
    let world = World::new();
    let id = world.run(&["true && exit 9"]);
    assert_eq!(world.until_ended(&id)["rc"], 9);
}

#[test]
fn a_shell_that_is_missing_or_lets_nobody_in_is_replaced() {
    let world = World::new();
    fs::write(world.work("plain"), "").expect("a new file");
    let plain = world.work("plain").to_string_lossy().into_owned();
    for shell in
        ["", "/no/such/shell", "sh", "/usr/sbin/nologin", "/sbin/nologin", "/bin/false", "/usr/bin/false", "/", &plain]
    {
        assert_eq!(shell_text(&world, Some(shell), "echo a; echo b"), ("a\nb\n".into(), "/bin/sh".into()), "{shell}");
    }
}

#[test]
fn shell_text_runs_in_bash() {
    runs_in_shell(&needs!("bash"), "echo ${BASH_VERSION:+bash} $((1+1))", "bash 2\n");
}

#[test]
fn shell_text_runs_in_zsh() {
    runs_in_shell(&needs!("zsh"), "echo ${ZSH_VERSION:+zsh} $((1+1))", "zsh 2\n");
}

#[test]
fn shell_text_runs_in_fish() {
    runs_in_shell(&needs!("fish"), "if test -n \"$version\"; echo fish (math 1+1); end", "fish 2\n");
}

fn runs_in_shell(shell: &Path, text: &str, output: &str) {
    let world = World::new();
    let shell = shell.to_string_lossy();
    assert_eq!(shell_text(&world, Some(&shell), text), (output.to_owned(), shell.clone().into_owned()));
}

#[test]
fn words_never_pass_through_a_shell() {
    let world = World::new();
    for shell in ["/bin/sh", "/no/such/shell"] {
        let mut command = world.command(&["run", "-q", "echo", "$HOME", "*", "a && b", "$(exit)"]);
        command.env("SHELL", shell);
        let id = id_in(&finish(command));
        world.until_ended(&id);
        assert_eq!(world.hap(&["logs", &id]).ok(), "$HOME * a && b $(exit)\n");
    }
}

#[test]
fn a_program_whose_name_has_blanks_is_a_program() {
    let world = World::new();
    world.executable("my tool", "#!/bin/sh\necho found\n");
    let id = world.run(&["./my tool"]);
    world.until_ended(&id);
    assert_eq!(world.hap(&["logs", &id]).ok(), "found\n");
    assert_eq!(world.status(&id)["argv"], serde_json::json!(["./my tool"]));
}

// ---- What lies on the disk ----

/// Every file and directory below a path that is not private, and the modes of all of them.
fn modes_below(path: &Path) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    let metadata = path.symlink_metadata().expect("it is there");
    if !metadata.is_symlink() {
        found.push((path.to_string_lossy().into_owned(), metadata.permissions().mode() & 0o7777));
    }
    if metadata.is_dir() {
        let entries = fs::read_dir(path).expect("our own").flatten();
        found.extend(entries.flat_map(|entry| modes_below(&entry.path())));
    }
    found
}

#[track_caller]
fn assert_private(world: &World, when: &str) {
    for (path, mode) in modes_below(&world.path("state")) {
        let expected = if Path::new(&path).is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{path} has the mode {mode:o} {when}");
    }
}

#[test]
fn files_are_0600_and_directories_0700_whatever_the_umask() {
    for umask in ["0000", "0777", "0027"] {
        let world = World::new();
        world.sh(&format!("umask {umask}; \"$HAP\" run -q sh -c 'echo out'; \"$HAP\" run -q sleep 60")).ok();
        world.until_ended("1");
        assert_private(&world, &format!("with umask {umask}"));
        world.sh(&format!("umask {umask}; \"$HAP\" clean")).ok();
        assert_private(&world, &format!("after clean with umask {umask}"));
        assert_eq!(world.ids(), ["2"]);
    }
}

#[test]
fn files_stay_private_when_a_supervisor_is_replaced_whatever_the_umask() {
    for umask in ["0000", "0777"] {
        let world = World::new();
        let id = world.run(&["sleep", "60"]);
        world.kill_supervisor(&id);
        world.sh(&format!("umask {umask}; \"$HAP\"")).ok();
        assert!(world.supervisor(&id).is_alive(), "it has a new supervisor");
        assert_private(&world, &format!("healed with umask {umask}"));
    }
}

#[test]
fn a_default_state_directory_is_private_down_from_the_first_that_is_made() {
    let world = World::new();
    let mut command = world.script("umask 0; \"$HAP\" run -q true");
    command.env_remove("HAPLESS_DIR");
    finish(command).ok();
    let state = world.path("home/.local/state/hapless");
    assert_eq!(state.metadata().expect("it is there").permissions().mode() & 0o7777, 0o700);
}

#[test]
fn what_the_command_makes_has_the_modes_that_its_umask_says() {
    let world = World::new();
    let id = id_in(&world.sh("umask 0026; \"$HAP\" run -q sh -c 'echo x > made'"));
    world.until_ended(&id);
    assert_eq!(fs::metadata(world.work("made")).expect("it was made").permissions().mode() & 0o777, 0o640);
}

// ---- What is left of it ----

#[test]
fn orphans_are_reaped_while_the_command_runs_on() {
    let world = World::new();
    let id = world.run_sh("for i in 1 2 3 4 5 6 7 8 9 10; do (true & true &) ; done; echo $$ > ready; exec sleep 60");
    world.until_written("ready");
    let supervisor = world.supervisor(&id);
    wait_for("all orphans to be reaped", || supervisor.descendants().len() == 1);
    assert_eq!(supervisor.descendants(), [world.main_process(&id)]);
}

#[test]
fn nothing_is_left_of_a_hap_that_has_ended() {
    let world = World::new();
    let ids: Vec<String> = (0..10).map(|_| world.run_sh("(true &) ; sleep 0.01 & wait")).collect();
    for id in &ids {
        world.until_ended(id);
        let (supervisor, command) = (world.supervisor(id), world.main_process(id));
        wait_for("supervisor and command to be gone, not as zombies either", || {
            supervisor.stat().is_none_or(|stat| stat.state == 'Z' && stat.parent == 1) && command.stat().is_none()
        });
    }
}

#[test]
fn a_command_waits_for_nobody_to_read_its_output() {
    let world = World::new();
    mkfifo(&world.work("go"), Mode::S_IRWXU).expect("a new FIFO");
    let id = world.run_sh("seq 1 100000; seq 1 100000 >&2; read line < go");
    wait_for("all its output", || world.hap(&["logs", "-n", "1", &id]).ok() == "100000\n");
    fs::write(world.work("go"), "go\n").expect("it reads");
    assert_eq!(world.until_ended(&id)["rc"], 0);
}
