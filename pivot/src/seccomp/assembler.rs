//! Programs for the kernel's packet filter, put together from their end: it only jumps forward, so that whatever an
//! instruction leads to is there before it.

use chain::sys::seccomp::Instruction;

const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const JUMP: u16 = 0x05;
const RETURN: u16 = 0x06;

/// Comparisons of what was loaded with a value: BPF_JMP of linux/bpf_common.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jump {
    /// They are the same.
    Equal = 0x15,
    /// It is the value or more.
    AtLeast = 0x35,
    /// They have a bit in common.
    AnyBit = 0x45,
}

/// Where a jump leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// To the end, with this answer.
    Return(u32),
    /// To an instruction, counted from the end.
    Place(usize),
}

/// The farthest that a comparison jumps, counted from itself: a byte says how many instructions are skipped.
const REACH: usize = u8::MAX as usize + 1;

/// A program under construction.
#[derive(Debug, Default)]
pub struct Assembler {
    reversed: Vec<Instruction>,
    returns: Vec<(u32, usize)>,
}

impl Assembler {
    /// Begins before `rest`, which [`Assembler::start`] then leads to.
    pub fn before(rest: &[Instruction]) -> Self {
        Assembler { reversed: rest.iter().rev().copied().collect(), returns: Vec::new() }
    }

    /// What has been put together so far.
    pub fn start(&self) -> Target {
        Target::Place(self.reversed.len() - 1)
    }

    /// Loads the 32 bits at `offset` of struct seccomp_data, and goes on at `next`.
    pub fn load(&mut self, offset: u32, next: Target) -> Target {
        self.step(LOAD, offset, next)
    }

    /// Clears all bits of what was loaded but those of `mask`, and goes on at `next`.
    pub fn and(&mut self, mask: u32, next: Target) -> Target {
        self.step(AND, mask, next)
    }

    fn step(&mut self, code: u16, value: u32, next: Target) -> Target {
        if next != Target::Place(self.reversed.len().wrapping_sub(1)) {
            self.bring(next);
        }
        self.push(code, 0, 0, value)
    }

    /// Compares what was loaded with `value`.
    pub fn compare(&mut self, jump: Jump, value: u32, yes: Target, no: Target) -> Target {
        if yes == no {
            return yes;
        }
        // Something may have to be put in between for the other.
        let yes = self.near(yes, REACH - 1);
        let no = self.near(no, REACH);
        let next = self.reversed.len() - 1;
        self.push(jump as u16, (next - yes) as u8, (next - no) as u8, value)
    }

    /// The program.
    pub fn finish(mut self) -> Vec<Instruction> {
        self.reversed.reverse();
        self.reversed
    }

    /// A place at most `reach` away that leads to the target.
    fn near(&mut self, target: Target, reach: usize) -> usize {
        let reachable = |place: &usize| self.reversed.len() - place <= reach;
        let place = match target {
            Target::Place(place) => Some(place),
            Target::Return(value) => {
                self.returns.iter().find(|(other, _)| *other == value).map(|(_, place)| *place)
            }
        };
        place.filter(reachable).unwrap_or_else(|| self.bring(target))
    }

    /// An instruction of its own that leads to the target.
    fn bring(&mut self, target: Target) -> usize {
        let here = self.reversed.len();
        match target {
            Target::Place(place) => {
                self.push(JUMP, 0, 0, (here - 1 - place) as u32);
            }
            Target::Return(value) => {
                self.returns.retain(|(other, _)| *other != value);
                self.returns.push((value, here));
                self.push(RETURN, 0, 0, value);
            }
        }
        here
    }

    fn push(&mut self, code: u16, yes: u8, no: u8, value: u32) -> Target {
        self.reversed.push(Instruction { code, yes, no, value });
        self.start()
    }
}
