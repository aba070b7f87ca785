//! Messages that are damaged in the same way in every run.

use std::env;

/// A sequence of random numbers, determined by a seed.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        u8::try_from(self.next() & 0xff).unwrap()
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// How many cases a fuzz test runs: `usual`, or as many times that as the environment variable `FUZZ_FACTOR` says.
pub(crate) fn cases(usual: u64) -> u64 {
    usual * env::var("FUZZ_FACTOR").map_or(1, |factor| factor.parse().expect("FUZZ_FACTOR is a whole number"))
}

/// Heads of values that are missing: lengths of up to 4 GiB, reserved codes, the beginnings of deep nests, JSON's own brackets.
const HEADS: [&[u8]; 20] = [
    &[0xdd, 0xff, 0xff, 0xff, 0xff],
    &[0xdf, 0xff, 0xff, 0xff, 0xff],
    &[0xdb, 0xff, 0xff, 0xff, 0xff],
    &[0xc6, 0xff, 0xff, 0xff, 0xff],
    &[0xc9, 0xff, 0xff, 0xff, 0xff, 0x0c],
    &[0xdc, 0xff, 0xff],
    &[0xde, 0xff, 0xff],
    &[0xc1],
    &[0xc0],
    &[0xd4, 0x00, 0x00],
    &[0xc7, 0x00, 0x0c],
    &[0x91, 0x91, 0x91, 0x91],
    &[0x81, 0x81, 0x81, 0x81],
    &[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
    &[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    b"[[[[",
    b"{\"\":{\"\":",
    b"1e99999999999999999999",
    b"\"\\ud800\"",
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
];

/// Changes a message in one to four places; sometimes it is only noise.
pub(crate) fn mutate(message: &[u8], dice: &mut Dice) -> Vec<u8> {
    if dice.below(50) == 0 {
        return (0..dice.below(64)).map(|_| dice.byte()).collect();
    }
    let mut mutated = message.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(mutated.len() + 1);
        let end = at + dice.below(mutated.len() - at + 1).min(8);
        match dice.below(7) {
            0 => mutated.truncate(at),
            1 if at < mutated.len() => mutated[at] = dice.byte(),
            2 if at < mutated.len() => mutated[at] ^= 1 << dice.below(8),
            3 => drop(mutated.splice(at..end, HEADS[dice.below(HEADS.len())].iter().copied())),
            4 => drop(mutated.drain(at..end)),
            5 => {
                let again = mutated[at..end].to_vec();
                drop(mutated.splice(at..at, again));
            }
            _ => mutated.insert(at, dice.byte()),
        }
    }
    mutated
}
