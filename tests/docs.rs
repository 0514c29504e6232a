//! The book in docs/: every page is in its table of contents, every link leads somewhere, and the
//! reference says what `--help` says. With `HAP_WRITE_USAGE=1` the reference is written anew.
#![allow(missing_docs)] // a test

mod world;

use std::fs;
use std::path::{Path, PathBuf};

use world::World;

const REFERENCE: &str = "docs/reference.md";

const REFERENCE_HEAD: &str = "\
# Every verb

What `hap --help` and the `--help` of each verb print. USAGE.md shows them at work.
";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// All pages in docs/, relative to the package.
fn pages() -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![PathBuf::from("docs")];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(root().join(&directory)).expect("a directory of ours").flatten() {
            let path = directory.join(entry.file_name());
            if entry.path().is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path.to_str().expect("text").to_owned());
            }
        }
    }
    found.sort();
    found
}

/// The targets of a page's links and pictures, but for those in code.
fn links(page: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut in_code = false;
    for line in page.lines() {
        in_code ^= line.starts_with("```");
        let text: String = line.split('`').step_by(2).collect();
        let starts = text.match_indices("](").filter(|_| !in_code);
        links.extend(starts.filter_map(|(at, _)| text[at + 2..].split(')').next().map(str::to_owned)));
    }
    links
}

/// What mdBook and GitHub call a heading in a link.
fn anchors(page: &str) -> Vec<String> {
    let headings = page
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings.map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

/// Where a link on a page leads to, relative to the package.
fn target(page: &str, link: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// Why a link leads nowhere, if it does.
fn flaw(page: &str, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() { page.to_owned() } else { target(page, path) };
    if !root().join(&target).exists() {
        return Some(format!("{page}: {link} leads nowhere"));
    }
    let is_there = anchor.is_empty() || anchors(&read(&target)).iter().any(|heading| heading == anchor);
    (!is_there).then(|| format!("{page}: {link}: no such heading"))
}

#[test]
fn the_reader_of_links_understands_them() {
    assert_eq!(links("a [b](c.md) ![d](e.svg#f) `[g](h)`\n```\n[i](j)\n```\n[k](../l)"), ["c.md", "e.svg#f", "../l"]);
    assert_eq!(target("docs/decisions/x.md", "../a.md"), "docs/a.md");
    assert_eq!(target("README.md", "docs/./a.md"), "docs/a.md");
    assert_eq!(anchors("# Tab and `man`\n#no\n## A-b: c?"), ["tab-and-man", "a-b-c"]);
    assert!(flaw("README.md", "https://example.org").is_none());
    assert!(flaw("docs/README.md", "nowhere.md").is_some() && flaw("docs/README.md", "start.md#nothing").is_some());
}

#[test]
fn every_link_leads_somewhere() {
    let mut all = pages();
    all.extend(
        ["README.md", "USAGE.md", "CHANGELOG.md"]
            .map(str::to_owned)
            .into_iter()
            .filter(|page| root().join(page).exists()),
    );
    let flaws: Vec<String> =
        all.iter().flat_map(|page| links(&read(page)).into_iter().filter_map(move |link| flaw(page, &link))).collect();
    assert_eq!(flaws, Vec::<String>::new());
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let listed: Vec<String> =
        links(&read("docs/SUMMARY.md")).iter().map(|link| target("docs/SUMMARY.md", link)).collect();
    let missing: Vec<String> =
        pages().into_iter().filter(|page| page != "docs/SUMMARY.md" && !listed.contains(page)).collect();
    assert_eq!(missing, Vec::<String>::new());
    let mut once = listed.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), listed.len(), "no page is there twice");
}

/// The reference as it must be now.
fn reference() -> String {
    let world = World::new();
    let help = world.hap(&["--help"]).ok();
    let mut parts = vec![format!("{REFERENCE_HEAD}\n## hap\n\n```text\n{help}```\n")];
    let rows = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let rows = rows.filter_map(|row| row.strip_prefix("  ")).filter(|row| !row.starts_with(' '));
    for verb in rows.filter_map(|row| row.split_whitespace().next()).filter(|verb| *verb != "help") {
        let help = world.hap(&[verb, "--help"]).ok();
        parts.push(format!("\n## hap {verb}\n\n```text\n{help}```\n"));
    }
    parts.concat()
}

#[test]
fn the_reference_is_that_of_this_program() {
    let reference = reference();
    if std::env::var_os("HAP_WRITE_USAGE").is_some() {
        fs::write(root().join(REFERENCE), &reference).expect("the page can be written");
    }
    assert!(read(REFERENCE) == reference, "{REFERENCE} is out of date: HAP_WRITE_USAGE=1 cargo test --test docs");
}
