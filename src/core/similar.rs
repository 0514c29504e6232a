//! What somebody may have meant who typed something that does not exist.

use strsim::osa_distance;

/// More than so many suggestions are a list to read, and there is one already.
const MOST: usize = 3;

/// Shorter than this nearly everything begins with it.
const SHORTEST_BEGINNING: usize = 2;

/// The likeliest of these names, the best first; none if none is like it.
pub fn similar<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let typed = without_run(typed).to_lowercase();
    let scored = names.into_iter().filter_map(|name| Some((score(&typed, &name.to_lowercase())?, name)));
    let mut scored: Vec<(usize, &str)> = scored.collect();
    scored.sort_unstable();
    let best = scored.first().map_or(0, |(score, _)| *score);
    scored.into_iter().take_while(|(score, _)| *score <= best + 1).take(MOST).map(|(_, name)| name).collect()
}

/// A list shows `train@2` for the second run of `train`.
fn without_run(typed: &str) -> &str {
    typed.split_once('@').map_or(typed, |(name, _)| name)
}

/// How far apart they are: letters that were changed, left out, added or swapped. A beginning of
/// the name is as good as one wrong letter. `None` if they have nothing to do with each other.
fn score(typed: &str, name: &str) -> Option<usize> {
    let length = typed.chars().count();
    if length >= SHORTEST_BEGINNING && name.starts_with(typed) {
        return Some(usize::from(name != typed));
    }
    let distance = osa_distance(typed, name);
    (distance <= (length / 3).max(1) && distance < length).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::similar;

    #[test]
    fn slips_of_the_finger_are_recognised() {
        let names = ["train", "evaluate", "web-1", "web-2", "web-3", "web-4", "訓練", "hap-23i0lo", "a"];
        let cases: [(&str, &[&str]); 16] = [
            ("trian", &["train"]),
            ("tran", &["train"]),
            ("Train", &["train"]),
            ("trainn", &["train"]),
            ("train@2", &["train"]),
            ("eval", &["evaluate"]),
            ("evlauate", &["evaluate"]),
            ("web", &["web-1", "web-2", "web-3"]),
            ("web-11", &["web-1", "web-2", "web-3"]),
            ("訓", &[]),
            ("訓連", &["訓練"]),
            ("hap-23i0l0", &["hap-23i0lo"]),
            ("b", &[]),
            ("", &[]),
            ("sleep", &[]),
            ("12", &[]),
        ];
        for (typed, expected) in cases {
            assert_eq!(similar(typed, names), expected, "{typed:?}");
        }
    }
}
