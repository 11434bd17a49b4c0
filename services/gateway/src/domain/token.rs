//! Session tokens: 256 random bits, shown once, kept as SHA-256.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Authenticates requests.
    Access,
    /// Gives new tokens, once.
    Refresh,
}

impl TokenKind {
    /// As stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }

    /// What such a token begins with, so that people and secret scanners recognise it.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Access => "fxa_",
            Self::Refresh => "fxr_",
        }
    }
}

/// A token in the clear. Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    pub fn new(kind: TokenKind, random: &[u8; 32]) -> Self {
        Self(format!("{}{}", kind.prefix(), hex::encode(random)))
    }

    /// Reads a token that a client presents; `None` when it cannot be one of ours.
    pub fn parse(kind: TokenKind, text: &str) -> Option<Self> {
        let digits = text.strip_prefix(kind.prefix())?;
        let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (digits.len() == 64 && digits.bytes().all(lower_hex)).then(|| Self(text.to_owned()))
    }

    /// What is stored. A fast hash suffices: nobody guesses 256 bits.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_as_its_own_kind_only() {
        let token = Token::new(TokenKind::Access, &[7; 32]);
        assert_eq!(
            Token::parse(TokenKind::Access, token.expose()),
            Some(token.clone())
        );
        assert_eq!(Token::parse(TokenKind::Refresh, token.expose()), None);
        assert_eq!(Token::parse(TokenKind::Access, "fxa_"), None);
        assert_eq!(
            Token::parse(TokenKind::Access, &token.expose().to_uppercase()),
            None
        );
    }

    #[test]
    fn a_token_never_shows_in_logs() {
        let token = Token::new(TokenKind::Refresh, &[1; 32]);
        assert_eq!(format!("{token:?}"), "Token(***)");
    }
}
