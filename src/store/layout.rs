//! Every file name in the state directory.

use crate::core::stream::Stream;

pub(super) const HAPS: &str = "haps";
pub(super) const NAMES: &str = "names";
pub(super) const TRASH: &str = "trash";
pub(super) const RENAMES: &str = "renames";
/// The highest id given out since the list was last empty.
pub(super) const LAST_ID: &str = "last-id";
/// Is there once the user was told that a logout ends haps here.
pub(super) const LOGOUT_WARNED: &str = "logout-warned";
/// Begins the name of a hap that is being made, in `haps`.
pub(super) const STAGING_PREFIX: &str = ".new-";

/// What restarts keep of the runs before, below a hap.
pub(super) const RUNS: &str = "runs";
pub(super) const RECORD: &str = "record.json";
/// The record with room for the end, already on the disk when the command starts: see `record_file`.
pub(super) const SPARE_RECORD: &str = "record.next";
/// An adoption that is under way: see `adoption_file`.
pub(super) const ADOPTION: &str = "adoption.json";
pub(super) const CMDLINE: &str = "cmdline";
pub(super) const ENVIRON: &str = "environ";
pub(super) const CWD: &str = "cwd";
pub(super) const LOCK: &str = "lock";
/// The lock before it is held: whoever sees one that is called `lock` and is free sees a hap that nobody has.
pub(super) const NEW_LOCK: &str = "lock.new";
pub(super) const STDOUT: &str = "stdout.log";
pub(super) const STDERR: &str = "stderr.log";
/// When which part of a log was written: see `log_times`.
const STDOUT_TIMES: &str = "stdout.times";
const STDERR_TIMES: &str = "stderr.times";
pub(super) const TIMES: [&str; 2] = [STDOUT_TIMES, STDERR_TIMES];

pub(super) fn log_name(stream: Stream) -> &'static str {
    match stream {
        Stream::Stdout => STDOUT,
        Stream::Stderr => STDERR,
    }
}

pub(super) fn times_name(stream: Stream) -> &'static str {
    match stream {
        Stream::Stdout => STDOUT_TIMES,
        Stream::Stderr => STDERR_TIMES,
    }
}
