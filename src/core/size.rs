//! Amounts of bytes, as people write and read them.

const UNITS: [(char, u64); 4] = [('K', 1 << 10), ('M', 1 << 20), ('G', 1 << 30), ('T', 1 << 40)];

/// Reads `100M`, `1.5G`, `512KiB`, `65536`. A unit is a power of 1024, whatever follows its letter.
pub fn parse(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start().to_ascii_uppercase();
    let factor = match unit.strip_suffix("IB").or(unit.strip_suffix('B')).unwrap_or(&unit) {
        "" => 1,
        letter => UNITS.iter().find(|(name, _)| letter.chars().eq([*name]))?.1,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole = whole.parse::<u64>().ok()?.checked_mul(factor)?;
    whole.checked_add(part_of(factor, fraction)?)
}

/// That many tenths, hundredths and so on of a unit.
fn part_of(unit: u64, fraction: &str) -> Option<u64> {
    if fraction.is_empty() {
        return Some(0);
    }
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let parts = u128::from(fraction.parse::<u64>().ok()?) * u128::from(unit) / u128::from(scale);
    u64::try_from(parts).ok()
}

/// For a sentence: in the largest unit of which there is one: `980 B`, `12.3 MiB`, `4.0 GiB`.
pub fn short(bytes: u64) -> String {
    match UNITS.iter().rev().find(|(_, unit)| bytes >= *unit) {
        None => format!("{bytes} B"),
        Some((letter, unit)) => format!("{}.{} {letter}iB", bytes / unit, bytes % unit / (unit / 10 + 1)),
    }
}

/// For a table: at most four characters, in powers of 1024 as `ls -h` has them: `0`, `980B`, `4.0K`, `12M`,
/// `1.5G`.
pub fn compact(bytes: u64) -> String {
    const UNITS: [char; 6] = ['K', 'M', 'G', 'T', 'P', 'E'];
    if bytes == 0 {
        return "0".to_owned();
    }
    if bytes < 1000 {
        return format!("{bytes}B");
    }
    // What would round to four digits is one of the next unit.
    let exponent = (1..UNITS.len()).find(|&exponent| bytes >> (10 * exponent) < 1000).unwrap_or(UNITS.len());
    let unit = UNITS[exponent - 1];
    let tenths = (u128::from(bytes) * 10) >> (10 * exponent);
    if tenths < 100 { format!("{}.{}{unit}", tenths / 10, tenths % 10) } else { format!("{}{unit}", tenths / 10) }
}

#[cfg(test)]
mod tests {
    use super::{compact, parse, short};

    #[test]
    fn an_amount_may_have_a_unit_and_a_fraction() {
        let cases = [
            ("0", 0),
            ("65536", 65536),
            ("512K", 512 << 10),
            ("100M", 100 << 20),
            ("100MB", 100 << 20),
            ("100 MiB", 100 << 20),
            ("1.5g", 3 << 29),
            ("0.25T", 1 << 38),
            ("7b", 7),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse(text), Some(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "M", "-1", "1.2.3M", "1X", "1KK", "99999999999T", "ten", ".", "1e9", "1.99999999999999999999G"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn each_range_has_its_unit() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            ((1 << 20) - 1, "1023.9 KiB"),
            (12_939_428, "12.3 MiB"),
            (4 << 30, "4.0 GiB"),
            (u64::MAX, "16777215.9 TiB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(short(bytes), text);
        }
    }

    #[test]
    fn every_size_has_at_most_four_characters() {
        const M: u64 = 1 << 20;
        let cases = [
            (0, "0"),
            (1, "1B"),
            (999, "999B"),
            (1000, "0.9K"),
            (4096, "4.0K"),
            (10 * 1024, "10K"),
            (999 * 1024, "999K"),
            (1000 * 1024, "0.9M"),
            (12 * M + M / 2, "12M"),
            (3 * M / 2, "1.5M"),
            (1 << 40, "1.0T"),
            (u64::MAX, "15E"),
        ];
        for (bytes, text) in cases {
            assert_eq!(compact(bytes), text, "{bytes}");
        }
    }
}
