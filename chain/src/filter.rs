//! Programs that others made, as an array of struct sock_filter: what bubblewrap, minijail and setpriv take, and
//! libseccomp exports.

use crate::sys::seccomp::Instruction;

/// The kernel accepts no more instructions: BPF_MAXINSNS of linux/bpf_common.h.
pub const LONGEST: usize = 4096;

/// The size of struct sock_filter.
pub const SIZE: usize = 8;

/// The instructions in a file. Errors: what the kernel would only call an invalid argument.
pub fn program(bytes: &[u8]) -> Result<Vec<Instruction>, String> {
    let (chunks, rest) = bytes.as_chunks::<SIZE>();
    match chunks.len() {
        0 if rest.is_empty() => return Err("it is empty".to_owned()),
        _ if !rest.is_empty() => {
            return Err(format!("it is neither JSON nor a row of instructions of {SIZE} bytes"));
        }
        length if length > LONGEST => {
            return Err(format!("it has {length} instructions, the kernel accepts {LONGEST}"));
        }
        _ => {}
    }
    let program: Vec<_> = chunks.iter().map(instruction).collect();
    check(&program)?;
    Ok(program)
}

/// The same instructions as a file has them.
pub fn bytes(program: &[Instruction]) -> Vec<u8> {
    let bytes = |one: &Instruction| {
        let [c0, c1] = one.code.to_ne_bytes();
        let [v0, v1, v2, v3] = one.value.to_ne_bytes();
        [c0, c1, one.yes, one.no, v0, v1, v2, v3]
    };
    program.iter().flat_map(bytes).collect()
}

fn instruction(&[c0, c1, yes, no, v0, v1, v2, v3]: &[u8; SIZE]) -> Instruction {
    Instruction { code: u16::from_ne_bytes([c0, c1]), yes, no, value: u32::from_ne_bytes([v0, v1, v2, v3]) }
}

/// What an instruction's operand must be.
#[derive(Debug, Clone, Copy)]
enum Operand {
    /// Anything.
    Any,
    /// The offset of 32 bits of struct seccomp_data.
    Offset,
    /// One of 16 places for what is kept.
    Slot,
    /// Not 0.
    Divisor,
    /// Less than 32.
    Shift,
    /// How many instructions are skipped.
    Jump,
    /// `yes` and `no` say how many are skipped.
    Branch,
}

/// What a filter of system calls may consist of, with the codes of linux/bpf_common.h: seccomp_check_filter of
/// kernel/seccomp.c and bpf_check_classic of net/core/filter.c.
const INSTRUCTIONS: [(&[u16], Operand); 7] = [
    (
        // Constants, lengths, moves, arithmetic and returns.
        &[
            0x00, 0x01, 0x80, 0x81, 0x07, 0x87, 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x3c, 0x44, 0x4c, 0x54,
            0x5c, 0x6c, 0x7c, 0x84, 0xa4, 0xac, 0x06, 0x16,
        ],
        Operand::Any,
    ),
    (&[0x20], Operand::Offset),
    (&[0x60, 0x61, 0x02, 0x03], Operand::Slot),
    (&[0x34], Operand::Divisor),
    (&[0x64, 0x74], Operand::Shift),
    (&[0x05], Operand::Jump),
    (&[0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d], Operand::Branch),
];

const RETURNS: [u16; 2] = [0x06, 0x16];

/// The size of struct seccomp_data.
const DATA: u32 = 64;

/// Whether the kernel would accept it. Errors: the reason, which instruction first.
pub fn check(program: &[Instruction]) -> Result<(), String> {
    for (place, instruction) in program.iter().enumerate() {
        check_one(instruction, program.len() - place - 1).map_err(|e| format!("instruction {place} {e}"))?;
    }
    let ends = program.last().is_some_and(|last| RETURNS.contains(&last.code));
    if ends { Ok(()) } else { Err("its last instruction is no return".to_owned()) }
}

fn check_one(instruction: &Instruction, left: usize) -> Result<(), String> {
    let Instruction { code, yes, no, value } = *instruction;
    let row = INSTRUCTIONS.iter().find(|(codes, _)| codes.contains(&code));
    let (_, operand) =
        row.ok_or_else(|| format!("has the code {code:#06x}, which no seccomp filter may have"))?;
    let farthest = match operand {
        Operand::Jump => value as usize,
        Operand::Branch => yes.max(no).into(),
        _ => 0,
    };
    match operand {
        Operand::Offset if value >= DATA || value % 4 != 0 => {
            Err(format!("loads from {value}, where nothing begins"))
        }
        Operand::Slot if value >= 16 => Err(format!("uses slot {value} of 16")),
        Operand::Divisor if value == 0 => Err("divides by 0".to_owned()),
        Operand::Shift if value >= 32 => Err(format!("shifts 32 bits by {value}")),
        Operand::Jump | Operand::Branch if farthest >= left => Err("jumps past the end".to_owned()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_read_as_it_was_written() {
        let load = Instruction { code: 0x20, yes: 0, no: 0, value: 4 };
        let allow = Instruction { code: 0x06, yes: 0, no: 0, value: 0x7fff_0000 };
        assert_eq!(program(&bytes(&[load, allow])), Ok(vec![load, allow]));
        assert!(program(&bytes(&[load])).is_err());
        assert!(program(&bytes(&[allow])[1..]).is_err());
    }
}
