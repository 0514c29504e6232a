//! `hap --watch` and `hap status --watch`: the same text, live.
//!
//! Must not write when nothing has changed. What is new is written over what was there, so nothing flickers.

use std::io::{self, Write};

use super::context::{self, Context};
use super::listing::Listing;
use super::screen::{Screen, Wake, exit_code_of};
use crate::core::alias::Alias;
use crate::core::error::{Error, Result};
use crate::core::id::Id;
use crate::ops::hap::Entry;
use crate::ops::live::Live;
use crate::view::look::{FAINT, Look};
use crate::view::{message, width};

const INSTEAD: &str = "leave --watch out, or use `hap wait` to wait for an end";

/// The lines of a watched table that are no finished haps: heading, title, count, what is folded and the footer.
const OTHER_LINES: usize = 6;

/// Shows the list, or of it the named ones, until the user has seen enough.
pub(super) fn watch(context: &Context, listing: &Listing, aliases: &[String]) -> Result<u8> {
    let root = context::state_root()?;
    let named = named(aliases)?;
    let mut live = Live::new(&root)?;
    let screen = Screen::take("--watch", INSTEAD)?;
    let mut shown = String::new();
    loop {
        if live.is_old() {
            live.look()?;
        }
        let page = page(context, listing, named.as_deref(), &live);
        if page != shown {
            draw(&page)?;
            shown = page;
        }
        let wake = screen.wait(live.hint().as_slice(), live.patience())?;
        if let Some(code) = exit_code_of(wake) {
            return Ok(code);
        }
        if wake == Wake::Redraw {
            shown.clear();
        }
        live.notice();
    }
}

/// The ids of those that are named, which must be there now. `None` if all are meant.
fn named(aliases: &[String]) -> Result<Option<Vec<Id>>> {
    if aliases.is_empty() {
        return Ok(None);
    }
    let haps = context::haps()?;
    let id = |text: &String| {
        let alias = Alias::from(text.as_str());
        let unknown = || Error::UnknownAlias { alias: alias.to_string() };
        haps.as_ref().ok_or_else(unknown).and_then(|haps| haps.entry(&alias)).map(|entry| entry.id())
    };
    aliases.iter().map(id).collect::<Result<Vec<Id>>>().map(Some)
}

/// All lines of the screen, each as wide as it may be.
fn page(context: &Context, listing: &Listing, named: Option<&[Id]>, live: &Live<'_>) -> String {
    let (columns, rows) = Screen::size();
    let look = Look { width: Some(columns), ..context.look };
    let wanted = listing.wanted();
    let is_meant = |entry: &&Entry| named.is_none_or(|ids| ids.contains(&entry.id()));
    let meant = live.entries().iter().filter(is_meant).cloned();
    let mut items = live.haps().map(|haps| wanted.list(haps, meant)).unwrap_or_default();
    let ongoing = items.iter().filter(|item| item.is_ongoing()).count();
    let text = listing.table(&look, &mut items, rows.saturating_sub(ongoing + OTHER_LINES));
    let mut lines: Vec<&str> = text.lines().collect();
    let room = rows.saturating_sub(2);
    let hidden = lines.len().saturating_sub(room);
    lines.truncate(room);
    let footer = look.paint(FAINT, &width::cut(&message::watching_list(hidden), columns));
    let blank = if rows > lines.len() + 1 { "\x1b[K\r\n" } else { "" };
    let lines: Vec<String> = lines.into_iter().map(|line| format!("{line}\x1b[K\r\n")).collect();
    lines.concat() + blank + &footer + "\x1b[K"
}

fn draw(page: &str) -> Result<()> {
    const HOME: &str = "\x1b[H";
    const CLEAR_BELOW: &str = "\x1b[J";
    let mut out = io::stdout().lock();
    out.write_all(format!("{HOME}{page}{CLEAR_BELOW}").as_bytes()).and_then(|()| out.flush()).map_err(Error::Output)
}
