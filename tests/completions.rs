//! Completion, in the shells themselves: each is started on a terminal, gets the script, and keys are typed.
#![allow(missing_docs)] // a test

mod world;

use std::path::{Path, PathBuf};
use std::process::Command;

use world::{World, finish, wait_for};

const TAB: &str = "Tab";

/// A shell on a terminal of tmux, which has a server of its own for it.
struct Typist<'a> {
    world: &'a World,
    tmux: PathBuf,
}

impl<'a> Typist<'a> {
    /// Starts the shell and has it read the completion script with this line.
    fn new(world: &'a World, tmux: PathBuf, shell: &[&str], line: &str) -> Self {
        let typist = Self { world, tmux };
        let path = format!("{}:{}", directory_of_hap(), world::PATH);
        let mut start = typist.command(&["-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40"]);
        start.args(shell).env("PATH", path).env("TERM", "xterm").env("PS1", "> ");
        finish(start).ok();
        // The answer is not in the line that asks.
        typist.types(&[line, "Enter", "echo rea''dy", "Enter"]);
        typist.until_seen("ready", |screen| screen.lines().any(|line| line == "ready"));
        typist
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.program(&self.tmux);
        command.arg("-S").arg(self.world.path("tmux")).args(arguments);
        command
    }

    fn types(&self, keys: &[&str]) {
        finish(self.command(&[&["send-keys"], keys].concat())).ok();
    }

    fn screen(&self) -> String {
        finish(self.command(&["capture-pane", "-p"])).ok()
    }

    #[track_caller]
    fn until_seen(&self, what: &str, holds: impl Fn(&str) -> bool) {
        let mut screen = String::new();
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_for(what, || {
                screen = self.screen();
                holds(&screen)
            });
        }));
        assert!(seen.is_ok(), "waited in vain for {what} on:\n{screen}");
    }

    /// Types this and Tab: the command line becomes that.
    #[track_caller]
    fn completes(&self, typed: &str, completed: &str) {
        self.clears();
        self.types(&[typed, TAB]);
        self.until_seen(completed, |screen| screen.lines().any(|line| line.trim_end().ends_with(completed)));
    }

    /// Types this and Tab, twice if needed: all of these and none of those are on the screen.
    #[track_caller]
    fn offers(&self, typed: &str, expected: &[&str], unexpected: &[&str]) {
        self.clears();
        self.types(&[typed, TAB, TAB]);
        self.until_seen(&expected.join(", "), |screen| expected.iter().all(|text| screen.contains(text)));
        let screen = self.screen();
        assert!(!unexpected.iter().any(|text| screen.contains(text)), "{unexpected:?} on:\n{screen}");
    }

    /// Begins again with an empty line on an empty screen. Not by Ctrl-C, which throws away what is
    /// typed after it.
    #[track_caller]
    fn clears(&self) {
        self.types(&["C-u", "clear", "Enter"]);
        self.until_seen("an empty screen", |screen| screen.lines().filter(|line| !line.trim().is_empty()).count() == 1);
    }
}

impl Drop for Typist<'_> {
    fn drop(&mut self) {
        let _ = self.command(&["kill-server"]).status();
    }
}

fn directory_of_hap() -> String {
    Path::new(world::HAP).parent().expect("it lies somewhere").display().to_string()
}

/// A running `train`, a paused `trial`, one with a colon in its name, and one that is over.
fn world_of_haps() -> World {
    let world = World::new();
    world.run(&["-n", "train", "sleep", "600"]);
    world.run(&["-n", "trial", "sleep", "601"]);
    world.hap(&["pause", "trial"]).ok();
    world.run(&["-n", "x:y", "sleep", "602"]);
    let id = world.run(&["-n", "report", "true"]);
    world.until_ended(&id);
    world
}

/// What `hap __complete` answers: its first line, and the candidates.
fn answer(world: &World, words: &[&str]) -> (String, Vec<String>) {
    let text = world.hap(&[&["__complete", "--"], words].concat()).ok();
    let mut lines = text.lines().map(str::to_owned);
    (lines.next().expect("a first line"), lines.collect())
}

fn values(world: &World, words: &[&str]) -> Vec<String> {
    let (kind, lines) = answer(world, words);
    assert_eq!(kind, "values");
    lines.iter().map(|line| line.split('\t').next().expect("a value").to_owned()).collect()
}

#[test]
fn only_haps_that_fit_the_verb_are_offered_the_newest_first() {
    let world = world_of_haps();
    assert_eq!(values(&world, &["resume", ""]), ["trial"]);
    assert_eq!(values(&world, &["pause", ""]), ["x:y", "train"]);
    for verb in ["kill", "stop", "signal", "wait"] {
        assert_eq!(values(&world, &[verb, ""]), ["x:y", "trial", "train"], "{verb}");
    }
    for verb in ["status", "show", "logs", "errors", "restart", "rename"] {
        assert_eq!(values(&world, &[verb, ""]), ["report", "x:y", "trial", "train"], "{verb}");
    }
    assert_eq!(values(&world, &["stop", "train", "3", ""]), ["trial"], "those already named are left out");
    assert_eq!(values(&world, &["logs", "train", ""]), ["report", "x:y", "trial"]);
    assert_eq!(values(&world, &["rename", "train", ""]), Vec::<String>::new(), "it takes but one");
}

#[test]
fn a_candidate_says_its_status_and_command_and_has_a_number_for_who_types_digits() {
    let world = world_of_haps();
    assert_eq!(answer(&world, &["resume", ""]).1, ["trial\tpaused: sleep 601"]);
    assert_eq!(answer(&world, &["resume", "2"]).1, ["trial\tpaused: sleep 601", "2\tpaused: sleep 601"]);
    let verbs = answer(&world, &[""]).1;
    assert!(verbs.contains(&"resume\tLet paused haps go on".to_owned()), "{verbs:?}");
    assert!(!verbs.iter().any(|verb| verb.contains("__complete")), "{verbs:?}");
}

#[test]
fn options_are_offered_once_and_not_beside_what_excludes_them() {
    let world = World::new();
    let fresh = values(&world, &["run", "-"]);
    assert!(["-n", "--name", "--env", "--quiet", "--json"].iter().all(|option| fresh.contains(&(*option).to_owned())));
    let later = values(&world, &["run", "-q", "-e", "A=1", "--name", "x", "--"]);
    assert!(later.contains(&"--env".to_owned()) && later.contains(&"--merge".to_owned()), "{later:?}");
    assert!(!["--quiet", "--name", "--json"].iter().any(|option| later.contains(&(*option).to_owned())), "{later:?}");
}

#[test]
fn what_the_shell_does_better_is_left_to_it() {
    let world = World::new();
    assert_eq!(answer(&world, &["run", "-d", ""]).0, "directories");
    assert_eq!(answer(&world, &["run", "-n", "x", "make", "-"]).0, "command 3");
    assert_eq!(answer(&world, &["run", ""]).0, "command 1");
}

#[test]
fn whatever_is_wrong_a_tab_is_no_place_to_say_it() {
    let world = World::new();
    for words in [&["resume", ""][..], &[], &["frobnicate", ""], &["run", "--frobnicate", ""], &["--", ""]] {
        world.hap(&[&["__complete", "--"], words].concat()).ok();
    }
    std::fs::write(world.path("state"), "no directory").expect("a new file");
    assert_eq!(values(&world, &["resume", ""]), Vec::<String>::new());
    std::fs::remove_file(world.path("state")).expect("our own");
}

#[test]
fn every_script_is_one_that_its_shell_can_read() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = world.hap(&["completions", shell]).ok();
        assert!(script.contains("__complete"), "{shell}");
        let path = world.work(format!("hap.{shell}"));
        std::fs::write(&path, script).expect("a new file");
        let (Some(program), true) = (world::tools::find(shell), ["bash", "zsh", "fish"].contains(&shell)) else {
            continue;
        };
        let mut check = world.program(program);
        check.arg("-n").arg(path);
        finish(check).ok();
    }
    assert_eq!(world.hap(&["completions", "tcsh"]).code, 2);
}

#[test]
fn bash_completes() {
    let (tmux, bash) = (needs!("tmux"), needs!("bash"));
    let world = world_of_haps();
    let shell = [&*bash.to_string_lossy(), "--norc"];
    let typist = Typist::new(&world, tmux, &shell, "source <(hap completions bash)");
    typist.completes("hap resu", "hap resume");
    typist.completes("hap resume ", "hap resume trial");
    typist.completes("hap kill x:", "hap kill x:y");
    typist.offers("hap kill tr", &["train  (running: sleep 600)", "trial  (paused: sleep 601)"], &["report"]);
    typist.offers("hap stop --", &["--timeout", "--json"], &[]);
    typist.completes("hap run -n x mkdi", "hap run -n x mkdir");
    typist.completes("hap run -d /et", "hap run -d /etc/");
    typist.completes("hap run --workdir=/et", "hap run --workdir=/etc/");
    typist.completes("hap run cat /etc/passw", "hap run cat /etc/passwd");
}

#[test]
fn zsh_completes() {
    let (tmux, zsh) = (needs!("tmux"), needs!("zsh"));
    let world = world_of_haps();
    let line = "autoload -Uz compinit; compinit -u -D; source <(hap completions zsh)";
    let typist = Typist::new(&world, tmux, &[&zsh.to_string_lossy(), "-f"], line);
    typist.completes("hap resu", "hap resume");
    typist.completes("hap resume ", "hap resume trial");
    typist.completes("hap kill x", "hap kill x:y");
    typist.offers("hap kill tr", &["train  -- running: sleep 600", "trial  -- paused: sleep 601"], &["report"]);
    typist.offers("hap stop --", &["--timeout", "-- Kill what is left"], &[]);
    typist.completes("hap run -n x mkdi", "hap run -n x mkdir");
    typist.completes("hap run -d /et", "hap run -d /etc/");
    typist.completes("hap run --workdir=/et", "hap run --workdir=/etc/");
    typist.completes("hap run cat /etc/passw", "hap run cat /etc/passwd");
}

#[test]
fn zsh_finds_the_script_in_its_path_of_functions() {
    let (tmux, zsh) = (needs!("tmux"), needs!("zsh"));
    let world = world_of_haps();
    std::fs::write(world.work("_hap"), world.hap(&["completions", "zsh"]).ok()).expect("a new file");
    let line = "fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D";
    let typist = Typist::new(&world, tmux, &[&zsh.to_string_lossy(), "-f"], line);
    typist.completes("hap resume ", "hap resume trial");
}

#[test]
fn fish_completes() {
    let fish = needs!("fish");
    let world = world_of_haps();
    let completions = |line: &str| {
        let mut shell = world.program(&fish);
        shell.env("PATH", format!("{}:{}", directory_of_hap(), world::PATH));
        shell.args(["-c", "source (hap completions fish | psub); complete -C $argv[1]", line]);
        finish(shell).ok()
    };
    assert_eq!(completions("hap resu"), "resume\tLet paused haps go on\n");
    assert_eq!(completions("hap resume "), "trial\tpaused: sleep 601\n");
    assert_eq!(completions("hap kill tr"), "train\trunning: sleep 600\ntrial\tpaused: sleep 601\n");
    assert_eq!(completions("hap kill x:"), "x:y\trunning: sleep 602\n");
    assert!(completions("hap run -n x mkdi").starts_with("mkdir\t"));
    assert!(completions("hap run fish --no-con").starts_with("--no-config"));
    assert_eq!(completions("hap run -d /et"), "/etc/\tDirectory\n");
    assert_eq!(completions("hap run --workdir=/et"), "--workdir=/etc/\tDirectory\n");
    assert!(completions("hap run cat /etc/passw").starts_with("/etc/passwd"));
}

#[test]
fn elvish_completes() {
    let (tmux, elvish) = (needs!("tmux"), needs!("elvish"));
    let world = world_of_haps();
    let line = "eval (hap completions elvish | slurp); set edit:rprompt = { }";
    let typist = Typist::new(&world, tmux, &[&elvish.to_string_lossy(), "-norc"], line);
    typist.completes("hap resu", "hap resume");
    typist.completes("hap resume ", "hap resume trial");
    typist.completes("hap run cat /etc/passw", "hap run cat /etc/passwd");
    typist.offers("hap kill tr", &["train (running: sleep 600)", "trial (paused: sleep 601)"], &["report"]);
}
