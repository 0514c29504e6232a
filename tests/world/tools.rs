//! What a machine may lack. A test that needs it says by name that it is skipped.

use std::io::Write;
use std::path::{Path, PathBuf};

/// Where a program is, also one for administrators.
pub fn find(name: &str) -> Option<PathBuf> {
    let directories = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"];
    directories.iter().map(|directory| Path::new(directory).join(name)).find(|path| path.is_file())
}

pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Says it where it is seen: the test harness holds back what `eprintln!` prints, but not this.
pub fn say_skipped(test: &str, reason: &str) {
    let test = test.trim_end_matches("::here").trim_end_matches("::{{closure}}");
    let _ = std::io::stderr().lock().write_all(format!("skipped: {test}: {reason}\n").as_bytes());
}

/// Ends this test because something is missing.
#[macro_export]
macro_rules! skip {
    ($($reason:tt)*) => {{
        fn here() {}
        $crate::world::tools::say_skipped(std::any::type_name_of_val(&here), &format!($($reason)*));
        return;
    }};
}

/// Where a program is, or the test ends here.
#[macro_export]
macro_rules! needs {
    ($name:expr) => {
        match $crate::world::tools::find($name) {
            Some(path) => path,
            None => $crate::skip!("no {} here", $name),
        }
    };
}
