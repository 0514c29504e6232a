//! The address space of another program: `/proc/PID/maps` and `/proc/PID/mem` (`proc_pid_maps(5)`).

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use crate::sys::ptrace::INSTRUCTION;

/// The largest page of any machine that we know: what is aligned to it is aligned everywhere.
const ALIGNMENT: u64 = 64 << 10;

/// Read from code at once.
const BLOCK: usize = 64 << 10;

/// One line of the maps.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mapping {
    start: u64,
    end: u64,
    is_executable: bool,
    name: String,
}

/// The memory of a process whose tracer we are.
#[derive(Debug)]
pub struct Space {
    pid: i32,
    memory: File,
}

impl Space {
    /// Of this process.
    pub fn open(pid: i32) -> io::Result<Self> {
        let memory = File::options().read(true).write(true).open(format!("/proc/{pid}/mem"))?;
        Ok(Self { pid, memory })
    }

    /// Copies from there.
    pub fn read<const N: usize>(&self, address: u64) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.memory.read_exact_at(&mut bytes, address)?;
        Ok(bytes)
    }

    /// Copies to there.
    pub fn write(&self, address: u64, bytes: &[u8]) -> io::Result<()> {
        self.memory.write_all_at(bytes, address)
    }

    /// The address of an instruction that makes a system call: in the vDSO, which every program has, else
    /// in its own code.
    pub fn instruction(&self) -> io::Result<u64> {
        let mut code: Vec<Mapping> = self.mappings()?.into_iter().filter(|mapping| mapping.is_executable).collect();
        code.sort_by_key(|mapping| mapping.name != "[vdso]");
        let found = code.iter().find_map(|mapping| self.find_in(mapping));
        found.ok_or_else(|| io::Error::other("there is no system call instruction in its code"))
    }

    fn find_in(&self, mapping: &Mapping) -> Option<u64> {
        let mut block = vec![0; BLOCK];
        let mut start = mapping.start;
        while start < mapping.end {
            let length = block.len().min(usize::try_from(mapping.end - start).ok()?);
            self.memory.read_exact_at(&mut block[..length], start).ok()?;
            if let Some(at) = find_instruction(&block[..length]) {
                return Some(start + at as u64);
            }
            start += length as u64;
        }
        None
    }

    /// The address of a page that is free, far from everything that grows.
    pub fn free_page(&self) -> io::Result<u64> {
        let mappings = self.mappings()?;
        let gaps = mappings.windows(2).map(|pair| (pair[0].end, pair[1].start)).filter(|gap| is_low(gap.1));
        let (start, end) = gaps.max_by_key(|(start, end)| end.saturating_sub(*start)).unwrap_or_default();
        let middle = (start + end.saturating_sub(start) / 2) & !(ALIGNMENT - 1);
        if middle > start { Ok(middle) } else { Err(io::Error::from_raw_os_error(libc::ENOMEM)) }
    }

    /// Whether anything is mapped there.
    pub fn has(&self, address: u64) -> io::Result<bool> {
        Ok(self.mappings()?.iter().any(|mapping| (mapping.start..mapping.end).contains(&address)))
    }

    fn mappings(&self) -> io::Result<Vec<Mapping>> {
        let maps = fs::read(format!("/proc/{}/maps", self.pid))?;
        Ok(String::from_utf8_lossy(&maps).lines().filter_map(parse).collect())
    }
}

/// The upper half belongs to the kernel; its `[vsyscall]` page is shown there on x86-64.
fn is_low(address: u64) -> bool {
    address < 1 << 63
}

fn find_instruction(code: &[u8]) -> Option<usize> {
    // Instructions of four bytes lie at multiples of four; x86 has no order.
    let step = if INSTRUCTION.len() == 4 { 4 } else { 1 };
    (0..code.len()).step_by(step).find(|&at| code[at..].starts_with(INSTRUCTION))
}

fn parse(line: &str) -> Option<Mapping> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let is_executable = fields.next()?.contains('x');
    let name = fields.nth(3).unwrap_or_default().to_owned();
    let address = |text| u64::from_str_radix(text, 16).ok();
    // What the kernel emulates cannot be read.
    Some(Mapping { start: address(start)?, end: address(end)?, is_executable, name })
        .filter(|mapping| mapping.name != "[vsyscall]")
}

#[cfg(test)]
mod tests {
    use super::{Space, find_instruction, parse};
    use crate::sys::ptrace::INSTRUCTION;

    #[test]
    fn a_line_is_read() {
        let mapping = parse("7ffd-8000 r-xp 00000000 00:00 0    [vdso]").expect("parses");
        assert_eq!((mapping.start, mapping.end, mapping.is_executable), (0x7ffd, 0x8000, true));
        assert_eq!(mapping.name, "[vdso]");
        assert_eq!(parse("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]"), None);
        assert_eq!(parse("garbage"), None);
    }

    #[test]
    fn our_own_space_has_an_instruction_and_a_free_page() {
        let own = Space::open(i32::try_from(std::process::id()).expect("fits")).expect("ours");
        let address = own.instruction().expect("there is one");
        assert_eq!(own.read::<16>(address).expect("readable")[..INSTRUCTION.len()], *INSTRUCTION);
        let page = own.free_page().expect("there is one");
        assert!(own.has(address).expect("readable") && !own.has(page).expect("readable"));
    }

    #[test]
    fn an_instruction_is_found_where_it_is() {
        let code = [&[0x90; 8], INSTRUCTION, &[0x90; 4]].concat();
        assert_eq!(find_instruction(&code), Some(8));
        assert_eq!(find_instruction(&code[..8]), None);
    }
}
