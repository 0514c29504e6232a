//! Any bytes in any file of a hap: every reader answers, and what it answers can be shown and has
//! nothing in it that a terminal would obey.
#![no_main]

use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::LazyLock;

use hapless::core::record::Record;
use hapless::view::look::Look;
use hapless::ops::list::Item;
use hapless::view::table::{self, List};
use hapless::view::{json, panel};
use hapless::{Entry, Hapless, Stream};
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;

const FILES: [&str; 6] = ["record.json", "record.next", "cmdline", "environ", "stdout.log", "lock"];
const RECORD: &str = include_str!("../../tests/formats/v1/haps/1/record.json");

static STATE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let state = tempfile::tempdir().expect("a directory of our own");
    let hap = state.path().join("haps/1");
    fs::create_dir_all(&hap).expect("a new directory");
    fs::create_dir(state.path().join("names")).expect("a new directory");
    state
});

fuzz_target!(|bytes: &[u8]| {
    let Some((&which, bytes)) = bytes.split_first() else { return };
    let victim = FILES[usize::from(which) % FILES.len()];
    lay(STATE.path(), victim, bytes);
    let haps = Hapless::at(STATE.path());
    let entries = haps.list().expect("one broken file hides nothing");
    assert_eq!(entries.len(), 1);
    show(&entries);
    if let Entry::Whole(hap) = &entries[0] {
        let mut output = Vec::new();
        haps.logs(hap, Stream::Stdout).expect("it is there").read_to_end(&mut output).expect("it can be read");
        assert!(victim != "stdout.log" || output == bytes);
    }
});

/// A hap that has ended, all of whose files are whole but one.
fn lay(state: &Path, victim: &str, bytes: &[u8]) {
    for file in FILES {
        let whole = if file == "record.json" { RECORD.as_bytes() } else { b"x\0" };
        let contents = if file == victim { bytes } else { whole };
        // Not a command that may live: nobody is to be looked for.
        let is_over = file != "record.json" || Record::from_json(contents).map_or(true, |record| record.end.is_some());
        fs::write(state.join("haps/1").join(file), if is_over { contents } else { whole }).expect("our own file");
    }
}

fn show(entries: &[Entry]) {
    let look = Look { colour: false, shades: false, boxes: true, width: Some(60) };
    let zone = TimeZone::UTC;
    let items: Vec<Item> = entries.iter().map(|entry| Item { entry: entry.clone(), load: None }).collect();
    let list = List { items: &items, folded: 0, verbose: true, owner: &|uid| uid.to_string() };
    let mut texts = vec![table::table(&list, &look), json::list(&items, &zone)];
    if let Entry::Whole(hap) = &entries[0] {
        texts.push(panel::panel(hap, None, &look, &zone));
    }
    for text in texts {
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    }
}
