//! docs/json.md against what the verbs print: each field is described there, and each described field
//! is printed, with the type that stands there.

mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;
use world::{World, json};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.md");

/// The fields that a section of the page describes, with their types: rows of its table, first column.
fn described(section: &str) -> BTreeMap<String, String> {
    let page = fs::read_to_string(PAGE).expect("the page is there");
    let part = page.split("\n## ").find(|part| part.starts_with(section)).expect("the section is there").to_owned();
    let rows = part.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| row.split(" | ").map(|cell| cell.trim_matches(['|', ' '])).collect::<Vec<_>>());
    let fields = cells.flat_map(|cells| {
        let names: Vec<String> = cells[0].split(", ").map(|name| name.trim_matches('`').to_owned()).collect();
        let of_type = cells[1].to_owned();
        names.into_iter().map(move |name| (name, of_type.clone()))
    });
    fields.collect()
}

fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().expect("an object").keys().cloned().collect()
}

/// What the page calls this value.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[track_caller]
fn assert_described(object: &Value, fields: &BTreeMap<String, String>) {
    assert_eq!(keys(object), fields.keys().cloned().collect(), "{object}");
    for (name, value) in object.as_object().expect("an object") {
        assert!(fields[name].contains(type_of(value)), "{name} is {value}, described as {}", fields[name]);
    }
}

#[test]
fn a_hap_has_the_fields_that_the_page_describes_whatever_its_status() {
    let world = World::new();
    let fields = described("A hap");
    let running = world.run(&["sleep", "1000"]);
    let merged = world.run(&["--merge", "sh", "-c", "exit 3"]);
    world.until_ended(&merged);
    let broken = world.run(&["true"]);
    world.until_recorded(&broken);
    fs::write(world.file(&broken, "record.json"), "garbage").expect("our own file");
    for hap in world.list() {
        let is_broken = hap["status"] == "broken";
        if is_broken {
            assert_eq!(keys(&hap), fields.keys().cloned().collect(), "{hap}");
        } else {
            assert_described(&hap, &fields);
        }
    }
    let verbose = json(&world.hap(&["status", "-v", "--json", &running]).ok());
    let more = described("What `status -v` adds");
    assert_described(&verbose, &fields.into_iter().chain(more).collect());
}

#[test]
fn each_verb_adds_what_the_page_says() {
    let world = World::new();
    let plain = described("A hap");
    let added = |arguments: &[&str]| {
        let object = json(&world.hap(arguments).ok());
        let own: BTreeSet<String> = plain.keys().cloned().collect();
        assert!(own.is_subset(&keys(&object)), "{object}");
        keys(&object).difference(&own).cloned().collect::<Vec<_>>()
    };
    assert_eq!(added(&["run", "--json", "-n", "a", "sleep", "1000"]), Vec::<String>::new());
    assert_eq!(added(&["run", "--json", "--check", "-n", "b", "true"]), ["healthy"]);
    assert_eq!(added(&["pause", "--json", "a"]), Vec::<String>::new());
    assert_eq!(added(&["resume", "--json", "a"]), Vec::<String>::new());
    assert_eq!(added(&["signal", "--json", "a", "CONT"]), ["sent"]);
    assert_eq!(added(&["rename", "--json", "a", "c"]), ["previous_name"]);
    assert_eq!(added(&["stop", "--json", "c"]), ["killed"]);
    assert_eq!(added(&["restart", "--json", "c"]), Vec::<String>::new());
    assert_eq!(added(&["kill", "--json", "c"]), ["killed"]);
    let page = fs::read_to_string(PAGE).expect("the page is there");
    for field in ["healthy", "sent", "previous_name", "killed"] {
        assert!(page.contains(&format!("| `{field}` |")), "{field} is not in docs/json.md");
    }
    let cleaned = json(&world.hap(&["clean", "--json"]).ok());
    assert_eq!(keys(&cleaned), described("`clean`").into_keys().collect());
    assert_eq!(keys(&cleaned["removed"][0]), ["hid", "name", "status"].map(str::to_owned).into());
}

#[test]
fn the_keys_of_hapless_are_all_there() {
    const KEYS: [&str; 13] = [
        "hid",
        "name",
        "pid",
        "rc",
        "cmd",
        "workdir",
        "status",
        "runtime",
        "start_time",
        "end_time",
        "restarts",
        "stdout_file",
        "stderr_file",
    ];
    let world = World::new();
    world.run(&["true"]);
    let hap = &world.list()[0];
    assert!(KEYS.iter().all(|key| hap.get(key).is_some()), "{hap}");
}
