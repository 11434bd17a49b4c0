//! `epoch verify`

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
};

use fluxplane_ledger::settlement::EpochHeader;
use serde::Serialize;
use tokio::sync::mpsc;

use super::{Context, input, invoice_verify::on_chain};
use crate::{
    api::{Client, epochs::Epoch},
    cli::billing::EpochVerify,
    error::Error,
    exit::Exit,
    render::report,
    verify::{Anchored, EpochCheck, PublishedEpoch, Report, check_leaves},
};

/// Lines that may wait to be hashed.
const WAITING: usize = 4_096;

/// Longest line of a download: the longest leaf has 207 bytes.
const MAX_LINE: usize = 4_096;

#[derive(Debug, Serialize)]
struct Answer {
    verified: bool,
    complete: bool,
    epoch: u64,
    /// Computed from the leaves.
    root: Option<String>,
    leaf_count: Option<u32>,
    header: Option<EpochHeader>,
    /// Where the root was found.
    anchor: Option<Anchored>,
    #[serde(flatten)]
    steps: Report,
}

pub(super) async fn run(context: &Context<'_>, args: EpochVerify) -> Result<Exit, Error> {
    let ui = context.ui;
    let node = args.anchor.rpc.node()?;
    // With leaves and a transaction at hand, the plane has nothing to add.
    let alone = args.leaves.is_some() && (args.anchor_txid.is_some() || args.anchor.offline);
    let client = if alone { None } else { Some(context.client()?) };
    let published = match &client {
        Some(client) => Some(published(client, args.number).await?),
        None => None,
    };
    let checking = check(context, &args, client.as_ref(), published.as_ref());
    let EpochCheck {
        report: mut steps,
        computed,
    } = ui.progress().during("checking leaves", checking).await?;
    let (header, anchor) = computed.unzip();
    let named = published
        .as_ref()
        .and_then(|published| published.epoch.anchor.as_ref());
    let txid = args
        .anchor_txid
        .clone()
        .or_else(|| named.map(|anchor| anchor.txid.clone()));
    let expected = anchor.map(|anchor| (anchor, txid));
    let asking = on_chain(&args.anchor, node.as_ref(), expected, &mut steps);
    let anchored = ui
        .progress()
        .during("asking the chain node", asking)
        .await?;
    let answer = Answer {
        verified: steps.is_verified(),
        complete: steps.is_complete(),
        epoch: args.number,
        root: anchor.map(|anchor| anchor.root.to_string()),
        leaf_count: anchor.map(|anchor| anchor.count),
        header,
        anchor: anchored,
        steps,
    };
    let what = format!("epoch {}", args.number);
    ui.show(&answer, |paint| {
        report::steps(&answer.steps, paint) + &report::verdict(&answer.steps, &what, paint)
    })?;
    let good = answer.verified || (args.anchor.offline && answer.steps.holds());
    Ok(if good { Exit::Success } else { Exit::Failed })
}

/// What the plane says of the epoch and the one before.
async fn published(client: &Client, number: u64) -> Result<PublishedEpoch, Error> {
    let epoch: Epoch = client.epoch(number).await?;
    let before = match number.checked_sub(1).filter(|before| *before > 0) {
        Some(before) => client.epoch(before).await?.root,
        None => None,
    };
    Ok(PublishedEpoch { epoch, before })
}

async fn check(
    context: &Context<'_>,
    args: &EpochVerify,
    client: Option<&Client>,
    published: Option<&PublishedEpoch>,
) -> Result<EpochCheck, Error> {
    let (number, published) = (args.number, published.cloned());
    match (&args.leaves, client) {
        (Some(path), _) => {
            let file = BufReader::new(input::open(Some(path))?);
            blocking(move || check_leaves(number, file.lines(), published.as_ref())).await
        }
        (None, Some(client)) => download(client, number, published).await,
        (None, None) => {
            let path = Path::new("-");
            let file = BufReader::new(input::open(Some(path))?);
            context.ui.note("reading leaves from the input");
            blocking(move || check_leaves(number, file.lines(), published.as_ref())).await
        }
    }
}

/// Hashes leaves while they arrive.
async fn download(
    client: &Client,
    number: u64,
    published: Option<PublishedEpoch>,
) -> Result<EpochCheck, Error> {
    let (sender, mut receiver) = mpsc::channel::<Result<String, String>>(WAITING);
    let hashing = blocking(move || {
        let lines = std::iter::from_fn(|| receiver.blocking_recv());
        check_leaves(number, lines, published.as_ref())
    });
    let feeding = feed(client, number, sender);
    let (fed, check) = tokio::join!(feeding, hashing);
    fed?;
    check
}

/// Cuts a download into lines. A receiver that has heard enough ends it.
async fn feed(
    client: &Client,
    number: u64,
    sender: mpsc::Sender<Result<String, String>>,
) -> Result<(), Error> {
    let mut download = client.leaves(number).await?;
    let mut line = Vec::new();
    loop {
        let chunk = match download.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            Err(err) => {
                sender.send(Err(err.to_string())).await.ok();
                return Ok(());
            }
        };
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(piece);
            if line.len() > MAX_LINE {
                sender
                    .send(Err(format!("a line has more than {MAX_LINE} bytes")))
                    .await
                    .ok();
                return Ok(());
            }
            if line.ends_with(b"\n") && sender.send(Ok(take(&mut line))).await.is_err() {
                return Ok(());
            }
        }
    }
    if !line.is_empty() {
        sender.send(Ok(take(&mut line))).await.ok();
    }
    Ok(())
}

fn take(line: &mut Vec<u8>) -> String {
    let text = String::from_utf8_lossy(line).trim_end().to_owned();
    line.clear();
    text
}

async fn blocking(work: impl FnOnce() -> EpochCheck + Send + 'static) -> Result<EpochCheck, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|err| Error::Start(std::io::Error::other(err)))
}
