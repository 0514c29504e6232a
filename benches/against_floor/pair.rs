//! Two things measured in turn, so that both meet the same machine.

const WARM_UP: usize = 3;

/// What came of measuring two things in turn.
pub struct Pair {
    pub yardstick: Times,
    pub hap: Times,
    /// The median of the ratios of the pairs.
    pub ratio: f64,
}

/// The same thing measured many times.
pub struct Times {
    pub median: f64,
    /// What it costs when nothing else is going on.
    pub least: f64,
}

impl Pair {
    /// Measures both so many times, the one that goes first changing each time.
    pub fn measure(times: usize, mut yardstick: impl FnMut() -> f64, mut hap: impl FnMut() -> f64) -> Self {
        let mut pairs = Vec::new();
        for turn in 0..times + WARM_UP {
            let pair = if turn % 2 == 0 {
                let first = yardstick();
                (first, hap())
            } else {
                let first = hap();
                (yardstick(), first)
            };
            if turn >= WARM_UP {
                pairs.push(pair);
            }
        }
        let ratio = Times::of(pairs.iter().map(|(yardstick, hap)| hap / yardstick)).median;
        let yardstick = Times::of(pairs.iter().map(|pair| pair.0));
        Self { yardstick, hap: Times::of(pairs.iter().map(|pair| pair.1)), ratio }
    }
}

impl Times {
    fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        Self { median: figures[figures.len() / 2], least: figures[0] }
    }
}
