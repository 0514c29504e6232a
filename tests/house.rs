//! The laws of the house, read off the source: who may use whom, where `unsafe`, printing and exiting
//! may be, and how long a file may get. See docs/architecture.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Which floors a floor may use, itself included. `cli` may use all of them.
const FLOORS: [(&str, &[&str]); 6] = [
    ("core", &["core"]),
    ("sys", &["core", "sys"]),
    ("store", &["core", "sys", "store"]),
    ("supervisor", &["core", "sys", "store", "supervisor"]),
    ("ops", &["core", "sys", "store", "supervisor", "ops"]),
    // The data that operations return, and nothing that acts.
    ("view", &["core", "ops", "view"]),
];

const LONGEST: usize = 450;

struct Source {
    /// Relative to `src`.
    path: PathBuf,
    text: String,
}

impl Source {
    /// The floor that it lies on, if it lies on one.
    fn floor(&self) -> Option<&str> {
        self.path.parent()?.components().next()?.as_os_str().to_str()
    }

    /// Its lines with their numbers, without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(number, line)| (number + 1, without_comment(line)))
    }

    /// The same up to its tests, which every file has at its end.
    fn code_before_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code().take_while(|(_, line)| !line.contains("#[cfg(test)]"))
    }

    /// Every line that contains one of these, unless part of a longer word.
    fn lines_with(&self, words: &[&str]) -> Vec<String> {
        let hits = self.code().filter(|(_, line)| words.iter().any(|word| has_word(line, word)));
        hits.map(|(number, line)| self.at(number, line)).collect()
    }

    fn at(&self, number: usize, line: &str) -> String {
        format!("src/{}:{number}: {}", self.path.display(), line.trim())
    }
}

fn without_comment(line: &str) -> &str {
    // No string in this code contains the beginning of a comment but URLs, which are none.
    line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':')).map_or(line, |(at, _)| &line[..at])
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(is_part);
        let after = line[at + word.len()..].chars().next().is_some_and(is_part);
        !before && !after
    })
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut pending = vec![root.clone()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(directory).expect("a directory of ours").flatten() {
            let path = entry.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("source is text");
                found.push(Source { path: path.strip_prefix(&root).expect("below it").to_owned(), text });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(found.len() > 40, "the whole house is read");
    found
}

/// The modules of this crate that a text names by `crate::X`, also in `crate::{X, Y::z}`.
fn used_floors(line: &str) -> BTreeSet<String> {
    let first_word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut used = BTreeSet::new();
    for (at, prefix) in line.match_indices("crate::") {
        let rest = &line[at + prefix.len()..];
        match rest.strip_prefix('{') {
            None => drop(used.insert(first_word(rest))),
            Some(list) => used.extend(top_level_items(list).iter().map(|item| first_word(item.trim()))),
        }
    }
    used
}

/// The items of `a, b::{c, d}, e}…`, up to the brace that closes the list.
fn top_level_items(list: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut depth = 0;
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(String::new()),
            _ => {}
        }
        items.last_mut().expect("there is one").push(c);
    }
    items.iter().map(|item| item.trim_start_matches(',').to_owned()).filter(|item| !item.trim().is_empty()).collect()
}

#[test]
fn the_reader_of_imports_understands_them() {
    let floors = |text: &str| used_floors(text).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(floors("use crate::core::id::Id;"), "core");
    assert_eq!(floors("use crate::{core::{id, name}, sys, store::StateDir};"), "core store sys");
    assert_eq!(floors("let x = crate::view::sanitize::visible(crate::ops::y());"), "ops view");
    assert_eq!(floors("let x = 1;"), "");
    assert!(has_word("unsafe { x }", "unsafe") && !has_word("#![allow(unsafe_code)]", "unsafe"));
    assert_eq!(without_comment("x(); // println! is forbidden"), "x(); ");
}

#[test]
fn every_floor_uses_only_what_is_below_it() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some((_, allowed)) = FLOORS.iter().find(|(floor, _)| Some(*floor) == source.floor()) else { continue };
        // An import may span lines: it is read as one.
        let code: Vec<&str> = source.code().map(|(_, line)| line.trim()).collect();
        let used = used_floors(&code.concat());
        wrong.extend(
            used.iter()
                .filter(|floor| !allowed.contains(&floor.as_str()))
                .map(|floor| format!("src/{} uses crate::{floor}", source.path.display())),
        );
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn no_floor_reaches_another_one_by_super() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(floor) = source.floor() else { continue };
        let others = FLOORS.iter().map(|(name, _)| *name).chain(["cli"]).filter(|name| *name != floor);
        let paths: Vec<String> = others.map(|name| format!("super::super::{name}::")).collect();
        let hits = source.code().filter(|(_, line)| paths.iter().any(|path| line.contains(path.as_str())));
        wrong.extend(hits.map(|(number, line)| source.at(number, line)));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_file_lies_on_a_floor() {
    let known: BTreeSet<&str> = FLOORS.iter().map(|(name, _)| *name).chain(["cli"]).collect();
    let is_known = |source: &Source| match source.floor() {
        Some(floor) => known.contains(floor),
        None => ["lib.rs", "main.rs"].contains(&source.path.to_str().expect("text")),
    };
    let strays: Vec<PathBuf> =
        sources().into_iter().filter(|source| !is_known(source)).map(|source| source.path).collect();
    assert_eq!(strays, Vec::<PathBuf>::new());
}

#[test]
fn unsafe_is_in_sys_alone() {
    let others = sources().into_iter().filter(|source| source.floor() != Some("sys"));
    let found: Vec<String> = others.flat_map(|source| source.lines_with(&["unsafe"])).collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_unsafe_block_says_why_it_is_sound() {
    for source in sources() {
        let lines: Vec<&str> = source.text.lines().collect();
        for (number, _) in source.code().filter(|(_, line)| has_word(line, "unsafe") && line.contains("unsafe {")) {
            let above = &lines[number.saturating_sub(8)..number];
            assert!(above.iter().any(|line| line.contains("// SAFETY:")), "{}", source.at(number, lines[number - 1]));
        }
    }
}

#[test]
fn only_cli_prints() {
    const PRINTS: [&str; 7] = ["println!", "eprintln!", "print!", "eprint!", "dbg!", "io::stdout", "io::stderr"];
    let others = sources().into_iter().filter(|source| source.floor() != Some("cli"));
    let found: Vec<String> = others
        .flat_map(|source| {
            let hits: Vec<String> = source
                .code()
                .filter(|(_, line)| PRINTS.iter().any(|word| line.contains(word)))
                .map(|(number, line)| source.at(number, line))
                .collect();
            hits
        })
        .collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn only_cli_decides_how_the_process_ends_and_only_forked_children_end_at_once() {
    let mut found = Vec::new();
    for source in sources() {
        if source.floor() != Some("cli") {
            found.extend(source.lines_with(&["process::exit", "process::abort"]));
        }
        if source.floor() != Some("supervisor") && source.path != Path::new("sys/fork.rs") {
            found.extend(source.lines_with(&["exit_now", "libc::_exit"]));
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn only_the_supervisor_forks() {
    let allowed = |source: &Source| source.floor() == Some("supervisor") || source.path == Path::new("sys/fork.rs");
    let others = sources().into_iter().filter(|source| !allowed(source));
    let found: Vec<String> = others
        .flat_map(|source| source.lines_with(&["fork::fork()", "libc::fork", "unistd::fork", "Command::new"]))
        .collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn file_names_of_the_state_directory_are_in_store_alone() {
    const NAMES: [&str; 8] = [
        "\"record.json\"",
        "\"record.next\"",
        "\"cmdline\"",
        "\"environ\"",
        "\"stdout.log\"",
        "\"stderr.log\"",
        "\"last-id\"",
        "\"trash\"",
    ];
    let mut found = Vec::new();
    for source in sources().into_iter().filter(|source| source.floor() != Some("store")) {
        let hits = source.code_before_tests().filter(|(_, line)| NAMES.iter().any(|name| line.contains(name)));
        // `samples` are data for tests.
        found.extend(
            hits.filter(|_| !source.path.ends_with("samples.rs")).map(|(number, line)| source.at(number, line)),
        );
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn nothing_is_unwrapped_or_left_to_do_outside_tests() {
    let mut found = Vec::new();
    for source in sources() {
        let bad = |line: &str| [".unwrap()", "todo!", "unimplemented!", "dbg!"].iter().any(|word| line.contains(word));
        found.extend(
            source.code_before_tests().filter(|(_, line)| bad(line)).map(|(number, line)| source.at(number, line)),
        );
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn no_file_has_two_subjects() {
    let long: Vec<String> = sources()
        .iter()
        .map(|source| (source, source.text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(source, lines)| format!("src/{} has {lines} lines", source.path.display()))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<PathBuf> =
        sources().into_iter().filter(|source| !source.text.starts_with("//!")).map(|source| source.path).collect();
    assert_eq!(silent, Vec::<PathBuf>::new());
}

#[test]
fn main_hands_over_at_once() {
    let sources = sources();
    let main = sources.iter().find(|source| source.path == Path::new("main.rs")).expect("there is one");
    assert!(main.text.lines().count() < 25);
}
