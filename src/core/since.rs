//! A point in the past as people name it: `10m`, `2h`, `14:30`, `2025-11-23 14:30`, RFC 3339.

use jiff::civil::{Date, DateTime, Time};
use jiff::{Span, Timestamp, ToSpan, Zoned};

/// Which moment is meant, in nanoseconds since 1970-01-01 UTC; `None` if this is no time. What names
/// no zone is meant in that of `now`; a time of day is the last one that has passed.
pub fn parse(text: &str, now: &Zoned) -> Option<i64> {
    let moment = ago(text, now).or_else(|| instant(text)).or_else(|| local(text, now))?;
    i64::try_from(moment.as_nanosecond()).ok()
}

fn ago(text: &str, now: &Zoned) -> Option<Timestamp> {
    // Of `14:30:15` jiff makes a span as well.
    let span: Span = text.parse().ok().filter(|_| !text.contains(':'))?;
    // `-10m` and `10m ago` are what others write for the same.
    now.checked_sub(span.abs()).ok().map(|moment| moment.timestamp())
}

fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn local(text: &str, now: &Zoned) -> Option<Timestamp> {
    let zone = now.time_zone().clone();
    let civil: DateTime = match (text.parse::<Time>(), text.parse::<Date>()) {
        (Ok(time), _) if text.contains(':') && !text.contains('-') => return last(time, now),
        (_, Ok(date)) if text.len() <= "2025-11-23".len() => date.to_datetime(Time::midnight()),
        _ => text.parse().ok()?,
    };
    civil.to_zoned(zone).ok().map(|moment| moment.timestamp())
}

/// Today, or yesterday if it is still to come.
fn last(time: Time, now: &Zoned) -> Option<Timestamp> {
    let today = now.with().time(time).build().ok()?;
    let moment = if today > *now { today.checked_sub(1.day()).ok()? } else { today };
    Some(moment.timestamp())
}

#[cfg(test)]
mod tests {
    use super::parse;
    use jiff::Zoned;

    fn at(text: &str) -> Option<String> {
        let now: Zoned = "2025-11-23T15:00:00+01:00[+01:00]".parse().expect("a time");
        let moment = parse(text, &now)?;
        Some(jiff::Timestamp::from_nanosecond(i128::from(moment)).expect("in range").to_string())
    }

    #[test]
    fn a_time_may_be_so_long_ago_or_by_the_clock() {
        let cases = [
            ("10m", "2025-11-23T13:50:00Z"),
            ("2h", "2025-11-23T12:00:00Z"),
            ("90s", "2025-11-23T13:58:30Z"),
            ("1h30m", "2025-11-23T12:30:00Z"),
            ("1d", "2025-11-22T14:00:00Z"),
            ("10m ago", "2025-11-23T13:50:00Z"),
            ("14:30", "2025-11-23T13:30:00Z"),
            ("14:30:15", "2025-11-23T13:30:15Z"),
            ("15:30", "2025-11-22T14:30:00Z"),
            ("2025-11-22", "2025-11-21T23:00:00Z"),
            ("2025-11-22 14:30", "2025-11-22T13:30:00Z"),
            ("2025-11-22T14:30:00Z", "2025-11-22T14:30:00Z"),
            ("2025-11-22T14:30:00.5+05:30", "2025-11-22T09:00:00.5Z"),
        ];
        for (text, moment) in cases {
            assert_eq!(at(text).as_deref(), Some(moment), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "x", "10", "25:00", "2025-13-01", "10 apples", "--", "99999999999y"] {
            assert_eq!(at(text), None, "{text:?}");
        }
    }
}
