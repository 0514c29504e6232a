//! Which haps a list shows and how: the options that `hap`, `hap status` and their `--watch` share.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::context::zone;
use crate::ops::details::user;
use crate::ops::list::{Filter, Item, Order, Wanted, fold};
use crate::view::look::Look;
use crate::view::{json, message, table};

/// So many finished ones a terminal shows: more would push what runs out of sight.
const NEWEST: usize = 50;

/// Which haps, and in which order.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Listing {
    /// Show more: command, owner, CPU time, memory, size of the logs; of a single hap everything
    #[arg(short, long)]
    pub(super) verbose: bool,

    /// Show only those with this status; more than one with commas
    #[arg(short, long, value_name = "STATUS", value_delimiter = ',', value_parser = filter())]
    filter: Vec<Filter>,

    /// Sort by this; times and sizes show the largest first
    #[arg(short, long, value_name = "COLUMN", default_value = "id", hide_default_value = true, value_parser = order())]
    sort: Order,

    /// Show all that have finished, also on a terminal, which else shows the newest 50
    #[arg(short, long)]
    all: bool,
}

fn filter() -> impl TypedValueParser<Value = Filter> {
    PossibleValuesParser::new(Filter::all().map(Filter::word))
        .map(|word| Filter::all().find(|filter| filter.word() == word).expect("it is one of them"))
}

fn order() -> impl TypedValueParser<Value = Order> {
    PossibleValuesParser::new(Order::ALL.map(Order::word))
        .map(|word| Order::ALL.into_iter().find(|order| order.word() == word).expect("it is one of them"))
}

impl Listing {
    /// What this asks for.
    pub(super) fn wanted(&self) -> Wanted {
        Wanted { filters: self.filter.clone(), order: self.sort, loads: self.verbose }
    }

    /// The list as JSON: all of it.
    pub(super) fn json(items: &[Item]) -> String {
        json::list(items, &zone())
    }

    /// The list as a table, which has room for so many finished ones on a terminal.
    pub(super) fn table(&self, look: &Look, items: &mut Vec<Item>, room: usize) -> String {
        if items.is_empty() {
            return self.nothing(look);
        }
        let is_folded = look.width.is_some() && !self.all;
        let folded = if is_folded { fold(items, room.min(NEWEST)) } else { 0 };
        let list = table::List { items, folded, verbose: self.verbose, owner: &user };
        table::table(&list, look)
    }

    fn nothing(&self, look: &Look) -> String {
        let words: Vec<&str> = self.filter.iter().map(|filter| filter.word()).collect();
        if words.is_empty() { table::nothing(look) } else { message::nothing(&words.join(" or ")) }
    }
}
