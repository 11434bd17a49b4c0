//! `invoice verify`

use std::path::Path;

use fluxplane_ledger::settlement::{Anchor, InvoiceLine as LeafLine};
use serde::{Deserialize, Serialize};

use super::{Context, input};
use crate::{
    api::billing::{Invoice, InvoiceLine, LineProof},
    cli::billing::{AnchorCheck, InvoiceVerify},
    error::Error,
    exit::Exit,
    render::{
        paint::{Paint, Tone},
        report,
    },
    verify::{Anchored, LineCheck, Report, Sender, check_anchor, check_line},
};

/// A proof in a file: what the plane answered, and whose line it should be.
#[derive(Debug, Serialize, Deserialize)]
struct SavedProof {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(flatten)]
    proof: LineProof,
}

/// What a verification answers.
#[derive(Debug, Serialize)]
struct Answer {
    /// Every step was taken and passed.
    verified: bool,
    /// Every step was taken.
    complete: bool,
    epoch: u64,
    invoice_id: Option<String>,
    lines: Vec<Line>,
    /// Where the root was found.
    anchor: Option<Anchored>,
    /// Steps that concern the invoice and the anchor as a whole.
    steps: Report,
}

#[derive(Debug, Serialize)]
struct Line {
    number: Option<u32>,
    verified: bool,
    /// What the leaf says.
    leaf: Option<LeafLine>,
    #[serde(flatten)]
    steps: Report,
}

pub(super) async fn run(context: &Context<'_>, args: InvoiceVerify) -> Result<Exit, Error> {
    let ui = context.ui;
    let node = args.anchor.rpc.node()?;
    let (proofs, invoice) = if let Some(path) = &args.file {
        (vec![(None, read_saved(path)?)], None)
    } else {
        ui.progress()
            .during("fetching proofs", fetch(context, &args))
            .await?
    };
    if let (Some(path), [(_, saved)]) = (&args.save, &proofs[..]) {
        let text = serde_json::to_vec_pretty(saved).map_err(|err| Error::Output(err.into()))?;
        std::fs::write(path, text).map_err(|err| Error::file("write", path, err))?;
    }
    let mut steps = Report::default();
    let (lines, expected) = assess(&args, &proofs, invoice.as_ref(), &mut steps);
    let whole = args.target.is_some_and(|target| target.line.is_none());
    if let Some(invoice) = invoice.as_ref().filter(|_| whole) {
        steps.judged("total", total(invoice, &lines));
    }
    let checking = on_chain(&args.anchor, node.as_ref(), expected, &mut steps);
    let anchor = ui
        .progress()
        .during("asking the chain node", checking)
        .await?;
    let all = |test: fn(&Report) -> bool| {
        test(&steps) && !lines.is_empty() && lines.iter().all(|line| test(&line.steps))
    };
    let (complete, holds) = (all(Report::is_complete), all(Report::holds));
    let answer = Answer {
        verified: complete && holds,
        complete,
        epoch: proofs.first().map_or(0, |(_, saved)| saved.proof.epoch),
        invoice_id: invoice
            .as_ref()
            .map(|invoice| invoice.invoice_id.to_string()),
        lines,
        anchor,
        steps,
    };
    ui.show(&answer, |paint| text(&answer, paint))?;
    let good = answer.verified || (args.anchor.offline && holds);
    Ok(if good { Exit::Success } else { Exit::Failed })
}

/// What must stand on the chain, and where it should.
type Expected = Option<(Anchor, Option<String>)>;

/// Checks every proof by itself. All of them must lead to one root.
fn assess(
    args: &InvoiceVerify,
    proofs: &Proofs,
    invoice: Option<&Invoice>,
    steps: &mut Report,
) -> (Vec<Line>, Expected) {
    let mut expected: Expected = None;
    let mut lines = Vec::new();
    for (shown, saved) in proofs {
        let owner = args.owner.as_deref().or(saved.owner.as_deref());
        let LineCheck {
            report,
            line,
            anchor,
        } = check_line(&saved.proof, invoice.zip(shown.as_ref()), owner);
        let txid = saved
            .proof
            .anchor
            .as_ref()
            .map(|anchor| anchor.txid.clone());
        let found = anchor.map(|anchor| (anchor, txid));
        if expected.is_none() {
            expected = found;
        } else if found.is_some() && found != expected {
            steps.failed(
                "one-root",
                "the lines of one invoice are proven against different roots",
            );
        }
        lines.push(Line {
            number: shown
                .as_ref()
                .map(|line| line.number)
                .or(line.map(|line| line.number)),
            verified: report.is_verified(),
            leaf: line,
            steps: report,
        });
    }
    (lines, expected)
}

type Proofs = Vec<(Option<InvoiceLine>, SavedProof)>;

/// The proofs of the wanted lines, with what the invoice says of them.
async fn fetch(
    context: &Context<'_>,
    args: &InvoiceVerify,
) -> Result<(Proofs, Option<Invoice>), Error> {
    let Some(target) = args.target else {
        return Ok((Vec::new(), None));
    };
    let client = context.client()?;
    let invoice = client.invoice(target.invoice).await?;
    let wanted = |line: &&InvoiceLine| target.line.is_none_or(|number| line.number == number);
    let mut proofs = Vec::new();
    for line in invoice.lines.iter().flatten().filter(wanted) {
        let proof = client.line_proof(target.invoice, line.number).await?;
        let owner = Some(invoice.owner.clone());
        proofs.push((Some(line.clone()), SavedProof { owner, proof }));
    }
    if let (Some(number), true) = (target.line, proofs.is_empty()) {
        return Err(Error::Ended {
            exit: Exit::NotFound,
            code: "not-found",
            detail: format!("invoice {} has no line {number}", target.invoice),
        });
    }
    if args.save.is_some() && proofs.len() != 1 {
        let rule = "a file holds the proof of one line";
        return Err(Error::input(
            "--save",
            target.invoice,
            rule,
            "name the line: ID/LINE",
        ));
    }
    Ok((proofs, Some(invoice)))
}

fn read_saved(path: &Path) -> Result<SavedProof, Error> {
    let bytes = input::read(path)?;
    serde_json::from_slice(&bytes).map_err(|err| {
        let remedy = "make one with `fluxctl invoice verify ID/LINE --save FILE`";
        Error::input(
            "--file",
            path.display(),
            format!("a proof file is needed ({err})"),
            remedy,
        )
    })
}

/// Whether the lines make the total.
fn total(invoice: &Invoice, lines: &[Line]) -> Result<String, String> {
    let sum = lines
        .iter()
        .map(|line| line.leaf.map(|leaf| leaf.amount))
        .collect::<Option<Vec<_>>>()
        .and_then(fluxplane_core::Sat::checked_sum)
        .ok_or("not all lines could be read")?;
    let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    if sum.get() != invoice.total.units || count != invoice.line_count {
        return Err(format!(
            "the invoice says {} lines of {} in all, the leaves give {count} of {sum} FLUX",
            invoice.line_count, invoice.total
        ));
    }
    Ok(format!("{count} lines make {}", invoice.total))
}

/// Looks for the root on the chain.
pub(super) async fn on_chain(
    args: &AnchorCheck,
    node: Option<&crate::chain_rpc::Node>,
    expected: Expected,
    steps: &mut Report,
) -> Result<Option<Anchored>, Error> {
    let Some((anchor, txid)) = expected else {
        return Ok(None);
    };
    let Some(txid) = txid else {
        steps.not_checked(
            "transaction",
            "the root is not on the chain yet; try again later",
        );
        return Ok(None);
    };
    let Some(node) = node else {
        let why = if args.offline {
            format!("offline: nobody looked whether transaction {txid} carries the root")
        } else {
            format!(
                "add --rpc-url of a chain node: nobody looked whether transaction {txid} carries the root"
            )
        };
        steps.not_checked("transaction", why);
        return Ok(None);
    };
    let sender = args.anchor_address.map(Sender);
    let (report, anchored) = check_anchor(node, &txid, &anchor, sender).await?;
    steps.extend(report);
    Ok(Some(anchored))
}

fn text(answer: &Answer, paint: Paint) -> String {
    let heading = |text: String| format!("{}\n", paint.tone(Tone::Strong, &text));
    let mut out = Vec::new();
    let mut whole = Report::default();
    for line in &answer.lines {
        out.extend(line.number.map(|number| heading(format!("line {number}"))));
        out.push(report::steps(&line.steps, paint));
        whole.extend(line.steps.clone());
    }
    out.push(heading(format!("epoch {}", answer.epoch)));
    out.push(report::steps(&answer.steps, paint));
    whole.extend(answer.steps.clone());
    let what = match (&answer.invoice_id, &answer.lines[..]) {
        (Some(id), [line]) => format!("invoice {id} line {}", line.number.unwrap_or_default()),
        (Some(id), lines) => format!("invoice {id}, {} lines", lines.len()),
        (None, _) => "proof".to_owned(),
    };
    out.push(report::verdict(&whole, &what, paint));
    out.concat()
}
