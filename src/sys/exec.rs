//! A program that is ready to be executed: all memory is taken before the fork, so that after it
//! nothing is left to do but system calls. The search along PATH follows exec(3).

use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use rustix::fs::{Access, AtFlags, accessat};

const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";
const SHELL: &std::ffi::CStr = c"/bin/sh";

/// Arguments and environment of a program, and the files that may be it.
pub struct Program {
    candidates: Vec<CString>,
    arguments: Vec<CString>,
    environment: Vec<CString>,
    argument_pointers: Vec<*const libc::c_char>,
    /// `/bin/sh`, a place for the file, then the arguments after the first.
    script_pointers: Vec<*const libc::c_char>,
    environment_pointers: Vec<*const libc::c_char>,
}

impl Program {
    /// Prepares a program; the first argument names it.
    pub fn new(arguments: Vec<CString>, environment: Vec<CString>) -> Self {
        let name = arguments.first().map_or(&b""[..], |name| name.as_bytes());
        let candidates = candidates(name, path_of(&environment));
        let pointers =
            |strings: &[CString]| strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect();
        let argument_pointers: Vec<_> = pointers(&arguments);
        let mut script_pointers = vec![SHELL.as_ptr(), ptr::null()];
        script_pointers.extend(argument_pointers.iter().skip(1));
        let environment_pointers = pointers(&environment);
        Self { candidates, arguments, environment, argument_pointers, script_pointers, environment_pointers }
    }

    /// The arguments, byte for byte.
    pub fn arguments(&self) -> &[CString] {
        &self.arguments
    }

    /// The environment, byte for byte.
    pub fn environment(&self) -> &[CString] {
        &self.environment
    }

    /// Replaces the variables that `replaced` holds for by these, whose values only the forked
    /// process will know. Each points to a C string that lives until [`Program::execute`] is called.
    pub fn reserve_variables<const N: usize>(
        &mut self,
        replaced: fn(&[u8]) -> bool,
        entries: [*const libc::c_char; N],
    ) {
        let kept = self.environment.iter().filter(|entry| !replaced(entry.as_bytes()));
        self.environment_pointers = kept.map(|entry| entry.as_ptr()).chain(entries).chain([ptr::null()]).collect();
    }

    /// Whether one of the files that may be it is executable, seen from this directory.
    pub fn exists_in(&self, directory: BorrowedFd<'_>) -> bool {
        self.candidates.iter().any(|file| {
            accessat(directory, file.as_c_str(), Access::EXEC_OK, AtFlags::EACCESS).is_ok()
                && !is_directory(directory, file)
        })
    }

    /// Whether what is named is a directory, seen from this one: execve(2) denies that as it denies a file without `x`.
    pub fn is_directory_in(&self, directory: BorrowedFd<'_>) -> bool {
        matches!(&self.candidates[..], [file] if is_directory(directory, file))
    }

    /// Becomes the program. Returns only when that failed, with the reason.
    pub fn execute(&mut self) -> io::Error {
        let mut denied = None;
        for file in &self.candidates {
            match execute_file(file, &self.argument_pointers, &self.environment_pointers).raw_os_error() {
                Some(libc::ENOENT | libc::ENOTDIR | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT) => {}
                Some(libc::EACCES) => denied = Some(libc::EACCES),
                Some(libc::ENOEXEC) => {
                    self.script_pointers[1] = file.as_ptr();
                    return execute_file(SHELL, &self.script_pointers, &self.environment_pointers);
                }
                other => return io::Error::from_raw_os_error(other.unwrap_or(libc::EINVAL)),
            }
        }
        io::Error::from_raw_os_error(denied.unwrap_or(libc::ENOENT))
    }
}

fn execute_file(
    file: &std::ffi::CStr,
    arguments: &[*const libc::c_char],
    environment: &[*const libc::c_char],
) -> io::Error {
    // SAFETY: both arrays end with a null, and the strings they point to are owned by `Program`
    // or, by the contract of `reserve_variables`, still alive.
    unsafe { libc::execve(file.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

fn is_directory(directory: BorrowedFd<'_>, file: &std::ffi::CStr) -> bool {
    use rustix::fs::{FileType, statat};
    statat(directory, file, AtFlags::empty()).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_dir())
}

fn path_of(environment: &[CString]) -> &[u8] {
    environment.iter().find_map(|entry| entry.as_bytes().strip_prefix(b"PATH=")).unwrap_or(DEFAULT_PATH)
}

fn candidates(name: &[u8], path: &[u8]) -> Vec<CString> {
    if name.is_empty() {
        return Vec::new();
    }
    if name.contains(&b'/') {
        return CString::new(name).into_iter().collect();
    }
    let directories = path.split(|&byte| byte == b':');
    let files = directories.map(|directory| {
        // An empty entry is the working directory.
        let directory = if directory.is_empty() { b"." } else { directory };
        [directory, b"/", name].concat()
    });
    files.filter_map(|file| CString::new(file).ok()).collect()
}

/// A C string of these bytes; `None` if there is a NUL among them.
pub fn c_string(text: &OsStr) -> Option<CString> {
    CString::new(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::candidates;

    fn files(name: &str, path: &str) -> Vec<String> {
        let found = candidates(name.as_bytes(), path.as_bytes());
        found.iter().map(|file| file.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_name_is_sought_along_path_and_a_path_is_taken_as_it_is() {
        assert_eq!(files("x", "/a::/b"), ["/a/x", "./x", "/b/x"]);
        assert_eq!(files("./x", "/a"), ["./x"]);
        assert_eq!(files("d/x", "/a"), ["d/x"]);
        assert!(files("", "/a").is_empty());
    }
}
