//! How much room something takes, for people.

/// At most four characters, in powers of 1024 as `ls -h` has them: `0`, `980B`, `4.0K`, `12M`, `1.5G`.
pub fn short(bytes: u64) -> String {
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
    use super::short;

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
            assert_eq!(short(bytes), text, "{bytes}");
        }
    }
}
