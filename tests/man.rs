//! The manual: a page for `hap` and one for each verb.
#![allow(missing_docs)] // a test

mod world;

use std::fs;

use world::{World, finish};

fn verbs(world: &World) -> Vec<String> {
    let help = world.hap(&["--help"]).ok();
    let rows = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let rows = rows.filter_map(|row| row.strip_prefix("  ")).filter(|row| !row.starts_with(' '));
    let words = rows.filter_map(|row| row.split_whitespace().next()).filter(|verb| *verb != "help");
    words.map(str::to_owned).collect()
}

#[test]
fn every_verb_has_a_page_and_nothing_else_has() {
    let world = World::new();
    let said = world.hap(&["man", "share/man/man1"]).ok();
    let mut expected: Vec<String> = verbs(&world).iter().map(|verb| format!("hap-{verb}.1")).collect();
    expected.push("hap.1".to_owned());
    expected.sort();
    let entries = fs::read_dir(world.work("share/man/man1")).expect("it was made").flatten();
    let mut pages: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    pages.sort();
    assert_eq!(pages, expected);
    assert_eq!(said, "Wrote hap(1) and a page for each verb to share/man/man1\n");
}

#[test]
fn a_page_says_what_the_help_says() {
    let world = World::new();
    world.hap(&["man", "."]).ok();
    let page = fs::read_to_string(world.work("hap-run.1")).expect("a page");
    assert!(page.starts_with(".TH HAP-RUN 1 "), "{page}");
    for part in
        ["hap\\-run \\- Start a command", ".SH EXAMPLES\n.nf\n", "\\-\\-workdir", "train.py", "\\fBhap\\-logs\\fR(1)"]
    {
        assert!(page.contains(part), "{part:?} in {page}");
    }
    let page = fs::read_to_string(world.work("hap.1")).expect("a page");
    assert!(page.contains("hap\\-run(1)") && !page.contains("__complete"), "{page}");
}

#[test]
fn man_shows_every_page_without_complaint() {
    let man = needs!("man");
    let world = World::new();
    world.hap(&["man", "man1"]).ok();
    for verb in verbs(&world) {
        let mut show = world.program(&man);
        show.args(["--warnings", "-l"]).arg(world.work(format!("man1/hap-{verb}.1")));
        show.env("MANWIDTH", "100").env("MANPAGER", "cat").env("PAGER", "cat");
        let shown = finish(show).ok();
        assert!(shown.contains("SYNOPSIS") && shown.contains(&format!("hap {verb}")), "{shown}");
    }
}

#[test]
fn a_directory_that_cannot_be_is_an_error_that_names_it() {
    let world = World::new();
    fs::write(world.work("file"), "").expect("a new file");
    let refused = world.hap(&["man", "file/man1"]).fails(1);
    assert!(refused.contains("file/man1"), "{refused}");
}
