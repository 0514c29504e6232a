//! Which host, which boot, which pid namespace this is; whose files are ours.

use std::io;

use crate::core::record::Place;

/// The only place where the process ids seen from here mean something.
pub fn place() -> io::Result<Place> {
    let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim_end().to_owned();
    let namespace = rustix::fs::stat("/proc/self/ns/pid")?;
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Ok(Place { host, boot_id, pid_namespace: namespace.st_ino })
}

/// The user that this process acts as.
pub fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The name of a user in `/etc/passwd`. The C library would ask other sources as well, for which a
/// static program has to load libraries of just the right version.
pub fn user_name(uid: u32) -> Option<String> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let uid = uid.to_string();
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}
