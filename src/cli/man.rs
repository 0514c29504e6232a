//! `hap man`: the manual, a page for each verb, from the definition that also parses the command line.

use std::io;
use std::path::PathBuf;

use clap::{Args, Command, CommandFactory, ValueHint};
use clap_mangen::Man;
use roff::{Roff, bold, roman};

use super::arguments::Arguments;
use super::context::Context;
use crate::core::error::{Error, Result};
use crate::ops::man::{Page, write};
use crate::view::message;

const EXAMPLES: &str = "\
Examples:
  hap man ~/.local/share/man/man1     from then on: man hap, man hap-run";

/// Write the manual pages, one for each verb, into a directory
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ManArguments {
    /// The directory, made if it is missing
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    directory: PathBuf,
}

pub(super) fn man(context: &Context, arguments: &ManArguments) -> Result<u8> {
    let pages = pages().map_err(Error::system("write the manual"))?;
    write(&arguments.directory, &pages)?;
    context.print(&message::manual_written(&arguments.directory))?;
    Ok(0)
}

/// `hap(1)`, and a page for each verb that is shown.
fn pages() -> io::Result<Vec<Page>> {
    let mut hap = Arguments::command().disable_help_subcommand(true);
    hap.build();
    let verbs: Vec<&Command> = hap.get_subcommands().filter(|verb| !verb.is_hide_set()).collect();
    let mut pages = vec![page(&hap, &verbs)?];
    for verb in &verbs {
        pages.push(page(verb, &verbs)?);
    }
    Ok(pages)
}

fn page(command: &Command, verbs: &[&Command]) -> io::Result<Page> {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    let command = command.clone().override_usage(usage).subcommand_help_heading("VERBS");
    let has_verbs = command.has_subcommands();
    let notes = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let name = title(&command);
    let man = Man::new(command);
    let mut text = heading(&name).into_bytes();
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if has_verbs {
        man.render_subcommands_section(&mut text)?;
    }
    more(&notes).to_writer(&mut text)?;
    see_also(&name, verbs).to_writer(&mut text)?;
    Ok(Page { name: format!("{name}.1"), text })
}

/// Without a date, so that the same version always has the same pages.
fn heading(name: &str) -> String {
    format!(".TH {} 1 \"\" \"hapless {}\"\n", name.to_uppercase(), env!("CARGO_PKG_VERSION"))
}

fn title(command: &Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

/// What stands below the options in the help: the examples as they are, the rest as text.
fn more(notes: &str) -> Roff {
    let is_example = |line: &&str| line.starts_with(' ') || line.is_empty();
    let mut roff = Roff::new();
    let mut lines = notes.lines().peekable();
    if lines.next_if_eq(&"Examples:").is_some() {
        roff.control("SH", ["EXAMPLES"]).control("nf", []);
        while let Some(line) = lines.next_if(is_example) {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    if lines.peek().is_some() {
        roff.control("SH", ["NOTES"]);
    }
    for line in lines {
        if line.is_empty() {
            roff.control("PP", []);
        } else {
            roff.text([roman(line)]);
        }
    }
    roff
}

fn see_also(name: &str, verbs: &[&Command]) -> Roff {
    let mut others = vec!["hap".to_owned()];
    others.extend(verbs.iter().map(|verb| title(verb)));
    others.retain(|other| other != name);
    let mut line = Vec::new();
    for other in others {
        let comma = if line.is_empty() { "" } else { ", " };
        line.extend([roman(comma), bold(other), roman("(1)")]);
    }
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]).text(line);
    roff
}
