//! Making one thread of another program execute system calls, and leaving it as it was: ptrace(2).
//!
//! What this relies on, and where that is written:
//!
//! - `PTRACE_SEIZE` and `PTRACE_INTERRUPT` stop a thread without a signal that anybody could see, and
//!   `PTRACE_DETACH` leaves a thread in the group-stop that it was in (ptrace(2), "Group-stop").
//! - The caller has stopped the whole process with SIGSTOP before. A tracer that is killed loses its
//!   threads; the kernel lets them run on as they are, *unless their process is in a group-stop*: then they
//!   stop again before they execute one instruction of the program (`__ptrace_unlink` in kernel/ptrace.c sets
//!   `JOBCTL_STOP_PENDING`). So with the registers noted down elsewhere, whoever comes next can put them
//!   back, and the program never runs with ours.
//!   Only a SIGCONT ends the group-stop (a terminal sends one too, when it is hung up). Should one come while we work
//!   and we be killed before all is put back, or after that and before the next one comes, the program is lost.
//! - All is put back in the same kind of stop in which it was read, a `PTRACE_EVENT_STOP`, which is within
//!   the kernel's handling of signals. On the way out from there the kernel looks at the registers and decides
//!   how the interrupted call goes on (signal(7), "Interruption of system calls"): -ERESTARTSYS, -ERESTARTNOINTR and
//!   -ERESTARTNOHAND start it again if there is no signal to handle, `-ERESTART_RESTARTBLOCK` calls
//!   `restart_syscall(2)`, which knows how much of a sleep is left. None of the calls made here
//!   (mmap, munmap, socketpair, recvmsg, dup3, close, `rt_sigaction`) touches that restart block. Leaving from the
//!   stop of a system call instead would hand -ERESTARTSYS to the program.
//! - While it executes for us the thread blocks all signals (`PTRACE_SETSIGMASK`): they wait, none is lost, and a
//!   call such as `ppoll` that has a mask for its own time gets that again when it is restarted.
//! - Floating point and vector registers, the stack and all memory of the program are left alone.
//!
//! Invariant: between [`Seized::seize`] and [`Seized::put_back`] the thread executes nothing but the system call
//! instruction that it is pointed to.

#[cfg(target_arch = "aarch64")]
#[path = "ptrace/aarch64.rs"]
mod arch;
#[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
#[path = "ptrace/other.rs"]
mod arch;
#[cfg(target_arch = "x86_64")]
#[path = "ptrace/x86_64.rs"]
mod arch;

use std::ffi::c_void;
use std::io;
use std::ptr;

use arch::COUNT;

/// Whether any of this works on this machine.
pub const IS_SUPPORTED: bool = cfg!(any(target_arch = "aarch64", target_arch = "x86_64"));

/// The bytes of the instruction that makes a system call; on aarch64 they are aligned to their size.
pub const INSTRUCTION: &[u8] = arch::INSTRUCTION;

/// All signals that can be blocked: not SIGKILL (9) and SIGSTOP (19).
const ALL_SIGNALS: u64 = !(1 << 8 | 1 << 18);

/// The bytes of the kernel's set of signals.
const SET_SIZE: usize = 8;

/// Added to SIGTRAP in the stop of a system call (`PTRACE_O_TRACESYSGOOD`).
const CALL: i32 = libc::SIGTRAP | 0x80;

const NT_PRSTATUS: libc::c_int = 1;

/// `PTRACE_GETSIGMASK`, `PTRACE_SETSIGMASK` and `PTRACE_EVENT_STOP` of `<linux/ptrace.h>`, Linux 3.11 and 3.4.
const GET_MASK: Request = 0x420a;
const SET_MASK: Request = 0x420b;
const EVENT_STOP: i32 = 128;

/// `PTRACE_GET_RSEQ_CONFIGURATION` and its `struct ptrace_rseq_configuration`.
const GET_RSEQ_AREA: Request = 0x420f;

#[repr(C)]
#[derive(Default)]
struct RseqArea {
    address: u64,
    /// Size, signature, flags, padding.
    rest: [u32; 4],
}

/// What has to be put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// In the order of the kernel's `NT_PRSTATUS`.
    pub registers: Vec<u64>,
    /// The blocked signals, one bit each.
    pub mask: u64,
}

/// A thread that is stopped, and traced by this thread.
#[derive(Debug)]
pub struct Seized {
    thread: i32,
    own: [u64; COUNT],
    own_mask: u64,
}

/// Why a traced thread has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// Before or after a system call.
    Call,
    /// It was interrupted, or its process is stopped.
    Event,
    /// Before this signal reaches it.
    Signal(i32),
}

impl Seized {
    /// Takes hold of a thread and notes what it was doing. On an error it is as it was.
    pub fn seize(thread: i32) -> io::Result<Self> {
        let options = ptr::without_provenance_mut(libc::PTRACE_O_TRACESYSGOOD.cast_unsigned() as usize);
        request(libc::PTRACE_SEIZE, thread, ptr::null_mut(), options)?;
        let mut seized = Self { thread, own: [0; COUNT], own_mask: 0 };
        match seized.look() {
            Ok(()) => Ok(seized),
            Err(error) => {
                let _ = seized.detach();
                Err(error)
            }
        }
    }

    fn look(&mut self) -> io::Result<()> {
        request(libc::PTRACE_INTERRUPT, self.thread, ptr::null_mut(), ptr::null_mut())?;
        self.until_event()?;
        let registers = self.registers()?;
        if !arch::is_native(&registers) {
            return Err(io::Error::from_raw_os_error(libc::ENOEXEC));
        }
        self.own_mask = self.mask()?;
        self.own = arch::undisturbed(self, registers)?;
        Ok(())
    }

    /// How it was.
    pub fn state(&self) -> State {
        State { registers: self.own.to_vec(), mask: self.own_mask }
    }

    /// Its number.
    pub fn id(&self) -> i32 {
        self.thread
    }

    /// Somebody before us was killed over this thread, who had noted that it was like this. If it still
    /// stands where he left it, at `instruction`, that is how it will be put back. Says whether it does.
    pub fn inherit(&mut self, state: &State, instruction: u64) -> bool {
        let Ok(registers) = <[u64; COUNT]>::try_from(state.registers.as_slice()) else { return false };
        if self.own_mask == ALL_SIGNALS {
            self.own_mask = state.mask;
        }
        let places = [instruction, instruction + INSTRUCTION.len() as u64];
        let is_left_there = places.contains(&arch::place(&self.own));
        if is_left_there {
            self.own = registers;
        }
        is_left_there
    }

    /// Where it has told the kernel to look for restartable sequences, if it has (Linux 5.13).
    pub fn rseq_area(&self) -> Option<u64> {
        let mut area = RseqArea::default();
        let size = ptr::without_provenance_mut(size_of::<RseqArea>());
        request(GET_RSEQ_AREA, self.thread, size, (&raw mut area).cast()).ok()?;
        Some(area.address).filter(|&address| address != 0)
    }

    /// Where it was.
    pub fn place(&self) -> u64 {
        arch::place(&self.own)
    }

    /// Puts it elsewhere for the time after us.
    pub fn set_place(&mut self, place: u64) {
        arch::set_place(&mut self.own, place);
    }

    /// Makes it execute a system call with the instruction at this address.
    pub fn call(&self, instruction: u64, number: libc::c_long, arguments: [u64; 6]) -> io::Result<u64> {
        self.set_mask(ALL_SIGNALS)?;
        self.set_registers(arch::calling(&self.own, instruction, number, arguments))?;
        self.until_call()?;
        self.until_call()?;
        match arch::result(&self.registers()?) {
            // errno(3): the kernel gives it back negative, and there are less than 4096 of them.
            error @ -4095..=-1 => Err(io::Error::from_raw_os_error(i32::try_from(-error).unwrap_or(libc::EIO))),
            value => Ok(value.cast_unsigned()),
        }
    }

    /// Puts everything back and lets it go: into the group-stop, if its process is in one.
    pub fn put_back(&self) -> io::Result<()> {
        self.park()?;
        self.set_mask(self.own_mask)?;
        self.set_registers(self.own)?;
        self.detach()
    }

    /// Brings it from the stop of a system call into one from which it can be let go.
    fn park(&self) -> io::Result<()> {
        request(libc::PTRACE_INTERRUPT, self.thread, ptr::null_mut(), ptr::null_mut())?;
        self.resume(libc::PTRACE_CONT)?;
        self.until_event()
    }

    fn detach(&self) -> io::Result<()> {
        request(libc::PTRACE_DETACH, self.thread, ptr::null_mut(), ptr::null_mut())
    }

    /// Any signal that is not ours to hold back is held back all the same: only SIGSTOP can come, and its
    /// process is stopped already.
    fn until_event(&self) -> io::Result<()> {
        while self.wait()? != Stop::Event {
            self.resume(libc::PTRACE_CONT)?;
        }
        Ok(())
    }

    /// Lets it go on to the beginning or the end of a system call.
    fn until_call(&self) -> io::Result<()> {
        loop {
            self.resume(libc::PTRACE_SYSCALL)?;
            match self.wait()? {
                Stop::Call => return Ok(()),
                Stop::Event | Stop::Signal(libc::SIGSTOP) => {}
                // Only a fault comes through the mask: there is no such instruction there.
                Stop::Signal(_) => return Err(io::Error::from_raw_os_error(libc::EFAULT)),
            }
        }
    }

    fn wait(&self) -> io::Result<Stop> {
        let mut status = 0;
        loop {
            // SAFETY: the status is a live variable. __WALL waits also for threads (wait(2)).
            if unsafe { libc::waitpid(self.thread, &raw mut status, libc::__WALL) } >= 0 {
                break;
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        if !libc::WIFSTOPPED(status) {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        Ok(match (status >> 16, libc::WSTOPSIG(status)) {
            (EVENT_STOP, _) => Stop::Event,
            (_, CALL) => Stop::Call,
            (_, signal) => Stop::Signal(signal),
        })
    }

    fn resume(&self, how: Request) -> io::Result<()> {
        request(how, self.thread, ptr::null_mut(), ptr::null_mut())
    }

    fn registers(&self) -> io::Result<[u64; COUNT]> {
        let mut registers = [0; COUNT];
        let length = self.regset(libc::PTRACE_GETREGSET, NT_PRSTATUS, &mut registers)?;
        // A 32-bit thread has other, smaller ones.
        if length == size_of_val(&registers) { Ok(registers) } else { Err(io::Error::from_raw_os_error(libc::ENOEXEC)) }
    }

    fn set_registers(&self, mut registers: [u64; COUNT]) -> io::Result<()> {
        self.set_regset(NT_PRSTATUS, &mut registers)
    }

    fn set_regset<T: Copy>(&self, set: libc::c_int, values: &mut T) -> io::Result<()> {
        self.regset(libc::PTRACE_SETREGSET, set, values).map(drop)
    }

    /// Reads or writes a set of registers; how many bytes that were.
    fn regset<T: Copy>(&self, how: Request, set: libc::c_int, values: &mut T) -> io::Result<usize> {
        let mut vector = libc::iovec { iov_base: ptr::from_mut(values).cast(), iov_len: size_of::<T>() };
        let set = ptr::without_provenance_mut(usize::try_from(set).unwrap_or_default());
        request(how, self.thread, set, (&raw mut vector).cast())?;
        Ok(vector.iov_len)
    }

    fn mask(&self) -> io::Result<u64> {
        let mut mask = 0_u64;
        let size = ptr::without_provenance_mut(SET_SIZE);
        request(GET_MASK, self.thread, size, (&raw mut mask).cast())?;
        Ok(mask)
    }

    fn set_mask(&self, mut mask: u64) -> io::Result<()> {
        let size = ptr::without_provenance_mut(SET_SIZE);
        request(SET_MASK, self.thread, size, (&raw mut mask).cast())
    }

    #[cfg(target_arch = "aarch64")]
    fn read_word(&self, address: u64) -> io::Result<u64> {
        use std::os::unix::fs::FileExt;
        let mut word = [0; 8];
        std::fs::File::open(format!("/proc/{}/mem", self.thread))?.read_exact_at(&mut word, address)?;
        Ok(u64::from_le_bytes(word))
    }
}

/// The first argument of ptrace(2), which the C libraries type differently.
#[cfg(target_env = "gnu")]
type Request = libc::c_uint;
#[cfg(not(target_env = "gnu"))]
type Request = libc::c_int;

fn request(what: Request, thread: i32, address: *mut c_void, data: *mut c_void) -> io::Result<()> {
    // SAFETY: each request used here reads or writes, in our memory, only what `data` points to: a live
    // iovec with its length, eight bytes for a set of signals, or a structure whose size is told in
    // `address`; the others take numbers or nothing.
    // What it does to the other process is the subject of this file.
    if unsafe { libc::ptrace(what, thread, address, data) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
