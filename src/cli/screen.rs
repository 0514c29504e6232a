//! The terminal in our hands: a screen of its own, no cursor, every key at once. However the program
//! ends, also by a panic or a signal, the terminal is as it was.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};

use super::settings;
use crate::core::error::{Error, Result};
use crate::sys::notices::{Notice, Notices};
use crate::sys::readiness::{self, Interest};
use crate::sys::terminal;

/// Whether the terminal is in our hands: who gives it back does so once.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Gives the terminal back when it is dropped.
pub(super) struct Screen {
    notices: Notices,
}

/// Why a sleep was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wake {
    /// A key was pressed.
    Key(KeyEvent),
    /// The window has another size, or was somebody else's for a while: all is to be drawn again.
    Redraw,
    /// It is to end, with this exit code.
    End(u8),
    /// Something else, or the time was up.
    Other,
}

/// What to do about a sleep that is over is for these to say; what is left to the program is `None`.
pub(super) fn exit_code_of(wake: Wake) -> Option<u8> {
    match wake {
        Wake::Key(key) if is_quit(key) => Some(0),
        Wake::End(code) => Some(code),
        Wake::Key(_) | Wake::Redraw | Wake::Other => None,
    }
}

impl Screen {
    /// Takes the terminal. `what` is it that needs one, `instead` what to do where there is none.
    pub(super) fn take(what: &'static str, instead: &'static str) -> Result<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() || settings::is_dumb() {
            return Err(Error::NoTerminal { what, instead });
        }
        give_back_on_panic();
        let notices = Notices::hold().map_err(Error::system("hold signals back"))?;
        let screen = Self { notices };
        enter()?;
        Ok(screen)
    }

    /// How many columns and lines there are.
    pub(super) fn size() -> (usize, usize) {
        terminal::size(io::stdout()).unwrap_or((80, 24))
    }

    /// Sleeps until a key, a signal, one of these descriptors, or until the time is up.
    pub(super) fn wait(&self, others: &[Interest<'_>], limit: Option<Duration>) -> Result<Wake> {
        // What came with the key before is no longer to be read from the terminal.
        if event::poll(Duration::ZERO).unwrap_or(false) {
            return self.key();
        }
        let stdin = io::stdin();
        let own = [self.notices.as_fd(), stdin.as_fd()].map(Interest::Readable);
        let interests: Vec<Interest<'_>> = own.into_iter().chain(others.iter().copied()).collect();
        let ready = readiness::wait(&interests, limit).map_err(Error::system("wait for a key"))?;
        if ready[0]
            && let Some(notice) = self.notices.next()
        {
            return self.heed(notice);
        }
        match ready[1] {
            true if terminal::has_input(&stdin) => self.key(),
            // Readable and nothing there: the terminal is gone, as after SIGHUP.
            true => self.heed(Notice::End(libc::SIGHUP)),
            false => Ok(Wake::Other),
        }
    }

    /// Lets the user have the shell back until it is asked for again.
    pub(super) fn suspend(&self) -> Result<Wake> {
        give_back();
        self.notices.suspend().map_err(Error::system("stop"))?;
        enter()?;
        Ok(Wake::Redraw)
    }

    fn heed(&self, notice: Notice) -> Result<Wake> {
        match notice {
            Notice::Resized => Ok(Wake::Redraw),
            Notice::Suspend => self.suspend(),
            Notice::End(libc::SIGINT) => Ok(Wake::End(0)),
            // As a shell says that a signal ended a command.
            Notice::End(signal) => Ok(Wake::End(u8::try_from(128 + signal).unwrap_or(1))),
        }
    }

    fn key(&self) -> Result<Wake> {
        let read = || if event::poll(Duration::ZERO)? { event::read().map(Some) } else { Ok(None) };
        match read() {
            Ok(Some(Event::Key(key))) if is_control(key, 'z') => self.suspend(),
            Ok(Some(Event::Key(key))) if is_control(key, 'l') => Ok(Wake::Redraw),
            Ok(Some(Event::Key(key))) if key.kind != KeyEventKind::Release => Ok(Wake::Key(key)),
            Ok(Some(Event::Resize(..))) => Ok(Wake::Redraw),
            Ok(_) => Ok(Wake::Other),
            // The terminal is gone.
            Err(_) => Ok(Wake::End(1)),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// `q`, Escape or Ctrl-C.
fn is_quit(key: KeyEvent) -> bool {
    matches!(key.code, KeyCode::Char('q') | KeyCode::Esc) || is_control(key, 'c')
}

pub(super) fn is_control(key: KeyEvent, letter: char) -> bool {
    key.code == KeyCode::Char(letter) && key.modifiers.contains(KeyModifiers::CONTROL)
}

fn enter() -> Result<()> {
    IS_TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode().and_then(|()| execute!(io::stdout(), EnterAlternateScreen, Hide)).map_err(Error::Output)
}

/// The terminal may be gone: then there is nothing to give back.
fn give_back() {
    if IS_TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), Show, LeaveAlternateScreen);
        let _ = disable_raw_mode();
        let _ = io::stdout().flush();
    }
}

/// Before the panic says what happened: on the screen of its own nobody would see it, and a release
/// aborts without dropping anything.
fn give_back_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
        }));
    });
}
