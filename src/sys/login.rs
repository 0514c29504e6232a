//! What systemd makes of this process and this user: `sd_booted(3)`, logind.conf(5), loginctl(1).

use std::fs;
use std::path::{Path, PathBuf};

use crate::core::logout::{Facts, Rules, Unit};
use crate::sys::host;

/// Where configuration lies, the strongest first: a file hides those of its name further down.
const PLACES: [&str; 4] = ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"];

/// What a logout depends on.
pub fn facts() -> Facts {
    let user = host::own_user_name();
    Facts {
        has_systemd: Path::new("/run/systemd/system").is_dir(),
        unit: Unit::read(&fs::read_to_string("/proc/self/cgroup").unwrap_or_default()),
        lingers: Path::new("/var/lib/systemd/linger").join(&user).exists(),
        user,
        rules: rules(),
    }
}

fn rules() -> Rules {
    let read = |path: &PathBuf| fs::read_to_string(path).ok();
    let mains = PLACES.map(|place| Path::new(place).join("logind.conf"));
    let mains: Vec<String> = mains.iter().filter_map(read).collect();
    let drop_ins = drop_ins();
    let mut rules = Rules::default();
    for main in &mains {
        rules.read_default(main);
    }
    // Of the main files the strongest alone counts, of the others all.
    for text in mains.into_iter().take(1).chain(drop_ins.iter().filter_map(read)) {
        rules.read(&text);
    }
    rules
}

/// The files of all `logind.conf.d`, in the order of their names.
fn drop_ins() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for place in PLACES {
        let entries = fs::read_dir(Path::new(place).join("logind.conf.d")).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            let is_hidden = found.iter().any(|other| other.file_name() == path.file_name());
            if path.extension().is_some_and(|extension| extension == "conf") && !is_hidden {
                found.push(path);
            }
        }
    }
    found.sort_by(|one, other| one.file_name().cmp(&other.file_name()));
    found
}
