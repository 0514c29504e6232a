//! The table that the benchmark prints, a row at a time.

use std::io::{Write, stdout};

use super::pair::Pair;

/// Prints each row as soon as it is known.
pub struct Table {
    wanted: Vec<String>,
    has_heading: bool,
}

/// What is measured.
#[derive(Clone, Copy)]
pub enum Unit {
    Milliseconds,
    KiB,
    PerSecond,
    Count,
}

impl Table {
    pub fn new(wanted: Vec<String>) -> Self {
        Self { wanted, has_heading: false }
    }

    /// Whether anybody asked for this row.
    pub fn wants(&self, what: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|word| what.contains(word.as_str()))
    }

    /// A row of two figures that were measured once.
    pub fn figures(&mut self, what: &str, yardstick: f64, hap: f64, unit: Unit) {
        self.row([what, &unit.show(yardstick), &unit.show(hap), &format!("{:.2}", hap / yardstick), "", "", ""]);
    }

    /// A row of one figure.
    pub fn figure(&mut self, what: &str, hap: f64, unit: Unit) {
        self.row([what, "", &unit.show(hap), "", "", "", ""]);
    }

    /// A row of times that were measured in pairs, if anybody asked for it.
    pub fn times(&mut self, what: &str, times: usize, yardstick: impl FnMut() -> f64, hap: impl FnMut() -> f64) {
        if self.wants(what) {
            let Pair { yardstick, hap, ratio } = Pair::measure(times, yardstick, hap);
            let show = |figure| Unit::Milliseconds.show(figure);
            let medians = [show(yardstick.median), show(hap.median), format!("{ratio:.2}")];
            let leasts = [show(yardstick.least), show(hap.least), format!("{:.2}", hap.least / yardstick.least)];
            self.row([what, &medians[0], &medians[1], &medians[2], &leasts[0], &leasts[1], &leasts[2]]);
        }
    }

    fn row(&mut self, cells: [&str; 7]) {
        if !self.has_heading {
            println!("| what | yardstick | hap | ratio | yardstick, least | hap, least | ratio of these |");
            println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
            self.has_heading = true;
        }
        println!("| {} |", cells.join(" | "));
        stdout().flush().expect("stdout is open");
    }
}

impl Unit {
    fn show(self, figure: f64) -> String {
        match self {
            Self::Milliseconds if figure < 10.0 => format!("{figure:.3} ms"),
            Self::Milliseconds => format!("{figure:.1} ms"),
            Self::KiB => format!("{figure:.1} KiB"),
            Self::PerSecond => format!("{figure:.0} / s"),
            Self::Count => format!("{figure:.0}"),
        }
    }
}
