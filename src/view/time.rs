//! Points in time, as people and as programs read them.
//!
//! Must not ask which time zone this is: the caller knows. Invariant: the offset is always shown, so
//! a time means the same wherever it is read.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// RFC 3339 with microseconds: `2025-11-23T08:20:01.123456+01:00`.
pub(super) fn rfc3339(unix_ns: i64, zone: &TimeZone) -> String {
    formatted("%Y-%m-%dT%H:%M:%S%.6f%:z", unix_ns, zone)
}

/// For people: `2025-11-23 08:20:01 +01:00`.
pub(super) fn readable(unix_ns: i64, zone: &TimeZone) -> String {
    formatted("%Y-%m-%d %H:%M:%S %:z", unix_ns, zone)
}

/// For the beginning of a line: RFC 3339 with milliseconds, in a column of one width; `-` if nobody knows it.
pub fn of_line(unix_ns: Option<i64>, zone: &TimeZone) -> String {
    let text = unix_ns.map_or_else(|| "-".to_owned(), |unix_ns| formatted("%Y-%m-%dT%H:%M:%S%.3f%:z", unix_ns, zone));
    format!("{text:<29} ")
}

fn formatted(format: &str, unix_ns: i64, zone: &TimeZone) -> String {
    let timestamp = Timestamp::from_nanosecond(i128::from(unix_ns)).expect("64 bits of nanoseconds end in 2262");
    timestamp.to_zoned(zone.clone()).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::{readable, rfc3339};
    use jiff::tz::{Offset, TimeZone};

    #[test]
    fn a_time_is_shown_with_its_offset() {
        let east = TimeZone::fixed(Offset::from_seconds(5 * 3600 + 1800).expect("valid"));
        assert_eq!(rfc3339(1_763_882_401_123_456_789, &east), "2025-11-23T12:50:01.123456+05:30");
        assert_eq!(readable(1_763_882_401_123_456_789, &east), "2025-11-23 12:50:01 +05:30");
        assert_eq!(rfc3339(0, &TimeZone::UTC), "1970-01-01T00:00:00.000000+00:00");
    }

    #[test]
    fn the_first_and_the_last_moment_are_no_exception() {
        assert_eq!(readable(i64::MIN, &TimeZone::UTC), "1677-09-21 00:12:43 +00:00");
        assert_eq!(readable(i64::MAX, &TimeZone::UTC), "2262-04-11 23:47:16 +00:00");
    }
}
