//! The haps that a verb acts on, and in which form it reports what it did to them.

use clap::Args;

use super::context::{self, Context};
use crate::core::error::Result;
use crate::ops::hap::{Entry, Hap};
use crate::view::message;

/// Those that are named, or all that the verb can be meant for.
#[derive(Args, Debug)]
pub(super) struct Targets {
    /// All haps that this can be done to
    #[arg(short, long, conflicts_with = "aliases")]
    pub(super) all: bool,

    /// Id or name of a hap
    #[arg(value_name = "ALIAS", required_unless_present = "all")]
    aliases: Vec<String>,

    #[command(flatten)]
    format: Format,
}

/// The haps that a verb acts on which must be told which.
#[derive(Args, Debug)]
pub(super) struct Aliases {
    /// Id or name of a hap
    #[arg(value_name = "ALIAS", required = true)]
    pub(super) aliases: Vec<String>,

    #[command(flatten)]
    format: Format,
}

/// How a verb reports.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Format {
    /// Print JSON: an object for one hap, else an array
    #[arg(long)]
    json: bool,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    /// JSON of one hap.
    Object,
    /// JSON of any number of haps.
    Array,
}

impl Form {
    /// Whoever names one hap gets one object; whoever may mean more gets an array, whatever is in it.
    pub(super) fn of(json: bool, is_one: bool) -> Self {
        match (json, is_one) {
            (false, _) => Self::Text,
            (true, true) => Self::Object,
            (true, false) => Self::Array,
        }
    }

    pub(super) fn is_json(self) -> bool {
        self != Self::Text
    }
}

impl Format {
    pub(super) fn form(self, aliases: &[String]) -> Form {
        Form::of(self.json, aliases.len() == 1)
    }
}

impl Aliases {
    pub(super) fn form(&self) -> Form {
        self.format.form(&self.aliases)
    }
}

impl Targets {
    pub(super) fn form(&self) -> Form {
        Form::of(self.format.json, !self.all && self.aliases.len() == 1)
    }

    /// The named ones, or all for which `is_meant` holds: `word` says what those are.
    pub(super) fn chosen(&self, context: &Context, word: &str, is_meant: impl Fn(&Hap) -> bool) -> Result<Vec<String>> {
        if !self.all {
            return Ok(self.aliases.clone());
        }
        let entries = context::haps()?.map(|haps| haps.all()).transpose()?.unwrap_or_default();
        let meant = entries.iter().filter(|entry| match entry {
            Entry::Whole(hap) => is_meant(hap),
            Entry::Broken(_) => false,
        });
        let ids: Vec<String> = meant.map(|entry| entry.id().to_string()).collect();
        if ids.is_empty() && self.form() == Form::Text {
            context.print(&message::nothing(word))?;
        }
        Ok(ids)
    }
}
