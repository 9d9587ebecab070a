//! Decisions that look random: of a seed, or of a fuzzer's input.

pub struct Random<'a> {
    state: u64,
    /// Decisions that are taken first; then those of the state follow.
    choices: std::slice::Iter<'a, u8>,
}

impl<'a> Random<'a> {
    pub fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            choices: [].iter(),
        }
    }

    /// A byte decides one thing.
    pub fn of_choices(choices: &'a [u8]) -> Self {
        Self {
            choices: choices.iter(),
            ..Self::new(1)
        }
    }

    pub fn number(&mut self) -> u64 {
        if let Some(choice) = self.choices.next() {
            self.state ^= u64::from(*choice) << 32;
            return (u64::from(*choice) << 33) | self.state >> 32;
        }
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.number() >> 33) as usize % bound
    }

    pub fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// A number of the kind that finds mistakes.
    pub fn interesting(&mut self) -> i32 {
        let any = self.number() as i32;
        self.of(&[
            0,
            1,
            -1,
            2,
            31,
            32,
            63,
            64,
            i32::MIN,
            i32::MAX,
            255,
            any,
            any,
        ])
    }
}
