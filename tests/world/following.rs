//! `hap logs -f` that is still running, with what it prints and says; and a hap that prints what it is told.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use super::{Companion, LIMIT, World, wait_for};

/// See the module. Killed when it is dropped.
pub struct Following {
    pub hap: Companion,
    chunks: Receiver<Vec<u8>>,
    pending: Vec<u8>,
    said: File,
}

impl Following {
    /// Starts `hap` with these arguments.
    #[track_caller]
    pub fn start(world: &World, arguments: &[&str]) -> Self {
        Self::of(world.command(arguments))
    }

    /// Starts this command.
    #[track_caller]
    pub fn of(mut command: Command) -> Self {
        let said = tempfile::tempfile().expect("a file");
        command.stdout(Stdio::piped()).stderr(said.try_clone().expect("one more of it"));
        let mut hap = Companion::start(command);
        let mut stdout = hap.0.stdout.take().expect("piped");
        let (sender, chunks) = mpsc::channel();
        thread::spawn(move || {
            let mut chunk = vec![0; 1 << 16];
            while let Ok(length @ 1..) = stdout.read(&mut chunk) {
                let _ = sender.send(chunk[..length].to_vec());
            }
        });
        Self { hap, chunks, pending: Vec::new(), said }
    }

    /// The next line that it prints; without a line end only if that is its last.
    #[track_caller]
    pub fn line(&mut self) -> String {
        let end = loop {
            match self.pending.iter().position(|&byte| byte == b'\n') {
                Some(end) => break end + 1,
                None if !self.receive() => break self.pending.len(),
                None => {}
            }
        };
        String::from_utf8(self.pending.drain(..end).collect()).expect("text")
    }

    /// The next bytes that it prints, so many of them.
    #[track_caller]
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.pending.len() < count && self.receive() {}
        self.pending.drain(..count.min(self.pending.len())).collect()
    }

    /// All that it prints from here to its end, and how it ends.
    #[track_caller]
    pub fn rest(mut self) -> (String, i32) {
        while self.receive() {}
        (String::from_utf8(std::mem::take(&mut self.pending)).expect("text"), self.hap.end())
    }

    /// What it has said on stderr so far.
    pub fn said(&self) -> String {
        let length = usize::try_from(self.said.metadata().expect("our own file").len()).expect("not much");
        let mut text = vec![0; length];
        self.said.read_exact_at(&mut text, 0).expect("it only grows");
        String::from_utf8(text).expect("text")
    }

    /// Waits until it has said this.
    #[track_caller]
    pub fn until_said(&self, text: &str) {
        wait_for(&format!("{text:?} on stderr"), || self.said().contains(text));
    }

    /// Waits for more; false at the end.
    #[track_caller]
    fn receive(&mut self) -> bool {
        match self.chunks.recv_timeout(LIMIT) {
            Ok(chunk) => self.pending.extend(chunk),
            Err(mpsc::RecvTimeoutError::Disconnected) => return false,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                panic!("nothing more than {:?}", String::from_utf8_lossy(&self.pending))
            }
        }
        true
    }
}

/// A hap that prints a line whenever its FIFO gets one, and ends with the code 3 when that says `end`.
#[track_caller]
pub fn echoing(world: &World) -> String {
    echoing_with(world, "more", &[])
}

/// The same with another FIFO and options of `run`. A line that begins with `!` goes to stderr.
#[track_caller]
pub fn echoing_with(world: &World, fifo: &str, options: &[&str]) -> String {
    nix::unistd::mkfifo(&world.work(fifo), nix::sys::stat::Mode::S_IRWXU).expect("a new FIFO");
    let script = format!(
        "while read -r line; do case $line in end) exit 3;; !*) echo \"$line\" >&2;; *) echo \"$line\";; esac; done < {fifo}"
    );
    world.run(&[options, &["sh", "-c", &script]].concat())
}

/// What such a hap reads. Whoever drops this ends it.
pub fn say(world: &World) -> File {
    say_to(world, "more")
}

/// The same through another FIFO.
pub fn say_to(world: &World, fifo: &str) -> File {
    OpenOptions::new().write(true).open(world.work(fifo)).expect("the hap reads it")
}

/// Waits until the log of stdout has so many bytes.
#[track_caller]
pub fn until_long(world: &World, id: &str, length: u64) {
    let log = world.file(id, "stdout.log");
    wait_for(&format!("{length} bytes in the log"), || fs::metadata(&log).is_ok_and(|log| log.len() >= length));
}
