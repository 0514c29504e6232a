//! `hap`, `hap status`, `hap show`: what they show of which hap.

mod world;

use serde_json::{Value, json};
use world::{Outcome, World, finish, wait_for};

/// Every line of a table that has to do with a hap.
fn line_with<'a>(text: &'a str, word: &str) -> &'a str {
    text.lines().find(|line| line.contains(word)).unwrap_or_else(|| panic!("{word:?} in {text:?}"))
}

/// A world with one hap of each kind.
fn varied() -> World {
    let world = World::new();
    world.run(&["-n", "good", "true"]);
    world.run(&["-n", "bad", "sh", "-c", "echo out; exit 3"]);
    world.run(&["-n", "shot", "sh", "-c", "kill -TERM $$"]);
    world.run(&["-n", "busy", "sleep", "60"]);
    world.run(&["-n", "idle", "sleep", "60"]);
    for name in ["good", "bad", "shot"] {
        world.until_ended(name);
    }
    world.hap(&["pause", "idle"]).ok();
    world
}

#[test]
fn without_any_hap_a_friendly_line_says_how_to_start_one() {
    let world = World::new();
    for arguments in [&[][..], &["status"], &["show"], &["-v"], &["status", "-v"]] {
        let said = world.hap(arguments).ok();
        assert!(said.contains("hap run"), "{said:?}");
    }
    assert_eq!(world.list(), Vec::<Value>::new());
    assert!(!world.path("state").exists(), "looking makes nothing");
}

#[test]
fn the_list_has_every_hap_with_its_status() {
    let world = varied();
    let words = [("good", "success"), ("bad", "failed"), ("shot", "failed"), ("busy", "running"), ("idle", "paused")];
    for arguments in [&[][..], &["status"], &["show"], &["-v"], &["status", "--verbose"]] {
        let table = world.hap(arguments).ok();
        for (name, word) in words {
            assert!(line_with(&table, name).contains(word), "{name} is {word} in {table}");
        }
    }
    let list = world.list();
    let statuses: Vec<_> = list.iter().map(|hap| (hap["name"].as_str(), hap["status"].as_str())).collect();
    assert_eq!(statuses, words.map(|(name, word)| (Some(name), Some(word))));
}

#[test]
fn the_verbose_list_has_commands_and_owner_too() {
    let world = varied();
    let table = world.hap(&["-v"]).ok();
    assert!(line_with(&table, "busy").contains("sleep 60"), "{table}");
    let owner = finish(world.program("id").arg_with("-un")).ok();
    assert!(line_with(&table, "busy").contains(owner.trim_end()), "{table}");
    assert!(table.contains('5') && table.contains('2'), "two of five are active: {table}");
}

/// `Command::arg` by value.
trait ArgWith {
    fn arg_with(self, argument: &str) -> std::process::Command;
}

impl ArgWith for std::process::Command {
    fn arg_with(mut self, argument: &str) -> std::process::Command {
        self.arg(argument);
        self
    }
}

#[test]
fn one_hap_is_shown_by_id_and_by_name() {
    let world = varied();
    for alias in ["2", "bad", "002"] {
        let panel = world.hap(&["status", alias]).ok();
        for part in ["bad", "failed", "3", "echo out; exit 3"] {
            assert!(panel.contains(part), "{part:?} in {panel}");
        }
        assert_eq!(world.status(alias)["hid"], 2);
    }
}

#[test]
fn a_signal_that_ended_it_is_named_beside_its_number() {
    let world = varied();
    let panel = world.hap(&["status", "shot"]).ok();
    assert!(panel.contains("-15") && panel.contains("SIGTERM"), "{panel}");
    let table = world.hap(&["status"]).ok();
    assert!(line_with(&table, "shot").contains("-15"), "{table}");
}

#[test]
fn several_are_shown_in_the_order_given() {
    let world = varied();
    let panels = world.hap(&["status", "busy", "1", "bad"]).ok();
    let places = ["busy", "good", "bad"].map(|name| panels.find(name).expect("it is shown"));
    assert!(places.is_sorted(), "{panels}");
}

#[test]
fn an_unknown_alias_is_reported_and_the_others_are_still_done() {
    let world = varied();
    for unknown in ["99", "nobody", "0", "a b", "../haps/1", "99999999999999999999", ""] {
        let outcome = world.hap(&["status", "good", unknown, "bad"]);
        assert_eq!(outcome.code, 1, "{outcome:?}");
        assert!(outcome.stdout.contains("good") && outcome.stdout.contains("bad"), "{outcome:?}");
        assert!(outcome.stderr.contains(unknown), "{outcome:?}");
        assert_eq!(outcome.stderr.lines().count(), 2, "one line what, one line what to do: {outcome:?}");
    }
}

#[test]
fn an_unknown_alias_in_an_empty_world_is_an_error_too() {
    let world = World::new();
    for arguments in [["status", "1"], ["logs", "1"], ["pause", "1"], ["resume", "x"], ["kill", "x"], ["stop", "1"]] {
        let said = world.hap(&arguments).fails(1);
        assert!(said.contains(arguments[1]), "{said}");
    }
    world.hap(&["signal", "1", "TERM"]).fails(1);
}

#[test]
fn json_of_one_hap_is_an_object_with_all_the_fields() {
    let world = varied();
    let good = world.status("good");
    assert!(good.is_object());
    for (field, value) in [
        ("hid", json!(1)),
        ("name", json!("good")),
        ("rc", json!(0)),
        ("signal", Value::Null),
        ("cmd", json!("true")),
        ("argv", json!(["true"])),
        ("workdir", json!(world.path("work"))),
        ("status", json!("success")),
        ("restarts", json!(0)),
        ("stdout_file", json!(world.file("1", "stdout.log"))),
        ("stderr_file", json!(world.file("1", "stderr.log"))),
    ] {
        assert_eq!(good[field], value, "{field}");
    }
    assert!(good["pid"].is_u64());
    assert!(good["runtime"].is_string());
    assert!(good["runtime_seconds"].is_number());
    for field in ["start_time", "end_time"] {
        let time = good[field].as_str().expect("a time");
        let (date, rest) = time.split_once('T').expect("RFC 3339");
        assert_eq!(date.len(), 10, "{time}");
        assert!(rest.contains(['+', '-', 'Z']), "with an offset: {time}");
    }
}

#[test]
fn json_of_one_that_runs_has_null_for_what_is_not_yet() {
    let world = varied();
    let busy = world.status("busy");
    for field in ["rc", "signal", "end_time"] {
        assert_eq!(busy[field], Value::Null, "{field}");
        assert!(busy.as_object().is_some_and(|object| object.contains_key(field)), "{field} is there");
    }
    assert_eq!(busy["status"], "running");
}

#[test]
fn json_of_one_ended_by_a_signal_has_its_number_and_name() {
    let world = varied();
    let shot = world.status("shot");
    assert_eq!((shot["rc"].as_i64(), shot["signal"].as_str()), (Some(-15), Some("SIGTERM")));
}

#[test]
fn json_of_the_list_and_of_one_hap_agree() {
    let world = varied();
    for hap in world.list() {
        if !["running", "paused"].contains(&hap["status"].as_str().expect("a word")) {
            assert_eq!(world.status(&hap["hid"].to_string()), hap);
        }
    }
}

#[test]
fn runtime_stands_still_once_it_has_ended() {
    let world = varied();
    let before = world.status("good")["runtime_seconds"].clone();
    let busy = world.status("busy")["runtime_seconds"].as_f64().expect("a number");
    wait_for("time to pass", || world.status("busy")["runtime_seconds"].as_f64().is_some_and(|now| now > busy));
    assert_eq!(world.status("good")["runtime_seconds"], before);
}

#[test]
fn a_verbose_panel_has_everything() {
    let world = World::new();
    let id = world.run(&["-e", "FLAVOUR=sweet and sour", "sh", "-c", "exit 4"]);
    world.until_ended(&id);
    let panel = world.hap(&["status", "-v", &id]).ok();
    let parts = [
        world.path("work").to_string_lossy().into_owned(),
        world.file(&id, "stdout.log").to_string_lossy().into_owned(),
        world.file(&id, "stderr.log").to_string_lossy().into_owned(),
        "FLAVOUR=sweet and sour".into(),
        format!("HOME={}", world.path("home").display()),
        "PATH=".into(),
    ];
    for part in parts {
        assert!(panel.contains(&part), "{part:?} in {panel}");
    }
}

#[test]
fn a_panel_that_is_not_verbose_keeps_the_environment_to_itself() {
    let world = World::new();
    let id = world.run(&["-e", "TOKEN=secret", "true"]);
    for outcome in [world.hap(&["status", &id]), world.hap(&["--json"]), world.hap(&["-v"])] {
        assert!(!outcome.ok().contains("secret"));
    }
}

/// No byte that a terminal would act upon.
#[track_caller]
fn assert_harmless(outcome: &Outcome) {
    let bad = |c: char| {
        c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{200b}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!outcome.stdout.contains(bad), "{outcome:?}");
    assert!(!outcome.stderr.contains(bad), "{outcome:?}");
}

#[test]
fn control_characters_are_shown_escaped_and_never_sent() {
    let world = World::new();
    let nasty = "\u{1b}]0;title\u{7}\u{1b}[31mred\r\u{8}\u{9b}1m\u{202e}olleh\u{200b}";
    let id = world.run(&["-e", &format!("NASTY={nasty}"), "sh", "-c", "sleep 60", nasty]);
    for arguments in [&["status"][..], &["status", "-v"], &["status", &id], &["status", "-v", &id], &["--json"]] {
        let outcome = world.hap(arguments);
        assert_eq!(outcome.code, 0);
        assert_harmless(&outcome);
    }
    assert_harmless(&world.hap(&["status", nasty]));
    assert_harmless(&world.hap(&["run", nasty]));
    assert_eq!(world.status(&id)["argv"][3], nasty, "JSON has it as it is");
}

#[test]
fn a_pipe_gets_no_colour_no_boxes_and_nothing_cut() {
    let world = World::new();
    let long = "word ".repeat(100);
    world.run(&["-n", "long", "sh", "-c", "sleep 60", &long]);
    let table = world.hap(&["-v"]).ok();
    assert!(line_with(&table, "long").contains(long.trim_end()), "{table}");
    assert!(!table.contains(['\u{1b}', '│', '─', '…']), "{table}");
    let panel = world.hap(&["status", "long"]).ok();
    assert!(panel.replace('\n', " ").contains("word word"), "{panel}");
    assert!(!panel.contains(['\u{1b}', '…']), "{panel}");
}

#[test]
fn colour_comes_when_it_is_forced_and_never_against_no_color() {
    let world = World::new();
    world.run(&["sleep", "60"]);
    let with = |pairs: &[(&str, &str)]| {
        let mut command = world.command(&["status"]);
        command.envs(pairs.iter().copied());
        finish(command).ok().contains('\u{1b}')
    };
    assert!(with(&[("CLICOLOR_FORCE", "1")]));
    assert!(!with(&[("CLICOLOR_FORCE", "0")]));
    assert!(!with(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!with(&[]));
}

#[test]
fn a_thousand_haps_are_all_listed() {
    let world = World::new();
    let first = world.run(&["true"]);
    world.until_ended(&first);
    for number in 2..=1000 {
        let copy = world.state("haps").join(number.to_string());
        std::fs::create_dir(&copy).expect("a new directory");
        std::fs::copy(world.file("1", "record.json"), copy.join("record.json")).expect("a copy");
    }
    assert_eq!(world.list().len(), 1000);
    assert!(world.hap(&["status"]).ok().lines().count() > 1000);
}
