//! Which host, which boot, which pid namespace this is; whose files are ours.

use std::io;
use std::path::PathBuf;

use crate::core::record::Place;
use crate::sys::file;

/// The only place where the process ids seen from here mean something.
pub fn place() -> io::Result<Place> {
    let mut boot_id = [0; 64];
    let length = file::read_once("/proc/sys/kernel/random/boot_id", &mut boot_id)?;
    let boot_id = String::from_utf8_lossy(&boot_id[..length]).trim_end().to_owned();
    let namespace = rustix::fs::stat("/proc/self/ns/pid")?;
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Ok(Place { host, boot_id, pid_namespace: namespace.st_ino })
}

/// The user that this process acts as.
pub fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The name of that user, or its number where there is no name.
pub fn own_user_name() -> String {
    user_name(own_uid()).unwrap_or_else(|| own_uid().to_string())
}

/// The name of a user in `/etc/passwd`.
pub fn user_name(uid: u32) -> Option<String> {
    account_field(uid, 0)
}

/// The home of this user, if it has one: `HOME`, else what `/etc/passwd` says.
pub fn home() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    home.or_else(|| account_field(own_uid(), 5).map(PathBuf::from))
}

/// One field of a user's line in `/etc/passwd` (passwd(5)). The C library would ask other sources as
/// well, for which a static program has to load libraries of just the right version, or crashes.
fn account_field(uid: u32, field: usize) -> Option<String> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let uid = uid.to_string();
    let account = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let account = account.into_iter().find(|fields| fields.get(2) == Some(&uid.as_str()))?;
    account.get(field).filter(|text| !text.is_empty()).map(|text| (*text).to_owned())
}
