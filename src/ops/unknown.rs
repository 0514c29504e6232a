//! Why an alias means no hap: what happened to the one it meant, or which one was meant.

use crate::core::alias::Alias;
use crate::core::error::Error;
use crate::core::id::Id;
use crate::core::name::Name;
use crate::core::similar::similar;
use crate::core::title::Title;
use crate::store::StateDir;

/// Explains it as well as can be. Reads all records, which only who is lost has to wait for.
pub fn explain(state: &StateDir, alias: &Alias) -> Error {
    let unknown = || Error::UnknownAlias { alias: alias.to_string() };
    match alias {
        Alias::Id(id) if state.was_given_out(*id) => Error::Gone { id: *id },
        Alias::Id(_) => unknown(),
        Alias::Name(text) => renamed(state, text).or_else(|| misspelt(state, text)).unwrap_or_else(unknown),
    }
}

fn renamed(state: &StateDir, text: &str) -> Option<Error> {
    let id = state.formerly(text)?;
    Some(Error::Renamed { alias: text.to_owned(), hap: Title { id, name: name_of(state, id)? } })
}

fn misspelt(state: &StateDir, text: &str) -> Option<Error> {
    let names: Vec<Name> = state.ids().ok()?.into_iter().filter_map(|id| name_of(state, id)).collect();
    let near: Vec<String> = similar(text, names.iter().map(Name::as_str)).into_iter().map(str::to_owned).collect();
    (!near.is_empty()).then(|| Error::Misspelt { alias: text.to_owned(), near })
}

fn name_of(state: &StateDir, id: Id) -> Option<Name> {
    state.hap(id).record().ok().map(|record| record.name)
}
