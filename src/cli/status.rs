//! `hap`, `hap status`, `hap show`.

use std::mem;

use clap::Args;

use super::context::{self, Context, zone};
use super::listing::Listing;
use super::targets::Form;
use super::watch;
use crate::core::error::Result;
use crate::ops::details::{Details, details};
use crate::ops::find::Haps;
use crate::ops::hap::Entry;
use crate::ops::list;
use crate::view::{json, panel};

const EXAMPLES: &str = "\
Examples:
  hap                                all haps
  hap status train                   one hap
  hap status -v 1 2                  all about two haps, with their environment
  hap --filter running,paused -v     what is going on, and what it takes
  hap --sort memory                  who has the most memory first
  hap --watch                        the table, live; q or Ctrl-C ends it
  hap status -w train web            these two, live
  hap --json | jq '.[] | select(.status == \"failed\") | .name'";

/// Show all haps, or the named ones
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct StatusArguments {
    /// Id or name of a hap; all of them if there is none
    #[arg(value_name = "ALIAS", conflicts_with_all = ["filter", "sort", "all"])]
    aliases: Vec<String>,

    #[command(flatten)]
    how: How,
}

/// What `hap` alone takes as well.
#[derive(Args, Debug)]
pub(super) struct How {
    #[command(flatten)]
    listing: Listing,

    /// Print JSON: an array for the list, an object for one hap
    #[arg(long)]
    json: bool,

    /// Show the list live until q or Ctrl-C
    #[arg(short, long, conflicts_with = "json")]
    watch: bool,
}

impl How {
    /// No more than is asked for by this.
    pub(super) fn plain(json: bool) -> Self {
        Self { listing: Listing::default(), json, watch: false }
    }
}

pub(super) fn status(context: &Context, arguments: &StatusArguments) -> Result<u8> {
    let StatusArguments { aliases, how } = arguments;
    match aliases.is_empty() {
        true => list(context, how),
        false if how.watch => watch::watch(context, &how.listing, aliases),
        false => panels(context, aliases, how),
    }
}

pub(super) fn list(context: &Context, how: &How) -> Result<u8> {
    if how.watch {
        return watch::watch(context, &how.listing, &[]);
    }
    let wanted = how.listing.wanted();
    let mut items = context::haps()?.map(|haps| list::list(&haps, &wanted)).transpose()?.unwrap_or_default();
    let text = if how.json { Listing::json(&items) } else { how.listing.table(&context.look, &mut items, usize::MAX) };
    context.print(&text)?;
    // The process ends: to free thousands of them one by one takes longer than to read them.
    mem::forget(items);
    Ok(0)
}

fn panels(context: &Context, aliases: &[String], how: &How) -> Result<u8> {
    let form = Form::of(how.json, aliases.len() == 1);
    context.for_each(aliases, form, |haps, alias| {
        let entry = haps.entry(alias)?;
        let details = closer_look(haps, &entry, how.listing.verbose);
        Ok(match &entry {
            _ if how.json => json::one(&entry, details.as_ref(), &zone()),
            Entry::Whole(hap) => panel::panel(hap, details.as_ref(), &context.look, &zone()),
            Entry::Broken(broken) => panel::broken_panel(broken, &context.look),
        })
    })
}

fn closer_look(haps: &Haps, entry: &Entry, verbose: bool) -> Option<Details> {
    match entry {
        Entry::Whole(hap) if verbose => Some(details(haps, hap)),
        Entry::Whole(_) | Entry::Broken(_) => None,
    }
}
