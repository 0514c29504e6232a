//! What can be offered where the cursor stands.

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command, ValueHint};

use super::cursor::{Cursor, Place};
use crate::cli::context;
use crate::core::signal::Signal;
use crate::core::status::Status;
use crate::ops::hap::{Entry, Hap};
use crate::view::completion;

/// See [`super`].
pub(super) enum Offer {
    Values(Vec<Candidate>),
    Files,
    Directories,
    Command(usize),
}

pub(super) struct Candidate {
    value: String,
    meaning: String,
}

impl Offer {
    pub(super) fn at(cursor: &Cursor<'_>) -> Self {
        match &cursor.place {
            Place::Option => Self::Values(options(cursor)),
            Place::Value(option) => of(option, cursor),
            Place::Command(from) => Self::Command(*from),
            Place::Argument(arguments) => {
                let mut values = if cursor.given.is_empty() { verbs(cursor.command) } else { Vec::new() };
                for argument in arguments {
                    match of(argument, cursor) {
                        Self::Values(more) => values.extend(more),
                        other if values.is_empty() => return other,
                        Self::Files | Self::Directories | Self::Command(_) => {}
                    }
                }
                Self::Values(values)
            }
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Files => "files\n".to_owned(),
            Self::Directories => "directories\n".to_owned(),
            Self::Command(from) => format!("command {from}\n"),
            Self::Values(values) => values.iter().fold("values\n".to_owned(), |text, Candidate { value, meaning }| {
                text + &completion::line(value, meaning)
            }),
        }
    }
}

impl Candidate {
    fn new(value: impl Into<String>, help: Option<&StyledStr>) -> Self {
        Self { value: value.into(), meaning: help.map(ToString::to_string).unwrap_or_default() }
    }
}

fn verbs(command: &Command) -> Vec<Candidate> {
    let shown = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    shown.map(|verb| Candidate::new(verb.get_name(), verb.get_about())).collect()
}

/// Those that can still be given.
fn options(cursor: &Cursor<'_>) -> Vec<Candidate> {
    let is_spent = |option: &Arg| {
        let excludes = |one: &Arg, other: &Arg| {
            cursor.command.get_arg_conflicts_with(one).iter().any(|excluded| excluded.get_id() == other.get_id())
        };
        let mut used = cursor.command.get_arguments().filter(|other| cursor.used.contains(other.get_id()));
        let is_excluded = used.any(|other| excludes(option, other) || excludes(other, option));
        let is_repeatable = matches!(option.get_action(), ArgAction::Append | ArgAction::Count);
        is_excluded || cursor.used.contains(option.get_id()) && !is_repeatable
    };
    let mut offered = Vec::new();
    for option in cursor.command.get_opts().chain(flags(cursor.command)) {
        if option.is_hide_set() || is_spent(option) {
            continue;
        }
        if let Some(short) = option.get_short().filter(|_| cursor.word == "-") {
            offered.push(Candidate::new(format!("-{short}"), option.get_help()));
        }
        if let Some(long) = option.get_long() {
            offered.push(Candidate::new(format!("--{long}"), option.get_help()));
        }
    }
    offered
}

fn flags(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|argument| !argument.is_positional() && !argument.get_action().takes_values())
}

/// What an argument or the value of an option can be.
fn of(argument: &Arg, cursor: &Cursor<'_>) -> Offer {
    let names = argument.get_value_names().unwrap_or_default();
    let possible = argument.get_possible_values();
    match argument.get_value_hint() {
        ValueHint::DirPath => Offer::Directories,
        ValueHint::AnyPath | ValueHint::FilePath => Offer::Files,
        _ if names.iter().any(|name| name == "ALIAS") => Offer::Values(haps(cursor)),
        _ if names.iter().any(|name| name == "SIGNAL") => Offer::Values(signals()),
        _ => Offer::Values(
            possible
                .iter()
                .filter(|value| !value.is_hide_set())
                .map(|value| Candidate::new(value.get_name(), value.get_help()))
                .collect(),
        ),
    }
}

fn signals() -> Vec<Candidate> {
    let names = Signal::standard().map(|signal| signal.to_string());
    names.map(|name| Candidate::new(name.trim_start_matches("SIG"), None)).collect()
}

/// The haps that the verb can be meant for, the newest first. Their numbers only to who types digits.
fn haps(cursor: &Cursor<'_>) -> Vec<Candidate> {
    let haps = context::haps().ok().flatten();
    let entries = haps.and_then(|haps| haps.all().ok()).unwrap_or_default();
    let wants_ids = cursor.word.starts_with(|c: char| c.is_ascii_digit());
    let mut offered = Vec::new();
    for entry in entries.iter().rev() {
        let name = match entry {
            Entry::Whole(hap) if !suits(cursor.command.get_name(), hap) => continue,
            Entry::Whole(hap) => Some(hap.record.name.to_string()),
            Entry::Broken(_) => None,
        };
        let id = Some(entry.id().to_string());
        if [&name, &id].into_iter().flatten().any(|alias| cursor.given.contains(alias)) {
            continue;
        }
        let values = name.into_iter().chain(id.filter(|_| wants_ids));
        offered.extend(values.map(|value| Candidate { value, meaning: completion::meaning(entry) }));
    }
    offered
}

/// Whether this verb can do anything to this hap.
fn suits(verb: &str, hap: &Hap) -> bool {
    match verb {
        "pause" => hap.status == Status::Running,
        "resume" => hap.status == Status::Paused,
        "signal" | "wait" => hap.status.is_active(),
        "kill" | "stop" => hap.status.is_active() || hap.leftover > 0,
        _ => true,
    }
}
