//! USAGE.md and the guides are executed: every `$ command` of a page's console blocks runs, one after the other
//! in one world, and must print what stands below it. What differs from run to run (pids, times, generated names, the
//! width of a column) is compared by its form. With `HAP_WRITE_USAGE=1` the pages get the real output.
#![allow(missing_docs)] // a test

mod world;

use std::fs;
use std::path::Path;

use world::{World, finish};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/USAGE.md");
const GUIDES: [&str; 3] = ["start", "training-over-ssh", "from-a-script"];

/// A part of the page: text that is left as it is, or a command with the output expected of it.
enum Part {
    Text(String),
    Command { line: String, expected: String },
}

fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut in_console = false;
    for line in page.lines() {
        match parts.last_mut() {
            _ if line.starts_with("```") => {
                in_console = line == "```console";
                parts.push(Part::Text(format!("{line}\n")));
            }
            _ if in_console && line.starts_with("$ ") => {
                parts.push(Part::Command { line: line[2..].to_owned(), expected: String::new() });
            }
            Some(Part::Command { expected, .. }) if in_console => expected.extend([line, "\n"]),
            _ => parts.push(Part::Text(format!("{line}\n"))),
        }
    }
    parts
}

/// What a user sees: the command's output and errors, where it was typed.
fn output_of(world: &World, line: &str) -> String {
    let directory = Path::new(world::HAP).parent().expect("it lies somewhere");
    let mut command = world.script(&format!("exec 2>&1; {line}"));
    command.env("PATH", format!("{}:{}", directory.display(), world::PATH)).env("TZ", "UTC").env("SHELL", "/bin/sh");
    let text = finish(command).stdout.replace(&world.path("").display().to_string(), "/home/ada/");
    let user = nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten().map(|user| user.name);
    text.replace(&format!("User: {}", user.unwrap_or_default()), "User: ada")
}

/// The same text for every run: numbers of processes, durations, moments and generated names lose their value.
fn form(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().map(form_of_word).collect::<Vec<_>>().join(" ")).collect()
}

fn form_of_word(word: &str) -> String {
    let generated = |part: &str| part.len() == 6 && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let bare = word.trim_matches(|c: char| "():,\";".contains(c));
    let shape: String = bare.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if bare.strip_prefix("hap-").is_some_and(generated) {
        return word.replace(bare, "NAME");
    }
    match shape.trim_start_matches('0') {
        // Whole numbers of one digit are ids, codes and counts, which must be right.
        "" if bare.len() > 2 => word.replace(bare, "NUMBER"),
        ".0s" | "s" | ".0" | "m" | "h" => word.replace(bare, "TIME"),
        _ if shape.starts_with("0000-00-00") => word.replace(bare, "MOMENT"),
        _ if shape.starts_with("00:00:00") => word.replace(bare, "MOMENT"),
        _ if bare.starts_with("0.") => word.replace(bare, "TIME"),
        _ => word.to_owned(),
    }
}

#[test]
fn every_command_of_the_manual_prints_what_stands_there() {
    let commands = execute(Path::new(PAGE));
    assert!(commands > 40, "only {commands} commands were found");
}

#[test]
fn every_command_of_the_guides_prints_what_stands_there() {
    for guide in GUIDES {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/{guide}.md"));
        assert!(execute(&page) > 0, "no command in {}", page.display());
    }
}

/// Runs the commands of a page in a world of its own; returns how many there are.
#[track_caller]
fn execute(path: &Path) -> usize {
    let page = fs::read_to_string(path).expect("the page is there");
    let world = World::new();
    let mut written = String::new();
    let mut commands = 0;
    for part in parts(&page) {
        match part {
            Part::Text(text) => written.push_str(&text),
            Part::Command { line, expected } => {
                commands += 1;
                let output = output_of(&world, &line);
                if std::env::var_os("HAP_WRITE_USAGE").is_none() {
                    assert_eq!(form(&output), form(&expected), "$ {line}\n{output}");
                }
                written.extend(["$ ", &line, "\n", &output]);
            }
        }
    }
    if std::env::var_os("HAP_WRITE_USAGE").is_some() {
        fs::write(path, written).expect("the page can be written");
    }
    commands
}

#[test]
fn every_verb_has_its_place_in_the_manual() {
    let page = fs::read_to_string(PAGE).expect("USAGE.md is there");
    let world = World::new();
    let help = world.hap(&["--help"]).ok();
    let rows = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // What goes on from the line before is indented further.
    let verbs = rows.filter_map(|row| row.strip_prefix("  ")).filter(|row| !row.starts_with(' '));
    let verbs: Vec<&str> = verbs.filter_map(|row| row.split_whitespace().next()).collect();
    assert!(verbs.len() > 10, "{verbs:?}");
    for verb in verbs.into_iter().filter(|verb| *verb != "help") {
        assert!(page.contains(&format!("$ hap {verb}")), "hap {verb} is not in USAGE.md");
    }
}
