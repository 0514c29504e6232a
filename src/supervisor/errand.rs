//! A verb that this program runs as another process of itself, and what that says.
//!
//! For a program that must not wait: `stop` takes ten seconds. And for one that must not fork a
//! supervisor: what that inherits it would keep for as long as its command runs, and a full-screen
//! program has far more memory than `hap restart`. So restarting goes the same way as it does for who types
//! it, and the words that it says are the same too.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::core::error::{Error, Result};
use crate::core::record::Outcome;
use crate::sys::exec::{Program, c_string};
use crate::sys::fork::{self, Side};
use crate::sys::{descriptor, environment, mask, wait};

/// This very program, wherever it was moved to and whatever took its place.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// One that was started. It goes on if this is dropped.
#[derive(Debug)]
pub struct Errand {
    pid: i32,
    output: OwnedFd,
    said: Vec<u8>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// All that it wrote.
    pub said: String,
    /// It did what it was sent for.
    pub is_done: bool,
}

impl Errand {
    /// Starts this program with these arguments. What it says has no colours.
    pub fn start(arguments: &[&str]) -> Result<Self> {
        let failed = || Error::system("start a process");
        let mut program = program(arguments);
        let (output, input) = descriptor::pipe().map_err(failed())?;
        match fork::fork().map_err(failed())? {
            Side::Child => become_errand(&mut program, input.as_fd()),
            Side::Parent(pid) => Ok(Self { pid, output, said: Vec::new() }),
        }
    }

    /// Takes in what there is to read, of which the caller knows that there is something: what came of
    /// it, once it has ended.
    pub fn hear(&mut self) -> io::Result<Option<Done>> {
        let mut block = [0; 4096];
        let length = rustix::io::retry_on_intr(|| rustix::io::read(&self.output, &mut block))?;
        self.said.extend(&block[..length]);
        if length > 0 {
            return Ok(None);
        }
        let reaped = wait::wait_for(self.pid)?;
        let is_done = reaped.is_some_and(|reaped| reaped.outcome == Outcome::Exited(0));
        Ok(Some(Done { said: String::from_utf8_lossy(&self.said).into_owned(), is_done }))
    }
}

impl AsFd for Errand {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }
}

fn program(arguments: &[&str]) -> Program {
    let own = std::env::current_exe().ok().filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from(OWN_PROGRAM));
    let own = CString::new(own.as_os_str().as_bytes()).expect("a path has no NUL");
    let rest = arguments.iter().filter_map(|argument| c_string(argument.as_ref()));
    let mut environment = environment::entries();
    environment.push(c"NO_COLOR=1".to_owned());
    Program::new(std::iter::once(own).chain(rest).collect(), environment)
}

/// In a session of its own: if the terminal goes, what was asked for is still done.
fn become_errand(program: &mut Program, output: BorrowedFd<'_>) -> ! {
    let settled = fork::new_session().and_then(|()| {
        descriptor::put_on(descriptor::null_for_reading()?.as_fd(), 0)?;
        descriptor::put_on(output, 1)?;
        descriptor::put_on(output, 2)
    });
    if settled.is_ok() {
        mask::reset_actions();
        mask::unblock_all();
        program.execute();
    }
    fork::exit_now(127);
}
