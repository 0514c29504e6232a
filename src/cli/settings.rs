//! Settings from the environment: what each variable means, and what values make no sense.

use std::env;
use std::time::Duration;

use crate::core::error::{Error, Result};
use crate::core::size;

const DEFAULT_FAILFAST_TIMEOUT: Duration = Duration::from_secs(5);
const ON: [&str; 4] = ["1", "true", "yes", "on"];
const OFF: [&str; 5] = ["", "0", "false", "no", "off"];

/// `HAPLESS_REDIRECT_STDERR`: stderr goes to the stdout log.
pub(super) fn redirect_stderr() -> Result<bool> {
    switch("HAPLESS_REDIRECT_STDERR")
}

/// `HAPLESS_LOG_LIMIT`: how many bytes of each log stay on the disk.
pub(super) fn log_limit() -> Result<Option<u64>> {
    const VARIABLE: &str = "HAPLESS_LOG_LIMIT";
    let value = env::var_os(VARIABLE).map(|value| value.to_string_lossy().into_owned()).unwrap_or_default();
    if value.is_empty() {
        return Ok(None);
    }
    let expected = "a size of at least 256K, such as 100M";
    let bad = || Error::BadVariable { variable: VARIABLE, value: value.clone(), expected };
    limit_of_log(&value).map_err(|_| bad())
}

/// A size that a log can be kept to; `0` or `off` for none.
pub(super) fn limit_of_log(text: &str) -> Result<Option<u64>> {
    const LEAST: u64 = 256 << 10;
    if is_off(text) && !text.is_empty() {
        return Ok(None);
    }
    let limit = size::parse(text).filter(|&limit| limit >= LEAST);
    limit.map(Some).ok_or_else(|| Error::BadSize { text: text.to_owned() })
}

fn is_off(text: &str) -> bool {
    OFF.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// `HAPLESS_DEBUG`: say what is done.
pub(super) fn debug() -> Result<bool> {
    switch("HAPLESS_DEBUG")
}

/// `HAPLESS_FAILFAST_TIMEOUT`: how long `run --check` looks.
pub(super) fn failfast_timeout() -> Result<Duration> {
    const VARIABLE: &str = "HAPLESS_FAILFAST_TIMEOUT";
    let value = env::var_os(VARIABLE).filter(|value| !value.is_empty());
    let Some(value) = value else { return Ok(DEFAULT_FAILFAST_TIMEOUT) };
    let value = value.to_string_lossy();
    let bad = |_| Error::BadVariable { variable: VARIABLE, value: value.to_string(), expected: "a number of seconds" };
    seconds(&value).map_err(bad)
}

/// A number of seconds, with a fraction perhaps.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it is no number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "it is no length of time".to_owned())
}

fn switch(variable: &'static str) -> Result<bool> {
    let Some(value) = env::var_os(variable) else { return Ok(false) };
    let value = value.to_string_lossy();
    if ON.iter().any(|word| value.eq_ignore_ascii_case(word)) {
        Ok(true)
    } else if is_off(&value) {
        Ok(false)
    } else {
        Err(Error::BadVariable { variable, value: value.into_owned(), expected: "0 or 1" })
    }
}

/// Whether a variable is there and not empty.
fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// Whether text for this stream is coloured: <https://no-color.org>, <https://bixense.com/clicolors>.
pub(super) fn wants_colour(is_terminal: bool) -> bool {
    let is_forced = env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
    !is_set("NO_COLOR") && (is_forced || is_terminal && !is_dumb())
}

/// Whether the terminal has 256 colours and not only the 16 of its theme.
pub(super) fn has_shades() -> bool {
    let says =
        |variable, words: &[&str]| env::var(variable).is_ok_and(|value| words.iter().any(|word| value.contains(word)));
    says("TERM", &["256color", "direct", "kitty", "ghostty", "alacritty"]) || says("COLORTERM", &["truecolor", "24bit"])
}

/// Whether this is within a login session as systemd makes them, `pam_systemd(8)`.
pub(super) fn is_login_session() -> bool {
    is_set("XDG_SESSION_ID") || is_set("XDG_RUNTIME_DIR")
}

/// Whether the terminal shows plain text only.
pub(super) fn is_dumb() -> bool {
    env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}

/// The width that the user says the terminal has.
pub(super) fn columns() -> Option<usize> {
    env::var("COLUMNS").ok()?.parse().ok().filter(|&columns| columns > 0)
}
