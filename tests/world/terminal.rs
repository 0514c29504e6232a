//! A terminal: what a program writes to it is what its screen shows.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

use nix::pty::{Winsize, openpty};
use nix::sys::termios::{LocalFlags, tcgetattr};
use vt100::Parser;

use super::process::Process;
use super::{LIMIT, World, wait_for, wait_until};

/// A program on a terminal of its own. Both are gone when it is dropped.
pub struct Terminal {
    child: Child,
    keyboard: File,
    line: OwnedFd,
    screen: Arc<Mutex<Parser>>,
}

impl Terminal {
    /// Starts `hap` with these arguments on a terminal of this size, columns first.
    #[track_caller]
    pub fn start(world: &World, arguments: &[&str], (columns, rows): (u16, u16)) -> Self {
        Self::start_with(world, arguments, (columns, rows), &[("TERM", "xterm-256color")])
    }

    /// The same with these variables.
    #[track_caller]
    pub fn start_with(
        world: &World,
        arguments: &[&str],
        (columns, rows): (u16, u16),
        variables: &[(&str, &str)],
    ) -> Self {
        let mut command = world.program("setsid");
        command.args(["--ctty", super::HAP]).args(arguments).envs(variables.iter().copied());
        Self::show_of(command, (columns, rows))
    }

    /// Starts another program, which finds `hap`.
    #[track_caller]
    pub fn of(world: &World, program: &Path, arguments: &[&str], size: (u16, u16)) -> Self {
        let own = Path::new(super::HAP).parent().expect("it lies somewhere").to_string_lossy();
        let mut command = world.program("setsid");
        command.arg("--ctty").arg(program).args(arguments);
        command.env("TERM", "xterm-256color").env("PATH", format!("{own}:{}", super::PATH));
        Self::show_of(command, size)
    }

    /// `setsid --ctty` makes the terminal that of the program, as a login does.
    #[track_caller]
    fn show_of(mut command: Command, (columns, rows): (u16, u16)) -> Self {
        let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
        let pair = openpty(&size, None).expect("a terminal");
        let slave = || pair.slave.try_clone().expect("one more of it");
        command.stdin(slave()).stdout(slave()).stderr(slave());
        let child = command.spawn().expect("setsid is there");
        let screen = Arc::new(Mutex::new(Parser::new(side(rows), side(columns), 0)));
        show(pair.master.try_clone().expect("one more of it").into(), Arc::clone(&screen));
        Self { child, keyboard: pair.master.into(), line: pair.slave, screen }
    }

    /// Types this.
    pub fn send(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal takes it");
    }

    /// The program.
    pub fn process(&self) -> Process {
        Process::with_pid(i32::try_from(self.child.id()).expect("a pid fits")).expect("it is there")
    }

    /// What the screen shows.
    pub fn text(&self) -> String {
        self.parser().screen().contents()
    }

    /// The screen itself.
    pub fn parser(&self) -> MutexGuard<'_, Parser> {
        self.screen.lock().expect("nobody has panicked with it")
    }

    /// Waits until the screen shows something.
    #[track_caller]
    pub fn until(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + LIMIT;
        loop {
            let text = self.text();
            if holds(&text) {
                return text;
            }
            assert!(Instant::now() < deadline, "waited in vain for {what} in\n{text}");
            thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// Waits until the screen shows this text.
    #[track_caller]
    pub fn until_shown(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    /// Gives the window another size, columns first.
    pub fn resize(&self, (columns, rows): (u16, u16)) {
        self.parser().screen_mut().set_size(side(rows), side(columns));
        let size = rustix::termios::Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(self.keyboard.as_fd(), size).expect("it can be resized");
    }

    /// Waits for the end of the program.
    #[track_caller]
    pub fn end(&mut self) -> ExitStatus {
        wait_until(&mut self.child, Instant::now() + LIMIT)
            .unwrap_or_else(|| panic!("it does not end\n{}", self.text()))
    }

    /// The terminal is as it was: its lines are edited and echoed, its cursor seen, its screen the usual one.
    #[track_caller]
    pub fn assert_restored(&self) {
        let modes = tcgetattr(&self.line).expect("a terminal has modes").local_flags;
        assert!(modes.contains(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG), "{modes:?}");
        wait_for("the usual screen with its cursor", || {
            let parser = self.parser();
            !parser.screen().alternate_screen() && !parser.screen().hide_cursor()
        });
    }

    /// The terminal is in the program's hands: a screen of its own, and no key is echoed.
    pub fn is_taken(&self) -> bool {
        let modes = tcgetattr(&self.line).expect("a terminal has modes").local_flags;
        self.parser().screen().alternate_screen() && !modes.contains(LocalFlags::ECHO)
    }
}

fn side(length: u16) -> NonZero<u16> {
    NonZero::new(length).expect("a screen has room")
}

/// Shows what the program writes, until nobody has the terminal open any more.
fn show(mut written: File, screen: Arc<Mutex<Parser>>) {
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(length) = written.read(&mut bytes) {
            screen.lock().expect("nobody has panicked with it").process(&bytes[..length]);
        }
    });
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
