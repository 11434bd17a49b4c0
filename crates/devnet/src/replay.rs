//! A recorded chain: the file, and how far it was shown.
//!
//! The file is JSON with at least `blocks`: raw blocks in hexadecimal from the genesis block on. The parameters are those of the
//! recording with fluxnodes (`ChainParams::regtest_nodes`).

use std::{fs, io, path::Path, path::PathBuf};

use fluxplane_flux_chain::{Block, ChainParams, encode::DecodeError};
use serde::Deserialize;

/// Why a file is no recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error("cannot read the recording {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is no recording: JSON with a list `blocks` of raw blocks in hexadecimal is needed", path.display())]
    Format {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("block {height} of the recording is not hexadecimal")]
    Hex {
        height: usize,
        #[source]
        source: hex::FromHexError,
    },
    #[error("block {height} of the recording: {source}")]
    Block { height: usize, source: DecodeError },
    #[error("the recording does not begin with the genesis block of regtest")]
    Genesis,
    #[error("until {until}: the recording ends at height {last}")]
    Until { until: u32, last: u32 },
}

#[derive(Deserialize)]
struct File {
    blocks: Vec<String>,
}

/// The blocks of a recording.
#[derive(Debug, Clone)]
pub struct Recording {
    /// By height.
    blocks: Vec<Vec<u8>>,
    /// Height of the block that is shown next.
    next: usize,
    /// Height of the last block that is shown.
    until: usize,
}

impl Recording {
    /// Reads a recording and checks that its blocks can be parsed.
    pub fn read(path: &Path) -> Result<Self, RecordingError> {
        let text = fs::read(path).map_err(|source| RecordingError::Read {
            path: path.to_owned(),
            source,
        })?;
        let file: File =
            serde_json::from_slice(&text).map_err(|source| RecordingError::Format {
                path: path.to_owned(),
                source,
            })?;
        let blocks = file
            .blocks
            .iter()
            .enumerate()
            .map(|(height, text)| {
                hex::decode(text).map_err(|source| RecordingError::Hex { height, source })
            })
            .collect::<Result<Vec<_>, _>>()?;
        Self::of_blocks(blocks)
    }

    /// Takes raw blocks by height.
    pub fn of_blocks(blocks: Vec<Vec<u8>>) -> Result<Self, RecordingError> {
        let genesis = ChainParams::regtest_nodes().genesis.hash;
        for (height, raw) in blocks.iter().enumerate() {
            let block = Block::parse(raw);
            let block = block.map_err(|source| RecordingError::Block { height, source })?;
            if height == 0 && block.header.hash() != genesis {
                return Err(RecordingError::Genesis);
            }
        }
        let until = blocks.len().checked_sub(1).ok_or(RecordingError::Genesis)?;
        Ok(Self {
            blocks,
            next: 1,
            until,
        })
    }

    /// Shows nothing beyond a height.
    pub fn until(mut self, height: u32) -> Result<Self, RecordingError> {
        let wanted = usize::try_from(height).unwrap_or(usize::MAX);
        if wanted >= self.blocks.len() {
            let last = self.last();
            return Err(RecordingError::Until {
                until: height,
                last,
            });
        }
        self.until = wanted;
        Ok(self)
    }

    /// Height of the last block that is shown.
    pub fn last(&self) -> u32 {
        u32::try_from(self.until).unwrap_or(u32::MAX)
    }

    /// The next block, until the end.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        if self.next > self.until {
            return None;
        }
        let raw = self.blocks.get(self.next).cloned();
        self.next += 1;
        raw
    }
}
