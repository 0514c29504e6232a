//! How long something took, for people.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The two largest units that matter: `0.3s`, `42s`, `3m 05s`, `2h 07m`, `12d 04h`.
pub fn short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{}.{}s", seconds, duration.subsec_millis() / 100),
        10..MINUTE => format!("{seconds}s"),
        MINUTE..HOUR => format!("{}m {:02}s", seconds / MINUTE, seconds % MINUTE),
        HOUR..DAY => format!("{}h {:02}m", seconds / HOUR, seconds % HOUR / MINUTE),
        DAY.. => format!("{}d {:02}h", seconds / DAY, seconds % DAY / HOUR),
    }
}

#[cfg(test)]
mod tests {
    use super::short;
    use std::time::Duration;

    #[test]
    fn each_range_has_its_two_units() {
        let cases = [
            (0.0, "0.0s"),
            (0.39, "0.3s"),
            (9.99, "9.9s"),
            (10.0, "10s"),
            (59.9, "59s"),
            (60.0, "1m 00s"),
            (3599.0, "59m 59s"),
            (3600.0, "1h 00m"),
            (86399.0, "23h 59m"),
            (86400.0, "1d 00h"),
            (86400.0 * 400.0, "400d 00h"),
        ];
        for (seconds, text) in cases {
            assert_eq!(short(Duration::from_secs_f64(seconds)), text);
        }
    }
}
