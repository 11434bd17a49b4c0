//! What a payment says: the hash of the message it pays for.
//!
//! The text is read as FluxOS reads it (RunOnFlux/flux `ZelBack/src/services/explorerService.js`, `decodeMessage`), and it must
//! be the 64 lower-case hexadecimal digits under which the message is known. Two deviations, both so that no money is lost
//! without a word: the text may stand in any output, where FluxOS forgets it when another output follows; and a second text
//! makes the payment ambiguous, where FluxOS would take the last.

use std::{fmt, str::FromStr};

use fluxplane_flux_chain::tx::TxOut;

/// Digits of a message hash.
const DIGITS: usize = 64;

/// Characters of a foreign text that are repeated in a problem.
const SHOWN: usize = 80;

/// SHA-256 of a registration or update message, in the order it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageHash(pub [u8; 32]);

impl fmt::Display for MessageHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A text that is no message hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a message hash is 64 lower-case hexadecimal digits")]
pub struct NotAHash;

impl FromStr for MessageHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let read = lower && hex::decode_to_slice(text, &mut bytes).is_ok();
        read.then_some(Self(bytes)).ok_or(NotAHash)
    }
}

/// What the outputs of a transaction say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Memo {
    Message(MessageHash),
    Problem(MemoProblem),
}

impl Memo {
    pub const fn message(&self) -> Option<MessageHash> {
        match self {
            Self::Message(hash) => Some(*hash),
            Self::Problem(_) => None,
        }
    }

    pub const fn problem(&self) -> Option<&MemoProblem> {
        match self {
            Self::Message(_) => None,
            Self::Problem(problem) => Some(problem),
        }
    }
}

/// Why outputs name no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoProblem {
    pub kind: ProblemKind,
    /// For people.
    pub text: String,
}

/// What is wrong with a text, for lists and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// No output carries a text.
    Missing,
    /// Several outputs carry one.
    Ambiguous,
    /// It has not the length of a message hash.
    Length,
    /// It has the length, but not only lower-case hexadecimal digits.
    Alphabet,
}

impl ProblemKind {
    pub const ALL: [Self; 4] = [Self::Missing, Self::Ambiguous, Self::Length, Self::Alphabet];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Ambiguous => "ambiguous",
            Self::Length => "length",
            Self::Alphabet => "alphabet",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Reads the outputs of a payment.
pub fn read(outputs: &[TxOut<'_>]) -> Memo {
    let mut texts = outputs.iter().filter_map(|output| output.script.note());
    let problem = |kind, text| Memo::Problem(MemoProblem { kind, text });
    let Some(text) = texts.next() else {
        let why =
            "no output carries an OP_RETURN text; the 64 digits of the message hash are needed";
        return problem(ProblemKind::Missing, why.to_owned());
    };
    let more = texts.count();
    if more > 0 {
        let found = more + 1;
        let why = format!(
            "{found} outputs carry an OP_RETURN text; exactly one must carry the message hash"
        );
        return problem(ProblemKind::Ambiguous, why);
    }
    text.parse()
        .map_or_else(|NotAHash| Memo::Problem(foreign(&text)), Memo::Message)
}

fn foreign(text: &str) -> MemoProblem {
    let length = text.chars().count();
    let shown: String = text
        .chars()
        .take(SHOWN)
        .flat_map(char::escape_debug)
        .collect();
    let dots = if length > SHOWN { "…" } else { "" };
    let (kind, text) = if length == DIGITS {
        (
            ProblemKind::Alphabet,
            format!(
                "the OP_RETURN text `{shown}` is not lower-case hexadecimal, a message hash is"
            ),
        )
    } else {
        (
            ProblemKind::Length,
            format!(
                "the OP_RETURN text `{shown}{dots}` has {length} characters, a message hash has {DIGITS}"
            ),
        )
    };
    MemoProblem { kind, text }
}

#[cfg(test)]
mod tests {
    use fluxplane_core::Sat;
    use fluxplane_flux_chain::{
        ScriptBuf,
        script::{data_output, p2pkh},
    };

    use super::*;

    const HASH: &str = "5501c7dd6516c3fc2e68dee8d4fdd20d92f57f8cfcdc7b4fcbad46499e43ed6f";

    fn memo_of(scripts: &[ScriptBuf]) -> Memo {
        let outputs: Vec<TxOut<'_>> = scripts
            .iter()
            .map(|script| TxOut {
                value: Sat::ZERO,
                script: script.as_script(),
            })
            .collect();
        read(&outputs)
    }

    fn data(text: &str) -> ScriptBuf {
        data_output(text.as_bytes()).unwrap()
    }

    fn change() -> ScriptBuf {
        p2pkh(&fluxplane_flux_chain::Hash160::of(b"change"))
    }

    fn problem_of(scripts: &[ScriptBuf]) -> String {
        let memo = memo_of(scripts);
        memo.problem().expect("a problem").text.clone()
    }

    fn kind_of(scripts: &[ScriptBuf]) -> Option<ProblemKind> {
        memo_of(scripts).problem().map(|problem| problem.kind)
    }

    #[test]
    fn the_hash_is_read_wherever_it_stands() {
        let hash = Memo::Message(HASH.parse().unwrap());
        assert_eq!(memo_of(&[change(), data(HASH)]), hash);
        assert_eq!(memo_of(&[data(HASH), change()]), hash);
    }

    #[test]
    fn a_text_ends_at_the_first_zero_byte() {
        let padded = format!("{HASH}\0 and more");
        assert_eq!(
            memo_of(&[data(&padded)]),
            Memo::Message(HASH.parse().unwrap())
        );
    }

    #[test]
    fn every_other_text_is_a_problem_that_says_why() {
        assert!(problem_of(&[change()]).contains("no output carries"));
        assert!(problem_of(&[data(HASH), data(HASH)]).contains("2 outputs carry"));
        assert!(problem_of(&[data("hello")]).contains("`hello` has 5 characters"));
        assert!(problem_of(&[data(&HASH.to_uppercase())]).contains("not lower-case"));
        assert!(problem_of(&[data(&"g".repeat(64))]).contains("not lower-case"));
    }

    #[test]
    fn every_problem_has_its_kind() {
        use ProblemKind::{Alphabet, Ambiguous, Length, Missing};
        assert_eq!(kind_of(&[change()]), Some(Missing));
        assert_eq!(kind_of(&[data(HASH), data("hello")]), Some(Ambiguous));
        assert_eq!(kind_of(&[data("hello")]), Some(Length));
        assert_eq!(kind_of(&[data(&HASH.to_uppercase())]), Some(Alphabet));
        assert_eq!(kind_of(&[data(HASH)]), None);
        for kind in ProblemKind::ALL {
            assert_eq!(ProblemKind::from_name(kind.name()), Some(kind));
        }
    }

    #[test]
    fn a_problem_can_be_stored_as_text_whatever_the_bytes_were() {
        // Data of up to four bytes prints as a number, from whose digits FluxOS reads characters such as U+0000.
        for bytes in [
            &[1_u8, 2, 3][..],
            &[0xff; 70],
            b"\x01\x02\x03\x04\x05",
            b"-1",
        ] {
            let problem = problem_of(&[data_output(bytes).unwrap()]);
            assert!(
                !problem.contains('\0') && problem.len() < 1_000,
                "{problem}"
            );
        }
    }
}
