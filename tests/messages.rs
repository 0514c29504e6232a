//! What `hap` says to somebody who named the wrong hap, and what it never sends to a terminal.

mod world;

use world::{World, finish};

/// Those that take one alias.
const VERBS: [&[&str]; 6] = [&["status"], &["logs"], &["pause"], &["kill"], &["wait"], &["restart"]];

#[test]
fn a_misspelt_name_is_answered_with_the_one_that_was_meant() {
    let world = World::new();
    world.run(&["-n", "train", "sleep", "60"]);
    for verb in VERBS {
        let said = world.hap(&[verb, &["trian"]].concat()).fails(1);
        assert_eq!(said, "error: no hap is called trian\n hint: did you mean train?\n", "{verb:?}");
    }
    let said = world.hap(&["status", "nothing-like-it"]).fails(1);
    assert_eq!(said, "error: no hap is called nothing-like-it\n hint: `hap` lists all haps with their ids and names\n");
}

#[test]
fn the_name_that_a_list_shows_of_a_second_run_leads_to_the_hap() {
    let world = World::new();
    world.run(&["-n", "train", "sleep", "60"]);
    world.hap(&["restart", "train"]).ok();
    assert!(world.hap(&[""; 0]).ok().contains("train@2"));
    assert!(world.hap(&["status", "train@2"]).ok().contains("Name: train@2"));
    assert!(world.hap(&["status", "train@1"]).fails(1).contains("did you mean train?"));
}

#[test]
fn a_name_where_a_verb_belongs_is_known_for_what_it_is() {
    let world = World::new();
    world.run(&["-n", "train", "sleep", "60"]);
    let last_line = |word: &str| {
        let said = world.hap(&[word]).fails(2);
        assert!(said.starts_with(&format!("error: unrecognized subcommand '{word}'\n")), "{said}");
        said.lines().last().expect("it says something").to_owned()
    };
    let train = "train is a hap: `hap status train` shows it, `hap logs train` its output";
    assert_eq!(last_line("train"), train);
    assert_eq!(last_line("trian"), train);
    assert_eq!(last_line("1"), "1 is a hap: `hap status 1` shows it, `hap logs 1` its output");
    assert_eq!(last_line("python3"), "to start a command: `hap run python3`");
    assert_eq!(last_line("ls"), "`hap` lists all haps; to start a command: `hap run ls`");
    assert_eq!(last_line("statsu"), "For more information, try '--help'.", "clap knows that it means status");
}

#[test]
fn several_that_may_be_meant_are_all_named() {
    let world = World::new();
    for name in ["web-2", "web-1", "other"] {
        world.run(&["-n", name, "sleep", "60"]);
    }
    assert!(world.hap(&["logs", "web"]).fails(1).contains("did you mean web-1 or web-2?"));
}

#[test]
fn a_number_that_was_given_out_is_known_to_be_gone() {
    let world = World::new();
    world.run(&["true"]);
    world.run(&["sleep", "60"]);
    world.until_ended("1");
    world.hap(&["clean"]).ok();
    let said = world.hap(&["status", "1"]).fails(1);
    assert!(said.starts_with("error: hap 1 is no longer there\n hint: it was cleaned"), "{said}");
    let said = world.hap(&["status", "3"]).fails(1);
    assert!(said.starts_with("error: there is no hap 3\n"), "{said}");
}

#[test]
fn a_name_from_before_a_rename_leads_to_the_new_one() {
    let world = World::new();
    world.run(&["-n", "model", "sleep", "60"]);
    world.hap(&["rename", "model", "train"]).ok();
    let said = world.hap(&["logs", "model"]).fails(1);
    assert_eq!(said, "error: no hap is called model any more\n hint: it was renamed: it is hap 1 (train) now\n");
    world.run(&["-n", "model", "sleep", "60"]);
    assert_eq!(world.status("model")["hid"], 2, "whoever has the name now is meant");
}

#[test]
fn wrong_usage_is_repeated_without_what_a_terminal_would_obey() {
    let world = World::new();
    let nasty = "\u{1b}]0;title\u{7}\u{1b}[31mred\u{9b}1m\u{202e}olleh";
    let wrong: [&[&str]; 5] = [
        &[nasty],
        &["--nasty", nasty],
        &["status", &format!("--{nasty}")],
        &["wait", "-t", nasty, "1"],
        &["-f", nasty],
    ];
    for arguments in wrong {
        for colour in ["0", "1"] {
            let mut command = world.command(arguments);
            command.env("CLICOLOR_FORCE", colour);
            let said = finish(command);
            assert_eq!(said.code, 2, "{said:?}");
            assert!(!said.stderr.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{said:?}");
            assert!(said.stderr.contains("Usage:") || said.stderr.contains("--help"), "{said:?}");
        }
    }
}
