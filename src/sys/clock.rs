//! What time it is, and waiting for it.

use std::thread;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::core::record::Moment;

/// Now, on the wall clock and on the one that is never set back.
pub fn now() -> Moment {
    let boot_ns = nanoseconds(clock_gettime(ClockId::Boottime));
    Moment {
        unix_ns: nanoseconds(clock_gettime(ClockId::Realtime)),
        boot_ns: u64::try_from(boot_ns).expect("the time since boot is positive"),
    }
}

fn nanoseconds(time: Timespec) -> i64 {
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec)
}

/// Waits for a fact that the kernel announces to nobody, looking ever less often.
pub fn wait_until(deadline: Instant, holds: impl Fn() -> bool) -> bool {
    let mut pause = Duration::from_micros(50);
    loop {
        if holds() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// A moment by which what the kernel does at once is done.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(1)
}
