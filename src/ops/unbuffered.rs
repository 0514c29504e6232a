//! `run --unbuffered`: a program whose stdout is no terminal keeps its output back until it has a few
//! KiB of it. These variables ask it not to; what knows none of them is left as it is.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::ops::find::Haps;
use crate::ops::hap::Hap;

/// Python (`python -u`), and the runtime of GNU Fortran for its standard units.
const RUNTIMES: [&[u8]; 2] = [b"PYTHONUNBUFFERED=1", b"GFORTRAN_UNBUFFERED_PRECONNECTED=y"];

/// What `stdbuf -oL -eL` sets beside `LD_PRELOAD`: whatever writes through the C library writes lines.
const STDBUF: [&[u8]; 2] = [b"_STDBUF_O=L", b"_STDBUF_E=L"];

const PRELOAD: &[u8] = b"LD_PRELOAD=";

/// Where stdbuf keeps its library, seen from its own directory.
const LIBRARIES: [&str; 2] = ["../libexec/coreutils/libstdbuf.so", "../lib/coreutils/libstdbuf.so"];

/// Adds the variables, or replaces them.
pub(super) fn ask(environment: &mut Vec<CString>) {
    for entry in RUNTIMES {
        set(environment, entry.to_vec());
    }
    let Some(library) = stdbuf_library(environment) else { return };
    for entry in STDBUF {
        set(environment, entry.to_vec());
    }
    let others = environment.iter().find_map(|entry| entry.as_bytes().strip_prefix(PRELOAD)).unwrap_or_default();
    let separator: &[u8] = if others.is_empty() { b"" } else { b":" };
    set(environment, [PRELOAD, library.as_os_str().as_bytes(), separator, others].concat());
}

/// Whether this hap's command was asked.
pub fn was_asked(haps: &Haps, hap: &Hap) -> bool {
    let environment = haps.state().hap(hap.id).environment().unwrap_or_default();
    RUNTIMES.iter().all(|entry| environment.iter().any(|own| own.as_bytes() == *entry))
}

fn set(environment: &mut Vec<CString>, entry: Vec<u8>) {
    let key = entry.split_inclusive(|&byte| byte == b'=').next().unwrap_or_default().to_vec();
    environment.retain(|old| !old.as_bytes().starts_with(&key));
    environment.extend(CString::new(entry));
}

/// The library of the `stdbuf` that the command would find.
fn stdbuf_library(environment: &[CString]) -> Option<PathBuf> {
    let path = environment.iter().find_map(|entry| entry.as_bytes().strip_prefix(b"PATH="))?;
    let mut directories = path.split(|&byte| byte == b':').map(|directory| Path::new(OsStr::from_bytes(directory)));
    let stdbuf = directories.find_map(|directory| directory.join("stdbuf").canonicalize().ok())?;
    let found = LIBRARIES.iter().find_map(|library| stdbuf.parent()?.join(library).canonicalize().ok());
    // LD_PRELOAD takes these for the end of a name (ld.so(8)).
    found.filter(|library| {
        library.is_absolute() && !library.as_os_str().as_bytes().iter().any(|byte| b" :".contains(byte))
    })
}

#[cfg(test)]
mod tests {
    use super::ask;
    use std::ffi::CString;

    #[test]
    fn the_variables_replace_those_that_were_there_and_keep_the_users_preloads() {
        let mut environment: Vec<CString> = ["PYTHONUNBUFFERED=", "HOME=/x", "LD_PRELOAD=/y.so", "PATH=/usr/bin"]
            .map(|entry| CString::new(entry).expect("no NUL"))
            .to_vec();
        ask(&mut environment);
        let count =
            |start: &str| environment.iter().filter(|entry| entry.as_bytes().starts_with(start.as_bytes())).count();
        assert_eq!((count("PYTHONUNBUFFERED="), count("PYTHONUNBUFFERED=1"), count("HOME=/x")), (1, 1, 1));
        let preload = environment.iter().filter(|entry| entry.as_bytes().starts_with(b"LD_PRELOAD="));
        let preload: Vec<_> = preload.map(|entry| entry.to_string_lossy().into_owned()).collect();
        assert!(preload.len() == 1 && preload[0].ends_with("/y.so"), "{preload:?}");
        assert_eq!(preload[0].contains("libstdbuf.so:"), count("_STDBUF_O=L") == 1);
    }
}
