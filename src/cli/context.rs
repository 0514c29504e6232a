//! What every verb needs: the state directory, and stdout and stderr with their looks.

use std::cell::{OnceCell, RefCell};
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::targets::Form;
use super::{FAILED, settings};
use crate::core::alias::Alias;
use crate::core::error::{Error, Result};
use crate::core::logout::Fate;
use crate::ops::find::Haps;
use crate::store::{self, StateDir};
use crate::sys::terminal;
use crate::view::json;
use crate::view::look::Look;
use crate::view::message;
use crate::view::sanitize::visible;

/// Where a terminal does not say how wide it is.
const DEFAULT_WIDTH: usize = 80;

pub(super) struct Context {
    out: RefCell<BufWriter<Stdout>>,
    /// How stdout looks.
    pub(super) look: Look,
    error_look: OnceCell<Look>,
}

impl Context {
    pub(super) fn new() -> Self {
        let out = RefCell::new(BufWriter::new(io::stdout()));
        Self { out, look: look(io::stdout()), error_look: OnceCell::new() }
    }

    /// Does something to each hap that is meant, in the order given, and prints what is said of it. One
    /// that fails is reported and does not keep the others from being done. Returns the exit code.
    pub(super) fn for_each(
        &self,
        aliases: &[String],
        form: Form,
        mut act: impl FnMut(&Haps, &Alias) -> Result<String>,
    ) -> Result<u8> {
        let haps = haps()?;
        let mut code = 0;
        let mut objects = Vec::new();
        for text in aliases {
            let alias = Alias::from(text.as_str());
            let done = match &haps {
                Some(haps) => act(haps, &alias),
                None => Err(Error::UnknownAlias { alias: alias.to_string() }),
            };
            match done {
                Ok(object) if form == Form::Array => objects.push(object),
                Ok(text) => self.print(&text).and_then(|()| self.flush())?,
                Err(error) => {
                    self.explain(&error);
                    // What went wrong in several ways has no code of its own.
                    code = if code == 0 || code == error.exit_code() { error.exit_code() } else { FAILED };
                }
            }
        }
        if form == Form::Array {
            self.print(&json::array(&objects))?;
        }
        Ok(code)
    }

    /// Adds text to stdout.
    pub(super) fn print(&self, text: &str) -> Result<()> {
        self.out.borrow_mut().write_all(text.as_bytes()).map_err(Error::Output)
    }

    /// Sends what was printed on its way.
    pub(super) fn flush(&self) -> Result<()> {
        self.out.borrow_mut().flush().map_err(Error::Output)
    }

    /// Says to the user at the terminal that a logout does this to the hap just started.
    pub(super) fn warn_of_logout(&self, fate: Fate) -> Result<()> {
        self.flush()?;
        say(&message::logout_warning(fate, self.error_look()));
        Ok(())
    }

    /// Somebody reads what is said on stderr.
    pub(super) fn is_watched(&self) -> bool {
        self.error_look().width.is_some()
    }

    fn error_look(&self) -> &Look {
        self.error_look.get_or_init(|| look(io::stderr()))
    }

    /// Says on stderr what went wrong and what to do about it.
    pub(super) fn explain(&self, error: &Error) {
        say(&message::error(error, self.error_look()));
    }
}

/// Begins something with each hap that is meant, in the order given, before any of it is waited for.
pub(super) fn begin_each<T>(aliases: &[String], begin: impl Fn(&Haps, &Alias) -> Result<T>) -> Result<Vec<Result<T>>> {
    let haps = haps()?;
    let started = aliases.iter().map(|text| Alias::from(text.as_str())).map(|alias| match &haps {
        Some(haps) => begin(haps, &alias),
        None => Err(Error::UnknownAlias { alias: alias.to_string() }),
    });
    Ok(started.collect())
}

/// The haps, if there is a state directory at all.
pub(super) fn haps() -> Result<Option<Haps>> {
    StateDir::open(&state_root()?)?.map(Haps::new).transpose()
}

/// The path of the state directory.
pub(super) fn state_root() -> Result<PathBuf> {
    let root = store::locate()?;
    debug(|| format!("state directory {}", root.display()))?;
    Ok(root)
}

/// Says something on stderr. If that is closed there is nobody to tell.
pub(super) fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// With `HAPLESS_DEBUG`: says on stderr what is done.
pub(super) fn debug(text: impl FnOnce() -> String) -> Result<()> {
    if settings::debug()? {
        say(&format!("debug: {}\n", visible(&text())));
    }
    Ok(())
}

/// The time zone of this machine.
pub(super) fn zone() -> TimeZone {
    TimeZone::system()
}

fn look(stream: impl IsTerminal + AsFd) -> Look {
    let is_terminal = stream.is_terminal();
    let width = || settings::columns().or_else(|| terminal::width(stream)).unwrap_or(DEFAULT_WIDTH);
    Look {
        colour: settings::wants_colour(is_terminal),
        shades: settings::has_shades(),
        boxes: is_terminal && !settings::is_dumb(),
        width: is_terminal.then(width),
    }
}
