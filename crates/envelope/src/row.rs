//! The place of a sealed value, which is authenticated with it.

use uuid::Uuid;

/// Names one value of one row. A value that is moved anywhere else does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    pub schema: &'a str,
    /// Table, and column where a table has several sealed ones: `revision.spec`.
    pub table: &'a str,
    /// Whose key seals it: the wallet address of the owner.
    pub tenant: &'a str,
    pub row: Uuid,
    /// Which value of the row this is; an older one does not pass for a newer one.
    pub version: u64,
}

impl Row<'_> {
    /// Texts are preceded by their length, so that no two places have the same bytes.
    pub(crate) fn associated(&self, domain: &str, header: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for text in [
            domain.as_bytes(),
            header,
            self.schema.as_bytes(),
            self.table.as_bytes(),
            self.tenant.as_bytes(),
        ] {
            put(&mut bytes, text);
        }
        bytes.extend_from_slice(self.row.as_bytes());
        bytes.extend_from_slice(&self.version.to_be_bytes());
        bytes
    }
}

/// Appends a text and its length.
pub(crate) fn put(bytes: &mut Vec<u8>, text: &[u8]) {
    let length = u64::try_from(text.len()).expect("a length in memory fits 64 bits");
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(text);
}
