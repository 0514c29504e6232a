//! Numbers that nobody else has, for names. No secret hangs on them.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rustix::rand::{GetRandomFlags, getrandom};

/// A number, or an array of them. Asks the kernel once (getrandom(2)), which has no file to be opened.
pub fn random<T>() -> T
where
    rand::distr::StandardUniform: rand::distr::Distribution<T>,
{
    let mut seed = [0; 32];
    let filled = getrandom(&mut seed, GetRandomFlags::empty());
    debug_assert_eq!(filled, Ok(seed.len()), "so few bytes come at once, and always once the system is up");
    SmallRng::from_seed(seed).random()
}

#[cfg(test)]
mod tests {
    use super::random;

    #[test]
    fn no_two_are_the_same() {
        assert_ne!(random::<u64>(), random::<u64>());
        assert_ne!(random::<[u8; 32]>(), random::<[u8; 32]>());
    }
}
