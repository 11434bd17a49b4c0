//! `chain verify-block`

use std::path::Path;

use fluxplane_flux_chain::{
    Block, ChainParams, Hash256,
    params::{Devnet, Network},
};
use serde::Serialize;

use super::{Context, block_facts, input};
use crate::{
    api::Client,
    chain_rpc::Node,
    cli::block::{ChainName, VerifyBlock},
    error::Error,
    exit::Exit,
    render::report,
    verify::block::{BlockCheck, Known, check_block},
};

/// Most bytes of a block in a file: fluxd's limit, in hexadecimal, with room for line breaks.
const MAX_FILE_BYTES: usize = 5 << 20;

#[derive(Debug, Serialize)]
struct Answer {
    /// Every check was made and passed.
    verified: bool,
    /// Every check was made.
    complete: bool,
    network: String,
    #[serde(flatten)]
    check: BlockCheck,
}

pub(super) async fn run(context: &Context<'_>, args: VerifyBlock) -> Result<Exit, Error> {
    let ui = context.ui;
    let node = args.rpc.node()?;
    let client = args.plane.then(|| context.client()).transpose()?;
    let params = params(args.network, node.as_ref(), client.as_ref()).await?;
    let mut known = Known {
        now: u32::try_from(context.settings.clock.now().timestamp()).unwrap_or(u32::MAX),
        producer: args.node_key,
        ..Known::default()
    };
    let wanted = args.key.as_deref().map(read_key).transpose()?;
    match wanted {
        Some(Key::Height(height)) => known.height = Some(height),
        Some(Key::Hash(hash)) => known.hash = Some(hash),
        None => {}
    }
    let raw = match (&args.file, &node, &args.key) {
        (Some(path), _, _) => read_file(path)?,
        (None, Some(node), Some(key)) => {
            let hex: String = ui
                .progress()
                .during("fetching the block", node.raw_block(key))
                .await?;
            if known.hash.is_none() {
                known.hash = Some(height_hash(node, known.height).await?);
            }
            unhex("the chain node's answer", hex.trim())?
        }
        (None, _, _) => {
            let rule = "the bytes come from a chain node or a file; a plane keeps no block headers";
            let remedy = "add --rpc-url, or --file";
            return Err(Error::input("--rpc-url", "not given", rule, remedy));
        }
    };
    if let Ok(block) = Block::parse(&raw) {
        let asking =
            block_facts::gather(&params, &block, node.as_ref(), client.as_ref(), &mut known);
        ui.progress()
            .during("asking for what it rests on", asking)
            .await?;
    }
    let check = check_block(&params, &raw, &known);
    let answer = Answer {
        verified: check.report.is_verified(),
        complete: check.report.is_complete(),
        network: params.network.to_string(),
        check,
    };
    let what = answer
        .check
        .height
        .map_or_else(|| "block".to_owned(), |height| format!("block {height}"));
    ui.show(&answer, |paint| {
        let report = &answer.check.report;
        report::steps(report, paint) + &report::verdict(report, &what, paint)
    })?;
    let good = answer.verified || (answer.check.report.holds() && !args.complete);
    Ok(if good { Exit::Success } else { Exit::Failed })
}

/// How a block is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Height(u32),
    Hash(Hash256),
}

fn read_key(text: &str) -> Result<Key, Error> {
    if let Ok(height) = text.parse() {
        return Ok(Key::Height(height));
    }
    text.parse().map(Key::Hash).map_err(|_| {
        let rule = "a height, or a hash of 64 hexadecimal digits";
        let remedy = "`fluxctl chain status` shows both of the last block";
        Error::input("HEIGHT|HASH", text, rule, remedy)
    })
}

/// The hash the chain node itself gives for a height, so that a wrong block under a right height is found out.
async fn height_hash(node: &Node, height: Option<u32>) -> Result<Hash256, Error> {
    let text = node.block_hash(height.unwrap_or_default()).await?;
    text.parse().map_err(|_| {
        let rule = "a block hash has 64 hexadecimal digits";
        Error::input("getblockhash", text, rule, "ask another chain node")
    })
}

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let bytes = input::read(path)?;
    if bytes.len() > MAX_FILE_BYTES {
        let rule = format!("a block is shorter than {MAX_FILE_BYTES} bytes");
        let remedy = "give one block, as `getblock HASH 0` prints it";
        return Err(Error::input("--file", path.display(), rule, remedy));
    }
    let text = bytes.trim_ascii();
    let is_hex = !text.is_empty() && text.iter().all(u8::is_ascii_hexdigit);
    match std::str::from_utf8(text) {
        Ok(text) if is_hex => unhex("--file", text),
        Ok(_) | Err(_) => Ok(bytes),
    }
}

fn unhex(field: &str, text: &str) -> Result<Vec<u8>, Error> {
    hex::decode(text).map_err(|err| {
        let remedy = "give the whole serialisation, two hexadecimal digits for each byte";
        let shown: String = text.chars().take(20).collect();
        Error::input(field, shown, err.to_string(), remedy)
    })
}

/// The rules of the chain. A development chain tells its own.
async fn params(
    name: Option<ChainName>,
    node: Option<&Node>,
    client: Option<&Client>,
) -> Result<ChainParams, Error> {
    let own = match node {
        Some(node) => node.devnet_rules().await?.map(Devnet::from),
        None => None,
    };
    let network = match (name, node, client) {
        (Some(name), _, _) => network(name),
        (None, Some(_), _) if own.is_some() => Network::Devnet,
        (None, Some(node), _) => named(&node.chain_info().await?.chain),
        (None, None, Some(client)) => named(&client.chain_status().await?.network),
        (None, None, None) => Network::Main,
    };
    Ok(match (network, own) {
        (Network::Devnet, Some(own)) => own.params(),
        (network, _) => ChainParams::of(network),
    })
}

const fn network(name: ChainName) -> Network {
    match name {
        ChainName::Main => Network::Main,
        ChainName::Test => Network::Test,
        ChainName::Regtest => Network::Regtest,
        ChainName::Devnet => Network::Devnet,
    }
}

fn named(text: &str) -> Network {
    match text {
        "main" => Network::Main,
        "test" => Network::Test,
        "devnet" => Network::Devnet,
        _ => Network::Regtest,
    }
}
