//! Choices that nobody has made, and that can be made again.

use std::thread::sleep;
use std::time::Duration;

/// Numbers that are the same again with `CHAIN_TESTS_SEED`: xorshift64.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Prints its seed.
    pub fn new() -> Self {
        let given = std::env::var("CHAIN_TESTS_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| u64::from(std::process::id()) << 20 | 1);
        println!("CHAIN_TESTS_SEED={seed}");
        Random(seed)
    }

    /// Another row of numbers, for the thread of this number.
    pub fn of_thread(&self, number: u64) -> Self {
        Random(self.0 + number)
    }

    /// One from 0 to `limit`, without that.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    /// One of the table.
    pub fn pick<T: Copy>(&mut self, table: &[T]) -> T {
        table[self.below(table.len() as u64) as usize]
    }

    /// Not to wait for something, but to hit a moment that nobody has chosen: up to so many microseconds.
    pub fn pause(&mut self, most: u64) {
        sleep(Duration::from_micros(self.below(most)));
    }
}

impl Default for Random {
    fn default() -> Self {
        Random::new()
    }
}
