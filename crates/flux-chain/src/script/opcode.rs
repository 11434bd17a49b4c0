//! Operation codes and the names fluxd prints for them (`src/script/script.cpp`, `GetOpName`).

pub const PUSHDATA1: u8 = 0x4c;
pub const PUSHDATA2: u8 = 0x4d;
pub const PUSHDATA4: u8 = 0x4e;
pub const N1: u8 = 0x51;
pub const N16: u8 = 0x60;
pub const RETURN: u8 = 0x6a;
pub const DUP: u8 = 0x76;
pub const EQUAL: u8 = 0x87;
pub const EQUALVERIFY: u8 = 0x88;
pub const HASH160: u8 = 0xa9;
pub const CHECKSIG: u8 = 0xac;
pub const CHECKSIGVERIFY: u8 = 0xad;
pub const CHECKMULTISIG: u8 = 0xae;
pub const CHECKMULTISIGVERIFY: u8 = 0xaf;

/// The number `OP_0` and `OP_1` to `OP_16` stand for.
pub const fn small_number(opcode: u8) -> Option<u8> {
    match opcode {
        0 => Some(0),
        N1..=N16 => Some(opcode - N1 + 1),
        _ => None,
    }
}

/// The operation that stands for a number from 0 to 16.
pub const fn of_small_number(number: u8) -> Option<u8> {
    match number {
        0 => Some(0),
        1..=16 => Some(N1 + number - 1),
        _ => None,
    }
}

/// The name fluxd prints. Numbers print as themselves.
pub fn name(opcode: u8) -> &'static str {
    match opcode {
        0xff => "OP_INVALIDOPCODE",
        0 => "0",
        _ => opcode
            .checked_sub(PUSHDATA1)
            .and_then(|index| NAMES.get(usize::from(index)).copied())
            .unwrap_or("OP_UNKNOWN"),
    }
}

/// Names from `OP_PUSHDATA1` (0x4c) to `OP_NOP10` (0xb9).
const NAMES: [&str; 110] = [
    "OP_PUSHDATA1",
    "OP_PUSHDATA2",
    "OP_PUSHDATA4",
    "-1",
    "OP_RESERVED",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "10",
    "11",
    "12",
    "13",
    "14",
    "15",
    "16",
    "OP_NOP",
    "OP_VER",
    "OP_IF",
    "OP_NOTIF",
    "OP_VERIF",
    "OP_VERNOTIF",
    "OP_ELSE",
    "OP_ENDIF",
    "OP_VERIFY",
    "OP_RETURN",
    "OP_TOALTSTACK",
    "OP_FROMALTSTACK",
    "OP_2DROP",
    "OP_2DUP",
    "OP_3DUP",
    "OP_2OVER",
    "OP_2ROT",
    "OP_2SWAP",
    "OP_IFDUP",
    "OP_DEPTH",
    "OP_DROP",
    "OP_DUP",
    "OP_NIP",
    "OP_OVER",
    "OP_PICK",
    "OP_ROLL",
    "OP_ROT",
    "OP_SWAP",
    "OP_TUCK",
    "OP_CAT",
    "OP_SUBSTR",
    "OP_LEFT",
    "OP_RIGHT",
    "OP_SIZE",
    "OP_INVERT",
    "OP_AND",
    "OP_OR",
    "OP_XOR",
    "OP_EQUAL",
    "OP_EQUALVERIFY",
    "OP_RESERVED1",
    "OP_RESERVED2",
    "OP_1ADD",
    "OP_1SUB",
    "OP_2MUL",
    "OP_2DIV",
    "OP_NEGATE",
    "OP_ABS",
    "OP_NOT",
    "OP_0NOTEQUAL",
    "OP_ADD",
    "OP_SUB",
    "OP_MUL",
    "OP_DIV",
    "OP_MOD",
    "OP_LSHIFT",
    "OP_RSHIFT",
    "OP_BOOLAND",
    "OP_BOOLOR",
    "OP_NUMEQUAL",
    "OP_NUMEQUALVERIFY",
    "OP_NUMNOTEQUAL",
    "OP_LESSTHAN",
    "OP_GREATERTHAN",
    "OP_LESSTHANOREQUAL",
    "OP_GREATERTHANOREQUAL",
    "OP_MIN",
    "OP_MAX",
    "OP_WITHIN",
    "OP_RIPEMD160",
    "OP_SHA1",
    "OP_SHA256",
    "OP_HASH160",
    "OP_HASH256",
    "OP_CODESEPARATOR",
    "OP_CHECKSIG",
    "OP_CHECKSIGVERIFY",
    "OP_CHECKMULTISIG",
    "OP_CHECKMULTISIGVERIFY",
    "OP_NOP1",
    "OP_NOP2",
    "OP_NOP3",
    "OP_NOP4",
    "OP_NOP5",
    "OP_NOP6",
    "OP_NOP7",
    "OP_NOP8",
    "OP_NOP9",
    "OP_NOP10",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_at_their_codes() {
        for (code, expected) in [
            (0x00, "0"),
            (0x4b, "OP_UNKNOWN"),
            (PUSHDATA1, "OP_PUSHDATA1"),
            (0x4f, "-1"),
            (N1, "1"),
            (N16, "16"),
            (0x61, "OP_NOP"),
            (RETURN, "OP_RETURN"),
            (DUP, "OP_DUP"),
            (EQUAL, "OP_EQUAL"),
            (EQUALVERIFY, "OP_EQUALVERIFY"),
            (HASH160, "OP_HASH160"),
            (CHECKSIG, "OP_CHECKSIG"),
            (CHECKMULTISIGVERIFY, "OP_CHECKMULTISIGVERIFY"),
            (0xb9, "OP_NOP10"),
            (0xba, "OP_UNKNOWN"),
            (0xff, "OP_INVALIDOPCODE"),
        ] {
            assert_eq!(name(code), expected, "{code:#x}");
        }
    }

    #[test]
    fn small_numbers_lead_back() {
        for number in 0..=16 {
            assert_eq!(of_small_number(number).and_then(small_number), Some(number));
        }
        assert_eq!(of_small_number(17), None);
    }
}
