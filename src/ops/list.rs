//! A list of haps: which of them, in which order, and which of the finished ones are old enough to fold away.

use std::cmp::Reverse;

use crate::core::error::Result;
use crate::core::status::{Kind, Status};
use crate::ops::find::Haps;
use crate::ops::hap::{Entry, Hap};
use crate::ops::load::{Load, load};

/// One of the list.
#[derive(Clone, Debug)]
pub struct Item {
    /// The hap.
    pub entry: Entry,
    /// What it takes, where that was asked for.
    pub load: Option<Load>,
}

impl Item {
    /// Whether it never folds away: it is not finished, or nobody can tell.
    pub fn is_ongoing(&self) -> bool {
        age(self).is_none()
    }
}

/// Which haps are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Those with this status.
    Kind(Kind),
    /// Those that run or are paused.
    Active,
    /// Those that are neither active nor on another host.
    Ended,
    /// Those whose record cannot be read.
    Broken,
}

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The number, ascending.
    #[default]
    Id,
    /// The name, by its characters.
    Name,
    /// Who needs attention first: what runs, then what went wrong, then what went well.
    Status,
    /// The longest first.
    Runtime,
    /// Most CPU time first.
    Cpu,
    /// Most memory first.
    Memory,
    /// The largest logs first.
    Logs,
}

/// What list is wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Whoever one of these is meant for; everybody if there is none.
    pub filters: Vec<Filter>,
    /// In this order.
    pub order: Order,
    /// With what they take.
    pub loads: bool,
}

const KINDS: [Kind; 7] =
    [Kind::Unbound, Kind::Running, Kind::Paused, Kind::Success, Kind::Failed, Kind::Lost, Kind::Elsewhere];

impl Filter {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::Active, Self::Ended].into_iter().chain(KINDS.map(Self::Kind)).chain([Self::Broken])
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Kind(kind) => kind.word(),
            Self::Active => "active",
            Self::Ended => "ended",
            Self::Broken => "broken",
        }
    }

    /// Whether this one is meant.
    pub fn holds(self, entry: &Entry) -> bool {
        match (self, entry) {
            (Self::Broken, Entry::Broken(_)) => true,
            (Self::Kind(kind), Entry::Whole(hap)) => hap.status.kind() == kind,
            (Self::Active, Entry::Whole(hap)) => hap.status.is_active(),
            (Self::Ended, Entry::Whole(hap)) => !hap.status.is_active() && hap.status != Status::Elsewhere,
            (Self::Broken, Entry::Whole(_)) | (Self::Kind(_) | Self::Active | Self::Ended, Entry::Broken(_)) => false,
        }
    }
}

impl Order {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Id, Self::Name, Self::Status, Self::Runtime, Self::Cpu, Self::Memory, Self::Logs];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Status => "status",
            Self::Runtime => "runtime",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Logs => "logs",
        }
    }

    /// Whether it is about what haps take.
    pub fn needs_loads(self) -> bool {
        matches!(self, Self::Cpu | Self::Memory | Self::Logs)
    }

    /// Sorts by it; who is equal stays in the order of the numbers.
    pub fn sort(self, items: &mut [Item]) {
        let load = |item: &Item| item.load.unwrap_or_default();
        items.sort_by_key(|item| item.entry.id());
        match self {
            Self::Id => {}
            Self::Name => items.sort_by_cached_key(|item| whole(item).map(|hap| hap.record.name.clone())),
            Self::Status => items.sort_by_key(|item| rank(&item.entry)),
            Self::Runtime => items.sort_by_key(|item| Reverse(whole(item).and_then(|hap| hap.runtime))),
            Self::Cpu => items.sort_by_key(|item| Reverse(load(item).cpu)),
            Self::Memory => items.sort_by_key(|item| Reverse(load(item).memory)),
            Self::Logs => items.sort_by_key(|item| Reverse(load(item).logs)),
        }
    }
}

impl Wanted {
    /// Whether this one is.
    pub fn has(&self, entry: &Entry) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| filter.holds(entry))
    }

    /// The list of these.
    pub fn list(&self, haps: &Haps, entries: impl IntoIterator<Item = Entry>) -> Vec<Item> {
        let with_loads = self.loads || self.order.needs_loads();
        let entries = entries.into_iter().filter(|entry| self.has(entry));
        let item = |entry: Entry| Item { load: with_loads.then(|| load(haps, &entry)), entry };
        let mut items: Vec<Item> = entries.map(item).collect();
        self.order.sort(&mut items);
        items
    }
}

/// The list that is wanted, of all haps there are.
pub fn list(haps: &Haps, wanted: &Wanted) -> Result<Vec<Item>> {
    Ok(wanted.list(haps, haps.all()?))
}

/// Takes the finished ones out of the list but for the newest `keep`: how many those were.
pub fn fold(items: &mut Vec<Item>, keep: usize) -> usize {
    let mut ends: Vec<_> = items.iter().filter_map(age).collect();
    let Some(excess) = ends.len().checked_sub(keep).filter(|&excess| excess > 0) else { return 0 };
    ends.sort_unstable();
    let oldest_kept = ends.get(excess).copied();
    items.retain(|item| age(item).is_none_or(|age| oldest_kept.is_some_and(|oldest| age >= oldest)));
    excess
}

/// By which finished ones are newer or older; `None` for one that is not, and never folds away.
fn age(item: &Item) -> Option<(i64, u32)> {
    let hap = whole(item).filter(|hap| hap.is_over())?;
    let moment = hap.record.end.map_or(hap.record.started.unix_ns, |end| end.unix_ns);
    Some((moment, hap.id.number()))
}

fn whole(item: &Item) -> Option<&Hap> {
    match &item.entry {
        Entry::Whole(hap) => Some(hap),
        Entry::Broken(_) => None,
    }
}

fn rank(entry: &Entry) -> u8 {
    let Entry::Whole(hap) = entry else { return 3 };
    match hap.status.kind() {
        Kind::Running => 0,
        Kind::Paused => 1,
        Kind::Unbound => 2,
        Kind::Failed => 4,
        Kind::Lost => 5,
        Kind::Elsewhere => 6,
        Kind::Success => 7,
    }
}
