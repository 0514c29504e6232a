//! The registers of aarch64: `struct user_pt_regs` of `<asm/ptrace.h>`, the kernel's `NT_PRSTATUS`.
//!
//! The system call ABI: number in x8, arguments in x0 to x5, result in x0 (syscall(2)). Unlike on x86-64
//! an interrupted call is prepared for its restart before the tracer sees the stop (`do_signal` in
//! arch/arm64/kernel/signal.c): pc is at the `svc` again and x0 is the first argument again. Only for
//! ERESTART_RESTARTBLOCK (a sleep that must go on for the rest of its time) x8 becomes
//! `restart_syscall` after the stop, unless the tracer has moved pc, and we will have. So a thread that is
//! before an `svc` is let into its call, where x8 tells which one it is, and the call is skipped there
//! (`NT_ARM_SYSTEM_CALL` -1). x7 is not the thread's own in such a stop and is not taken from there.

use std::io;

use super::Seized;

/// How many there are.
pub(super) const COUNT: usize = 34;

/// The instruction `svc #0`.
pub(super) const INSTRUCTION: &[u8] = &0xd400_0001_u32.to_le_bytes();

const NT_ARM_SYSTEM_CALL: libc::c_int = 0x404;

const X0: usize = 0;
const X8: usize = 8;
const PC: usize = 32;
const PSTATE: usize = 33;

/// `PSR_MODE32_BIT`.
const IS_32_BIT: u64 = 0x10;

/// Whether the thread executes 64-bit code just now.
pub(super) fn is_native(registers: &[u64; COUNT]) -> bool {
    registers[PSTATE] & IS_32_BIT == 0
}

/// Where the thread is.
pub(super) fn place(registers: &[u64; COUNT]) -> u64 {
    registers[PC]
}

/// Moves the thread.
pub(super) fn set_place(registers: &mut [u64; COUNT], place: u64) {
    registers[PC] = place;
}

/// These registers, but about to make a system call at `instruction`.
pub(super) fn calling(registers: &[u64; COUNT], instruction: u64, number: i64, arguments: [u64; 6]) -> [u64; COUNT] {
    let mut registers = *registers;
    registers[PC] = instruction;
    registers[X8] = number.cast_unsigned();
    registers[X0..X0 + arguments.len()].copy_from_slice(&arguments);
    registers
}

/// What the call gave back.
pub(super) fn result(registers: &[u64; COUNT]) -> i64 {
    registers[X0].cast_signed()
}

/// The registers with which the thread goes on as if nothing had happened.
pub(super) fn undisturbed(thread: &Seized, mut registers: [u64; COUNT]) -> io::Result<[u64; COUNT]> {
    if thread.read_word(registers[PC])?.to_le_bytes()[..4] == *INSTRUCTION {
        thread.until_call()?;
        registers[X8] = thread.registers()?[X8];
        thread.set_regset(NT_ARM_SYSTEM_CALL, &mut (-1_i32))?;
        thread.until_call()?;
        thread.park()?;
    }
    Ok(registers)
}
