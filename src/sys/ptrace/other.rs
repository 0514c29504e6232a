//! A machine for whose registers nothing was written: nobody gets as far as here, see `IS_SUPPORTED`.

use std::io;

use super::Seized;

/// How many there are.
pub(super) const COUNT: usize = 1;

/// No instruction.
pub(super) const INSTRUCTION: &[u8] = &[];

/// No thread executes what we know.
pub(super) fn is_native(_: &[u64; COUNT]) -> bool {
    false
}

/// Where the thread is.
pub(super) fn place(registers: &[u64; COUNT]) -> u64 {
    registers[0]
}

/// Moves the thread.
pub(super) fn set_place(registers: &mut [u64; COUNT], place: u64) {
    registers[0] = place;
}

/// No call.
pub(super) fn calling(registers: &[u64; COUNT], _: u64, _: i64, _: [u64; 6]) -> [u64; COUNT] {
    *registers
}

/// No result.
pub(super) fn result(_: &[u64; COUNT]) -> i64 {
    -i64::from(libc::ENOSYS)
}

/// Nothing is known.
pub(super) fn undisturbed(_: &Seized, _: [u64; COUNT]) -> io::Result<[u64; COUNT]> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}
