//! The functions that `docs/adopt.md` offers, typed into real shells: a job that Ctrl-Z has stopped becomes a hap.
#![allow(missing_docs)] // a test

mod world;

use std::fs;
use std::path::Path;

use world::terminal::Terminal;
use world::{World, wait_for};

#[test]
fn in_bash_a_stopped_job_is_adopted_by_its_number() {
    adopt_jobs(&needs!("bash"), &["--norc", "--noprofile"], "sh");
}

#[test]
fn in_zsh_a_stopped_job_is_adopted_by_its_number() {
    adopt_jobs(&needs!("zsh"), &["-f"], "sh");
}

#[test]
fn in_fish_a_stopped_job_is_adopted_by_its_number() {
    adopt_jobs(&needs!("fish"), &["--no-config"], "fish");
}

#[track_caller]
fn adopt_jobs(shell: &Path, options: &[&str], language: &str) {
    let world = World::new();
    fs::write(world.work("function"), offered(language)).expect("a new file");
    let mut terminal = Terminal::of(&world, shell, options, (100, 30));
    terminal.send(". ./function\r");
    for (number, adopt) in [(1, "hapjob %1 -n first"), (2, "hapjob")] {
        terminal.send(&format!("sh -c 'echo $$ > pid-{number}; exec sleep 1000'\r"));
        let process = world.process_in(format!("pid-{number}"));
        wait_for("the job", || process.name() == "sleep");
        terminal.send("\u{1a}");
        wait_for("it to be stopped", || process.is_stopped());
        terminal.send(&format!("{adopt}\r"));
        terminal.until_shown(&format!("Adopted hap {number} ("));
        let hap = world.status(&number.to_string());
        assert_eq!((&hap["adopted"], &hap["pid"]), (&true.into(), &process.pid.into()), "{hap}");
        wait_for("it to go on", || !process.is_stopped());
    }
    assert_eq!(world.word("first"), "running");
}

/// The function in the first block of this language that has one.
fn offered(language: &str) -> String {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/adopt.md")).expect("a page");
    let fence = format!("```{language}\n");
    let mut blocks = page.split(&fence).skip(1).filter_map(|block| block.split("```").next());
    blocks.find(|block| block.contains("hapjob")).expect("the page offers it").to_owned()
}
