//! Changes in a process that somebody else started: its descriptors and what it does on SIGHUP.
//!
//! One of its threads is made to execute a few system calls (`sys::ptrace`). No byte of its own memory is
//! written: it gets one page of its own for what the calls need, and loses that again. The files come
//! through a socket whose other end is ours, so no path, no permission and no mount of the process matters.
//!
//! Invariant: when a function here returns, the thread is as it was. Either all changes are made, or none;
//! and what was changed can be changed back for as long as its [`Changes`] are kept.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::core::adoption::{Capture, Patient, Step};
use crate::core::record::ProcessId;
use crate::sys::open_files::{self, OpenFile, Terminal};
use crate::sys::pidfd::Handle;
use crate::sys::ptrace::{Seized, State};
use crate::sys::running;
use crate::sys::space::Space;

/// What went wrong, and where.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) step: Step,
    pub(super) error: io::Error,
}

/// Notes down, for whoever comes if we are killed, who does not have its own registers; nobody when that
/// is over.
pub(super) type Note<'a> = &'a mut dyn FnMut(Option<&Patient>) -> io::Result<()>;

/// Where its output is to go from now on.
pub(super) struct Logs {
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
    pub(super) null: OwnedFd,
}

/// What was changed in a process.
pub(super) struct Changes {
    process: ProcessId,
    replaced: Vec<Replaced>,
    /// What it did on SIGHUP before, as the kernel has it.
    hangup: Option<[u8; ACTION]>,
}

/// A descriptor that leads elsewhere now.
struct Replaced {
    number: i32,
    closes_on_exec: bool,
    original: OwnedFd,
}

/// `struct sigaction` of the kernel: handler, flags, restorer and mask, on aarch64 without the restorer.
const ACTION: usize = 32;
const IGNORE: u64 = 1;
const SET_SIZE: u64 = 8;

/// What lies where in the page.
const SOCKETS: u64 = 0;
const MESSAGE: u64 = 64;
const PAYLOAD: u64 = 128;
const VECTOR: u64 = 192;
const CONTROL: u64 = 256;
const NEW_ACTION: u64 = 512;
const OLD_ACTION: u64 = 640;

/// `CMSG_SPACE` of one descriptor, where that lies in it, and where `msg_flags` lies in a `struct msghdr`.
const CONTROL_SIZE: u64 = 24;
const CONTROL_DATA: u64 = 16;
const MESSAGE_FLAGS: u64 = 48;

/// Makes the changes. `before` is what was noted of this process by somebody who was killed over it.
pub(super) fn operate(
    process: &Handle,
    capture: Capture,
    logs: &Logs,
    before: Option<&Patient>,
    note: Note<'_>,
) -> Result<Changes, Failure> {
    let mut changes = Changes { process: process.process(), replaced: Vec::new(), hangup: None };
    let mut table = Table::open(process, before, note)?;
    let outcome = table.change(capture, logs, &mut changes).and_then(|()| check(Step::Release));
    if outcome.is_err() {
        table.undo(&mut changes);
    }
    let closed = table.close(note).map_err(at(Step::Release));
    outcome.and(closed).map(|()| changes)
}

/// Begins as [`operate`] does, and is gone when a step fails: nothing is put back.
#[cfg(test)]
pub(super) fn abandon(process: &Handle, logs: &Logs, note: Note<'_>) -> Result<(), Failure> {
    let mut changes = Changes { process: process.process(), replaced: Vec::new(), hangup: None };
    let mut table = Table::seize(process, None)?;
    table.prepare(None, note)?;
    table.change(Capture::Terminal, logs, &mut changes)?;
    check(Step::Release)
}

/// Takes the changes back.
pub(super) fn put_back(process: &Handle, mut changes: Changes, note: Note<'_>) -> Result<(), Failure> {
    debug_assert_eq!(changes.process, process.process());
    let mut table = Table::open(process, None, note)?;
    table.undo(&mut changes);
    table.close(note).map_err(at(Step::Release))
}

fn at(step: Step) -> impl FnOnce(io::Error) -> Failure {
    move |error| Failure { step, error }
}

/// A process one of whose threads is in our hands.
struct Table<'a> {
    process: &'a Handle,
    thread: Seized,
    space: Space,
    instruction: u64,
    page: u64,
    has_page: bool,
    /// Descriptors that it has only for us.
    borrowed: Vec<i32>,
    /// Its end and ours.
    socket: Option<(i32, OwnedFd)>,
    /// The terminals that its stdin, stdout and stderr are, or were before somebody began with it.
    terminals: Vec<u64>,
}

impl<'a> Table<'a> {
    fn open(process: &'a Handle, before: Option<&Patient>, note: Note<'_>) -> Result<Self, Failure> {
        let before = before.filter(|before| before.process == process.process());
        let mut table = Self::seize(process, before)?;
        match table.prepare(before, note) {
            Ok(()) => Ok(table),
            Err(failure) => {
                let _ = table.close(note);
                Err(failure)
            }
        }
    }

    fn seize(process: &'a Handle, before: Option<&Patient>) -> Result<Self, Failure> {
        check(Step::Seize)?;
        let pid = process.process().pid;
        let thread = before.map_or_else(|| some_thread(pid), |before| Ok(before.thread)).map_err(at(Step::Seize))?;
        let space = Space::open(pid).map_err(at(Step::Seize))?;
        let instruction = space.instruction().map_err(at(Step::Seize))?;
        let page = before.map_or_else(|| space.free_page(), |before| Ok(before.page)).map_err(at(Step::Map))?;
        let thread = Seized::seize(thread).map_err(at(Step::Seize))?;
        let (borrowed, socket, terminals) = (Vec::new(), None, Vec::new());
        Ok(Self { process, thread, space, instruction, page, has_page: false, borrowed, socket, terminals })
    }

    fn prepare(&mut self, before: Option<&Patient>, note: Note<'_>) -> Result<(), Failure> {
        let pid = self.process.process().pid;
        let mut descriptors = open_files::numbers(pid).map_err(at(Step::Note))?;
        self.terminals = terminals(&open_files::all(pid).map_err(at(Step::Note))?);
        if let Some(before) = before {
            self.terminals.extend(&before.terminals);
            let state = State { registers: before.registers.clone(), mask: before.mask };
            if self.thread.inherit(&state, before.instruction) {
                // It has not run since, so what it has more than then is ours.
                descriptors.retain(|number| !before.descriptors.contains(number));
                self.borrowed.clone_from(&descriptors);
                self.has_page = self.space.has(self.page).map_err(at(Step::Map))?;
                descriptors.clone_from(&before.descriptors);
            }
        }
        let State { registers, mask } = self.thread.state();
        let patient = Patient {
            process: self.process.process(),
            thread: self.thread.id(),
            registers,
            mask,
            instruction: self.instruction,
            page: self.page,
            descriptors,
            terminals: self.terminals.clone(),
        };
        check(Step::Note)?;
        note(Some(&patient)).map_err(at(Step::Note))?;
        self.leave_restartable_sequence();
        self.give_back();
        self.map()?;
        self.connect()
    }

    /// A thread that is interrupted within a restartable sequence starts it again: the kernel moves it to the
    /// place for that, but only where it finds it within, and it will not find it there (rseq(2)).
    fn leave_restartable_sequence(&mut self) {
        const SEQUENCE: u64 = 8;
        let Some(area) = self.thread.rseq_area() else { return };
        let Ok(sequence) = self.space.read::<8>(area + SEQUENCE).map(u64::from_le_bytes) else { return };
        let Ok(words) = self.space.read::<32>(sequence) else { return };
        let word = |index: usize| u64::from_le_bytes(words[8 * index..8 * (index + 1)].try_into().expect("eight"));
        let (start, length, elsewhere) = (word(1), word(2), word(3));
        if sequence != 0 && (start..start.saturating_add(length)).contains(&self.thread.place()) {
            self.thread.set_place(elsewhere);
        }
    }

    fn map(&mut self) -> Result<(), Failure> {
        check(Step::Map)?;
        let access = unsigned(libc::PROT_READ | libc::PROT_WRITE);
        let kind = unsigned(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE);
        let length = page_size();
        let given = self.call(libc::SYS_mmap, [self.page, length, access, kind, u64::MAX, 0]).map_err(at(Step::Map))?;
        // A kernel that does not know that flag (before 4.17) may choose another place.
        self.page = given;
        self.has_page = true;
        Ok(())
    }

    fn connect(&mut self) -> Result<(), Failure> {
        check(Step::Connect)?;
        let kind = unsigned(libc::SOCK_STREAM | libc::SOCK_CLOEXEC);
        let arguments = [unsigned(libc::AF_UNIX), kind, 0, self.page + SOCKETS, 0, 0];
        self.call(libc::SYS_socketpair, arguments).map_err(at(Step::Connect))?;
        let pair = self.space.read::<8>(self.page + SOCKETS).map_err(at(Step::Connect))?;
        let (theirs, ours) = (number_in(&pair[..4]), number_in(&pair[4..]));
        self.borrowed.extend([theirs, ours]);
        check(Step::Fetch)?;
        let socket = open_files::fetch(self.process, ours).map_err(at(Step::Fetch))?;
        self.socket = Some((theirs, socket));
        self.close_borrowed(ours).map_err(at(Step::Close))
    }

    fn change(&mut self, capture: Capture, logs: &Logs, changes: &mut Changes) -> Result<(), Failure> {
        let files = open_files::all(self.process.process().pid).map_err(at(Step::Fetch))?;
        for (file, log) in chosen(&files, &self.terminals, capture, logs) {
            check(Step::Fetch)?;
            let original = open_files::fetch(self.process, file.number).map_err(at(Step::Fetch))?;
            let borrowed = self.receive(log)?;
            self.replace(borrowed, file.number, file.closes_on_exec)?;
            let OpenFile { number, closes_on_exec, .. } = file;
            changes.replaced.push(Replaced { number, closes_on_exec, original });
            check(Step::Close)?;
            self.close_borrowed(borrowed).map_err(at(Step::Close))?;
        }
        check(Step::Hangup)?;
        let mut ignore = [0; ACTION];
        ignore[..8].copy_from_slice(&IGNORE.to_le_bytes());
        changes.hangup = Some(self.set_hangup(&ignore).map_err(at(Step::Hangup))?);
        Ok(())
    }

    /// What cannot be taken back stays: there is nothing better to do, and the rest is taken back.
    fn undo(&mut self, changes: &mut Changes) {
        for Replaced { number, closes_on_exec, original } in changes.replaced.drain(..).rev() {
            if let Ok(borrowed) = self.receive_unchecked(original.as_fd()) {
                let _ = self.replace_unchecked(borrowed, number, closes_on_exec);
                let _ = self.close_borrowed(borrowed);
            }
        }
        if let Some(action) = changes.hangup.take() {
            let _ = self.set_hangup(&action);
        }
    }

    /// Lets it go as it was. Should that fail, it is tried once more: nothing is as bad as not doing it.
    fn close(mut self, note: Note<'_>) -> io::Result<()> {
        self.give_back();
        self.thread.put_back().or_else(|_| self.thread.put_back())?;
        // Should this fail, the next of us finds that the thread does not stand where it was left.
        let _ = note(None);
        Ok(())
    }

    /// Takes from the process what it had only for us.
    fn give_back(&mut self) {
        self.socket = None;
        for number in self.borrowed.clone() {
            let _ = self.close_borrowed(number);
        }
        if std::mem::take(&mut self.has_page) {
            let _ = self.call(libc::SYS_munmap, [self.page, page_size(), 0, 0, 0, 0]);
        }
    }

    /// Gives it a descriptor of this file.
    fn receive(&mut self, file: BorrowedFd<'_>) -> Result<i32, Failure> {
        check(Step::Receive)?;
        self.receive_unchecked(file).map_err(at(Step::Receive))
    }

    fn receive_unchecked(&mut self, file: BorrowedFd<'_>) -> io::Result<i32> {
        let Some((theirs, ours)) = &self.socket else { return Err(io::ErrorKind::NotConnected.into()) };
        open_files::hand_over(ours.as_fd(), file)?;
        let page = self.page;
        self.write(VECTOR, &[page + PAYLOAD, 1])?;
        // struct msghdr: no name, one vector, the control data, no flags.
        self.write(MESSAGE, &[0, 0, page + VECTOR, 1, page + CONTROL, CONTROL_SIZE, 0])?;
        let flags = unsigned(libc::MSG_CMSG_CLOEXEC);
        self.call(libc::SYS_recvmsg, [number_of(*theirs), page + MESSAGE, flags, 0, 0, 0])?;
        let flags = number_in(&self.space.read::<4>(page + MESSAGE + MESSAGE_FLAGS)?);
        if flags & libc::MSG_CTRUNC != 0 {
            // There was no number left for it.
            return Err(io::Error::from_raw_os_error(libc::EMFILE));
        }
        let borrowed = number_in(&self.space.read::<4>(page + CONTROL + CONTROL_DATA)?);
        self.borrowed.push(borrowed);
        Ok(borrowed)
    }

    fn replace(&mut self, by: i32, number: i32, closes_on_exec: bool) -> Result<(), Failure> {
        check(Step::Replace)?;
        self.replace_unchecked(by, number, closes_on_exec).map_err(at(Step::Replace))
    }

    fn replace_unchecked(&mut self, by: i32, number: i32, closes_on_exec: bool) -> io::Result<()> {
        let flags = if closes_on_exec { unsigned(libc::O_CLOEXEC) } else { 0 };
        self.call(libc::SYS_dup3, [number_of(by), number_of(number), flags, 0, 0, 0]).map(drop)
    }

    fn close_borrowed(&mut self, number: i32) -> io::Result<()> {
        self.call(libc::SYS_close, [number_of(number), 0, 0, 0, 0, 0])?;
        self.borrowed.retain(|&borrowed| borrowed != number);
        Ok(())
    }

    /// Sets what it does on SIGHUP; returns what it did before.
    fn set_hangup(&self, action: &[u8; ACTION]) -> io::Result<[u8; ACTION]> {
        self.space.write(self.page + NEW_ACTION, action)?;
        let (new, old) = (self.page + NEW_ACTION, self.page + OLD_ACTION);
        self.call(libc::SYS_rt_sigaction, [unsigned(libc::SIGHUP), new, old, SET_SIZE, 0, 0])?;
        self.space.read(old)
    }

    fn write(&self, offset: u64, words: &[u64]) -> io::Result<()> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.space.write(self.page + offset, &bytes)
    }

    fn call(&self, number: libc::c_long, arguments: [u64; 6]) -> io::Result<u64> {
        self.thread.call(self.instruction, number, arguments)
    }
}

/// The descriptors that are to lead elsewhere, and where. What writes goes to a log, what only reads finds
/// nothing more to read.
fn chosen<'l>(
    files: &[OpenFile],
    terminals: &[u64],
    capture: Capture,
    logs: &'l Logs,
) -> Vec<(OpenFile, BorrowedFd<'l>)> {
    let is_on_terminal = |file: &OpenFile| match file.terminal {
        // Another name of the one that it has anyway.
        Some(Terminal::CONTROLLING) => !terminals.is_empty(),
        Some(Terminal(device)) => terminals.contains(&device),
        None => false,
    };
    let is_chosen = |file: &&OpenFile| match capture {
        Capture::Nothing => false,
        Capture::Terminal => is_on_terminal(file),
        Capture::Everything => is_on_terminal(file) || matches!(file.number, 1 | 2),
    };
    let log = |file: &OpenFile| match file.number {
        0 => logs.null.as_fd(),
        1 => logs.stdout.as_fd(),
        2 => logs.stderr.as_fd(),
        _ if file.is_read_only => logs.null.as_fd(),
        _ => logs.stdout.as_fd(),
    };
    files.iter().filter(is_chosen).map(|file| (*file, log(file))).collect()
}

/// Those that are its stdin, stdout or stderr. It may have others open that are something else to it, a
/// serial line perhaps.
fn terminals(files: &[OpenFile]) -> Vec<u64> {
    let standard = files.iter().filter(|file| matches!(file.number, 0..=2));
    standard.filter_map(|file| file.terminal).map(|Terminal(device)| device).collect()
}

/// A thread that has not ended: the first one may have, before the others.
fn some_thread(pid: i32) -> io::Result<i32> {
    let threads = running::threads(pid);
    let alive = threads.iter().find(|(_, state)| !matches!(state, b'Z' | b'X' | b'x'));
    alive.map(|&(thread, _)| thread).ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))
}

fn page_size() -> u64 {
    rustix::param::page_size() as u64
}

fn unsigned(flags: i32) -> u64 {
    u64::from(flags.cast_unsigned())
}

fn number_of(descriptor: i32) -> u64 {
    i64::from(descriptor).cast_unsigned()
}

fn number_in(bytes: &[u8]) -> i32 {
    i32::from_le_bytes(bytes.try_into().expect("four bytes"))
}

#[cfg(not(test))]
#[allow(clippy::unnecessary_wraps)] // tests let it fail
fn check(_: Step) -> Result<(), Failure> {
    Ok(())
}

#[cfg(test)]
use super::surgery_tests::check;
