//! What the processes of a launch tell each other through pipes: small messages of fixed form,
//! each written at once (`pipe(7)`: less than `PIPE_BUF` is never torn).

use std::io;
use std::os::fd::AsFd;

use crate::core::id::Id;
use crate::core::name::Name;
use crate::core::record::{Moment, ProcessId};

use super::marked::{RUN, mark};

/// From the supervisor to the caller: who they are, or that there is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) supervisor: ProcessId,
    pub(super) process: ProcessId,
    pub(super) started: Moment,
}

/// `errno`, three numbers of each process, and the moment.
const NUMBERS: usize = 9;
const REPORT: usize = NUMBERS * size_of::<u64>();

impl Report {
    /// Tells it to whoever waits for it. If nobody does any more, nobody needs it.
    pub(super) fn send(result: io::Result<Self>, to: impl AsFd) {
        let mut numbers = [0; NUMBERS];
        match result {
            Ok(Self { supervisor, process, started }) => {
                numbers[1..4].copy_from_slice(&process_numbers(supervisor));
                numbers[4..7].copy_from_slice(&process_numbers(process));
                numbers[7..].copy_from_slice(&[started.unix_ns.cast_unsigned(), started.boot_ns]);
            }
            Err(error) => numbers[0] = i64::from(error.raw_os_error().unwrap_or(libc::EIO)).cast_unsigned(),
        }
        let mut bytes = [0; REPORT];
        for (room, number) in bytes.chunks_exact_mut(size_of::<u64>()).zip(numbers) {
            room.copy_from_slice(&number.to_ne_bytes());
        }
        let _ = rustix::io::write(to, &bytes);
    }

    /// Waits for it. `None` if the supervisor was killed before it could say anything.
    pub(super) fn receive(from: impl AsFd) -> io::Result<Option<Self>> {
        let mut bytes = [0; REPORT];
        if read(from, &mut bytes)? < REPORT {
            return Ok(None);
        }
        let mut numbers = [0; NUMBERS];
        for (number, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(size_of::<u64>())) {
            *number = u64::from_ne_bytes(bytes.try_into().expect("eight bytes"));
        }
        if numbers[0] != 0 {
            return Err(io::Error::from_raw_os_error(i32::try_from(numbers[0]).unwrap_or(libc::EIO)));
        }
        let started = Moment { unix_ns: numbers[7].cast_signed(), boot_ns: numbers[8] };
        Ok(Some(Self { supervisor: process_of(&numbers[1..4]), process: process_of(&numbers[4..7]), started }))
    }
}

/// No inode has the number zero.
fn process_numbers(process: ProcessId) -> [u64; 3] {
    [i64::from(process.pid).cast_unsigned(), process.start_ticks, process.pidfd_inode.unwrap_or(0)]
}

fn process_of(numbers: &[u64]) -> ProcessId {
    let pidfd_inode = Some(numbers[2]).filter(|&inode| inode > 0);
    ProcessId { pid: i32::try_from(numbers[0]).unwrap_or(0), start_ticks: numbers[1], pidfd_inode }
}

/// From the caller to the command: it is recorded under this id and name and may go.
pub(super) struct Go {
    bytes: [u8; GO],
    length: usize,
}

/// A name has at most 200 bytes, an id at most ten digits; each ends with a NUL.
const GO: usize = 16 + 256;
const ID: &[u8] = b"HAP_ID=";
const NAME: &[u8] = b"HAP_NAME=";

impl Go {
    /// Sends it to this command. An error means that it is gone.
    pub(super) fn send(id: Id, name: &Name, command: ProcessId, to: impl AsFd) -> io::Result<()> {
        let parts = [&id.to_string(), name.as_str(), &mark(command)];
        let message: Vec<u8> = parts.iter().flat_map(|part| part.bytes().chain([0])).collect();
        rustix::io::write(to, &message)?;
        Ok(())
    }

    /// Waits for it. `None` if the caller was killed before it had recorded the command.
    pub(super) fn receive(from: impl AsFd) -> Option<Self> {
        let mut bytes = [0; GO];
        let length = rustix::io::retry_on_intr(|| rustix::io::read(&from, &mut bytes)).ok()?;
        (length > 0).then_some(Self { bytes, length })
    }

    /// Writes the environment variables that tell a command which hap it is.
    pub(super) fn label(&self, label: &mut Label) {
        let mut parts = self.bytes[..self.length].split(|&byte| byte == 0);
        write_entry(&mut label.id, ID, parts.next().unwrap_or_default());
        write_entry(&mut label.name, NAME, parts.next().unwrap_or_default());
        write_entry(&mut label.run, RUN, parts.next().unwrap_or_default());
    }
}

/// Room for the variables, each a C string.
pub(super) struct Label {
    id: [u8; 32],
    name: [u8; GO],
    run: [u8; 64],
}

impl Label {
    pub(super) fn new() -> Box<Self> {
        Box::new(Self { id: [0; 32], name: [0; GO], run: [0; 64] })
    }

    /// Where they are going to be.
    pub(super) fn entries(&self) -> [*const libc::c_char; 3] {
        [self.id.as_ptr().cast(), self.name.as_ptr().cast(), self.run.as_ptr().cast()]
    }

    /// Whether an entry of the environment is one of them, from a hap around this one.
    pub(super) fn owns(entry: &[u8]) -> bool {
        [ID, NAME, RUN].iter().any(|name| entry.starts_with(name))
    }
}

fn write_entry(room: &mut [u8], key: &[u8], value: &[u8]) {
    room[..key.len()].copy_from_slice(key);
    let end = key.len() + value.len();
    room[key.len()..end].copy_from_slice(value);
    room[end] = 0;
}

/// From the command to the caller and to the supervisor: the reason why it cannot be executed. Nothing
/// at all comes when it is: the pipe closes with the exec.
pub(super) mod verdict {
    use std::io;
    use std::os::fd::AsFd;

    /// Where it went wrong.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(in crate::supervisor) enum Stage {
        Workdir,
        Setup,
        Exec,
    }

    const LENGTH: usize = 5;

    /// Says it once for each of its two readers, who take only their own copy: the supervisor
    /// must know it also when the caller was killed before or after it had read its own.
    pub(in crate::supervisor) fn send(stage: Stage, error: &io::Error, to: impl AsFd) {
        let mut bytes = [0; 2 * LENGTH];
        for copy in bytes.chunks_exact_mut(LENGTH) {
            copy[0] = stage as u8;
            copy[1..].copy_from_slice(&error.raw_os_error().unwrap_or(libc::EIO).to_ne_bytes());
        }
        let _ = rustix::io::write(to, &bytes);
    }

    /// Waits until the command is executed (`None`) or cannot be.
    pub(in crate::supervisor) fn receive(from: impl AsFd) -> io::Result<Option<(Stage, io::Error)>> {
        let mut bytes = [0; LENGTH];
        if super::read(from, &mut bytes)? < bytes.len() {
            return Ok(None);
        }
        let stage = [Stage::Workdir, Stage::Setup, Stage::Exec].into_iter().find(|&stage| stage as u8 == bytes[0]);
        let errno = i32::from_ne_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]);
        Ok(Some((stage.unwrap_or(Stage::Setup), io::Error::from_raw_os_error(errno))))
    }
}

/// Reads until the buffer is full or the other end is closed.
pub(super) fn read(from: impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match rustix::io::retry_on_intr(|| rustix::io::read(&from, &mut buffer[length..]))? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::{Go, Label, Report, verdict};
    use crate::core::id::Id;
    use crate::core::name::Name;
    use crate::core::record::{Moment, ProcessId};
    use crate::sys::descriptor::pipe;
    use std::io;

    #[test]
    fn a_report_arrives_as_it_was_sent() {
        let (from, to) = pipe().expect("pipe");
        let report = Report {
            supervisor: ProcessId { pid: 7, start_ticks: u64::MAX, pidfd_inode: None },
            process: ProcessId { pid: i32::MAX, start_ticks: 1, pidfd_inode: Some(u64::MAX) },
            started: Moment { unix_ns: -1, boot_ns: 3 },
        };
        Report::send(Ok(report), &to);
        assert_eq!(Report::receive(&from).expect("reads"), Some(report));
        Report::send(Err(io::Error::from_raw_os_error(libc::EAGAIN)), &to);
        assert_eq!(Report::receive(&from).expect_err("an error").raw_os_error(), Some(libc::EAGAIN));
        drop(to);
        assert_eq!(Report::receive(&from).expect("reads"), None);
    }

    #[test]
    fn the_longest_id_name_and_mark_fit_into_the_go() {
        let (from, to) = pipe().expect("pipe");
        let name = Name::new("訓".repeat(64)).expect("valid");
        let command = ProcessId { pid: i32::MAX, start_ticks: u64::MAX, pidfd_inode: None };
        Go::send(Id::new(u32::MAX).expect("positive"), &name, command, &to).expect("sends");
        let mut label = Label::new();
        Go::receive(&from).expect("arrives").label(&mut label);
        assert!(label.id.starts_with(b"HAP_ID=4294967295\0"));
        assert!(label.name.starts_with(format!("HAP_NAME={name}\0").as_bytes()));
        assert!(label.run.starts_with(b"HAP_RUN=2147483647.18446744073709551615\0"));
        drop(to);
        assert!(Go::receive(&from).is_none());
    }

    #[test]
    fn a_verdict_names_stage_and_reason_and_none_is_success() {
        let (from, to) = pipe().expect("pipe");
        verdict::send(verdict::Stage::Exec, &io::Error::from_raw_os_error(libc::ENOENT), &to);
        for _reader in ["caller", "supervisor"] {
            let (stage, error) = verdict::receive(&from).expect("reads").expect("a failure");
            assert_eq!((stage, error.raw_os_error()), (verdict::Stage::Exec, Some(libc::ENOENT)));
        }
        drop(to);
        assert!(verdict::receive(&from).expect("reads").is_none());
    }
}
