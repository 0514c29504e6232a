//! The registers of x86-64: `struct user_regs_struct` of `<sys/user.h>`, the kernel's `NT_PRSTATUS`.
//!
//! The system call ABI: number in rax, arguments in rdi, rsi, rdx, r10, r8, r9, result in rax; rcx and
//! r11 are lost (syscall(2)). What the kernel knows of an interrupted call is in these registers too:
//! `orig_rax` is its number and rax the reason (-ERESTART...). The decision whether it is restarted or
//! ends with EINTR falls on the way back to the program (`arch_do_signal_or_restart`), after the stop in
//! which the tracer sets registers. So whoever puts all of them back leaves that decision to the kernel.
//!
//! One thing is done better than the kernel does it after a stop: a call of `epoll_wait` without a time limit ends
//! with EINTR although no handler has run (signal(7), "Interruption of system calls and library functions by
//! stop signals"). It gets -ERESTARTNOHAND instead: started again, unless there is a handler to run.
//!
//! An `orig_rax` of -1 says that there is nothing to restart.

use std::io;

use super::Seized;

/// How many there are.
pub(super) const COUNT: usize = 27;

/// The `syscall` instruction.
pub(super) const INSTRUCTION: &[u8] = &[0x0f, 0x05];

const R10: usize = 7;
const R9: usize = 8;
const R8: usize = 9;
const RAX: usize = 10;
const RDX: usize = 12;
const RSI: usize = 13;
const RDI: usize = 14;
const ORIG_RAX: usize = 15;
const RIP: usize = 16;
const CS: usize = 17;

/// The code segment of 64-bit programs (`__USER_CS`).
const CS_64_BIT: u64 = 0x33;

const LOWER_HALF: u64 = 0xffff_ffff;

/// -ERESTARTNOHAND of the kernel's `<linux/errno.h>`.
const RESTART_WITHOUT_HANDLER: i64 = -514;

/// Whether the thread executes 64-bit code just now.
pub(super) fn is_native(registers: &[u64; COUNT]) -> bool {
    registers[CS] == CS_64_BIT
}

/// Where the thread is.
pub(super) fn place(registers: &[u64; COUNT]) -> u64 {
    registers[RIP]
}

/// Moves the thread.
pub(super) fn set_place(registers: &mut [u64; COUNT], place: u64) {
    registers[RIP] = place;
}

/// These registers, but about to make a system call at `instruction`.
pub(super) fn calling(registers: &[u64; COUNT], instruction: u64, number: i64, arguments: [u64; 6]) -> [u64; COUNT] {
    let mut registers = *registers;
    registers[RIP] = instruction;
    registers[RAX] = number.cast_unsigned();
    registers[ORIG_RAX] = u64::MAX;
    for (register, argument) in [RDI, RSI, RDX, R10, R8, R9].into_iter().zip(arguments) {
        registers[register] = argument;
    }
    registers
}

/// What the call gave back.
pub(super) fn result(registers: &[u64; COUNT]) -> i64 {
    registers[RAX].cast_signed()
}

/// The registers with which the thread goes on as if nothing had happened: those of its first stop.
#[allow(clippy::unnecessary_wraps)] // other architectures have to look closer
pub(super) fn undisturbed(_: &Seized, mut registers: [u64; COUNT]) -> io::Result<[u64; COUNT]> {
    let is_epoll = [libc::SYS_epoll_wait, libc::SYS_epoll_pwait].contains(&registers[ORIG_RAX].cast_signed());
    // The limit is an int: the upper half of the register is anything.
    let is_unlimited = registers[R10] & LOWER_HALF == LOWER_HALF;
    if is_epoll && is_unlimited && result(&registers) == -i64::from(libc::EINTR) {
        registers[RAX] = RESTART_WITHOUT_HANDLER.cast_unsigned();
    }
    Ok(registers)
}
