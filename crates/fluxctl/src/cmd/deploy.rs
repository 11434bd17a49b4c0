//! `deploy`, `update`, `scale`

use std::time::Duration;

use serde::Serialize;

use super::{Context, input, session::warn_if_exposed, wallet::Receipt};
use crate::{
    api::{App, Client, Error as ApiError, PaymentInstructions, Quote, SignedSpec, TimelineEntry},
    chain_rpc::Node,
    cli::app::{Deploy, Scale, Submit, Update},
    deploy::{self, Draft, Ended, Intent, Outcome, Tracker},
    error::Error,
    exit::Exit,
    render::{apps, time::elapsed, timeline},
    wallet::{self, Key, Payment},
};

pub(super) async fn deploy(context: &Context<'_>, args: Deploy) -> Result<Exit, Error> {
    let draft = Draft::read(Intent::Register, &input::read(&args.file)?)?;
    submit(context, draft, &args.submit).await
}

pub(super) async fn update(context: &Context<'_>, args: Update) -> Result<Exit, Error> {
    let draft = Draft::read(Intent::Update, &input::read(&args.file)?)?;
    submit(context, draft, &args.submit).await
}

pub(super) async fn scale(context: &Context<'_>, args: Scale) -> Result<Exit, Error> {
    let app = context.client()?.app(args.name.as_str()).await?;
    let current = app
        .current
        .as_ref()
        .and_then(|revision| revision.spec.as_deref());
    let Some(current) = current else {
        let detail = format!("the plane shows no specification of {}", app.name);
        return Err(Error::failed("no-specification", detail));
    };
    let draft = Draft::scaled(current, args.instances)?;
    submit(context, draft, &args.submit).await
}

/// An accepted submission, and the payment if one was made.
#[derive(Debug, Serialize)]
struct Done {
    quote: Quote,
    app: App,
    payment: Option<PaymentInstructions>,
    transaction: Option<Receipt>,
}

/// Whoever signs, pays and is asked, found before the plane is bothered.
struct Hands {
    signer: Option<Key>,
    ready: Option<SignedSpec>,
    payer: Option<(Key, Node)>,
}

impl Hands {
    fn of(context: &Context<'_>, draft: &Draft, how: &Submit) -> Result<Self, Error> {
        let read = |field: &str, path: &std::path::PathBuf| {
            warn_if_exposed(context, path);
            Key::read(field, path)
        };
        let signer = how
            .key_file
            .as_ref()
            .map(|path| read("--key-file", path))
            .transpose()?;
        if let Some(signer) = &signer {
            draft.check_signer(signer)?;
        }
        let ready = match (&how.signature, how.timestamp) {
            (Some(signature), Some(timestamp)) => Some(draft.with_signature(timestamp, signature)?),
            (Some(_) | None, _) => None,
        };
        let payer = match &how.pay_with {
            Some(path) => Some((read("--pay-with", path)?, how.rpc.needed()?)),
            None => None,
        };
        Ok(Self {
            signer,
            ready,
            payer,
        })
    }
}

async fn submit(context: &Context<'_>, draft: Draft, how: &Submit) -> Result<Exit, Error> {
    if how.print_message {
        return print_message(context, &draft, how);
    }
    let ui = context.ui;
    let hands = Hands::of(context, &draft, how)?;
    let client = context.client()?;
    let version = match draft.intent {
        Intent::Register => None,
        Intent::Update => Some(client.app(&draft.name).await?.version),
    };
    let asking = price(&client, &draft, how);
    let quote = ui.progress().during("asking for the price", asking).await?;
    if !ui.is_json() {
        ui.write(&apps::quote(&quote, ui.paint()))?;
    }
    let verb = match draft.intent {
        Intent::Register => "Deploy",
        Intent::Update => "Update",
    };
    ui.confirm(
        &format!("{verb} {} for {}?", quote.app_name, quote.price),
        how.yes,
    )?;
    let signed = sign(context, &draft, &hands)?;
    let funding = how.funding.into();
    let sending = deploy::submit(
        &client,
        &draft.name,
        version,
        quote.quote_id,
        funding,
        &signed,
    );
    let submitted = ui.progress().during("submitting", sending).await?;
    let mut done = Done {
        quote,
        app: submitted.app,
        payment: submitted.payment,
        transaction: None,
    };
    if let (Some((key, node)), Some(payment)) = (&hands.payer, &done.payment) {
        done.transaction = Some(pay(context, key, node, payment, how.spend_collateral).await?);
    }
    report(context, &done, how.watch)?;
    if how.watch {
        return watch(context, &client, &done, how.timeout).await;
    }
    Ok(Exit::Success)
}

async fn price(client: &Client, draft: &Draft, how: &Submit) -> Result<Quote, ApiError> {
    match how.quote {
        Some(id) => client.quote(id).await,
        None => deploy::quote(client, draft).await,
    }
}

fn print_message(context: &Context<'_>, draft: &Draft, how: &Submit) -> Result<Exit, Error> {
    #[derive(Serialize)]
    struct Message {
        text: String,
        timestamp: u64,
        owner: String,
    }
    let timestamp = how.timestamp.unwrap_or_else(|| context.now_ms());
    let message = Message {
        text: draft.text(timestamp),
        timestamp,
        owner: draft.owner.clone(),
    };
    context
        .ui
        .show(&message, |_| format!("{}\n", message.text))?;
    context.ui.note(format!(
        "sign this text with the wallet of {}, then repeat with --timestamp {timestamp} --signature SIGNATURE",
        message.owner
    ));
    Ok(Exit::Success)
}

fn sign(context: &Context<'_>, draft: &Draft, hands: &Hands) -> Result<SignedSpec, Error> {
    if let Some(ready) = &hands.ready {
        return Ok(ready.clone());
    }
    let timestamp = context.now_ms();
    if let Some(key) = &hands.signer {
        return Ok(draft.sign(key, timestamp)?);
    }
    context.ui.note(format!(
        "Sign this text with the wallet of {}:\n\n{}\n",
        draft.owner,
        draft.text(timestamp)
    ));
    let signature = context.ui.ask("signature:")?;
    Ok(draft.with_signature(timestamp, &signature)?)
}

async fn pay(
    context: &Context<'_>,
    key: &Key,
    node: &Node,
    due: &PaymentInstructions,
    spend_collateral: bool,
) -> Result<Receipt, Error> {
    let foreign = |what: &str| {
        let detail = format!("the plane asks for a payment to `{what}`, which cannot be made");
        Error::failed("payment-instructions", detail)
    };
    let payment = Payment {
        to: due.address.parse().map_err(|_| foreign(&due.address))?,
        amount: fluxplane_core::Sat::new(due.amount.units),
        message_hash: Some(
            due.message_hash
                .parse()
                .map_err(|_| foreign(&due.message_hash))?,
        ),
        fee_rate: None,
        spend_collateral,
    };
    if due.amount.currency != "FLUX" {
        return Err(foreign(&due.amount.currency));
    }
    let paying = wallet::pay(node, key, &payment);
    let paid = context.ui.progress().during("paying", paying).await?;
    Ok(Receipt::new(&payment, paid))
}

/// Says what was accepted and what is to be paid.
fn report(context: &Context<'_>, done: &Done, watching: bool) -> Result<(), Error> {
    #[derive(Serialize)]
    struct First<'a> {
        submitted: &'a Done,
    }
    let ui = context.ui;
    if ui.is_json() && watching {
        return ui.line(&First { submitted: done }, |_| String::new());
    }
    ui.show(done, |paint| {
        let revision = done.app.newest().map_or(0, |revision| revision.number);
        let mut text = format!(
            "\naccepted: {} revision {revision}, {}\n",
            done.app.name,
            paint.state(done.app.state.name())
        );
        match (&done.transaction, &done.payment) {
            (Some(receipt), _) => text += &receipt.text(paint),
            (None, Some(payment)) => text += &apps::payment(payment, paint),
            (None, None) => {}
        }
        text
    })
}

#[derive(Serialize)]
struct Stage<'a> {
    timeline: &'a TimelineEntry,
    elapsed_ms: u128,
}

#[derive(Serialize)]
struct Last<'a> {
    outcome: Verdict<'a>,
}

#[derive(Serialize)]
struct Verdict<'a> {
    /// `running`, or the stage at which it failed.
    state: &'a str,
    elapsed_ms: u128,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    causes: &'a [String],
}

/// Shows every stage until the end.
async fn watch(
    context: &Context<'_>,
    client: &Client,
    done: &Done,
    limit: Option<Duration>,
) -> Result<Exit, Error> {
    let ui = context.ui;
    let revision = done.app.newest().map_or(1, |revision| revision.number);
    let tracker = Tracker::new(revision, done.app.instances_wanted);
    let name = &done.app.name;
    let bar = ui.progress().bar(&format!("watching {name}"));
    let mut printed = Ok(());
    let ended = deploy::watch(client, name, tracker, limit, |observed| {
        let stage = Stage {
            timeline: observed.entry,
            elapsed_ms: observed.elapsed.as_millis(),
        };
        bar.set_message(format!("watching {name}: {}", observed.entry.stage));
        let text = bar.suspend(|| {
            ui.line(&stage, |paint| {
                timeline::live(observed.entry, observed.elapsed, paint)
            })
        });
        if printed.is_ok() {
            printed = text;
        }
    })
    .await;
    bar.finish_and_clear();
    printed?;
    match ended? {
        Ended::Outcome {
            outcome: Outcome::Running,
            elapsed: after,
        } => {
            finish(context, "running", after, &[], || {
                format!(
                    "{name} runs, {} after it was accepted",
                    elapsed(after).trim_start_matches('+')
                )
            })?;
            if !ui.is_json() {
                let instances = client.instances(name, false).await?;
                ui.write(&apps::instances(&instances, ui.paint()))?;
            }
            Ok(Exit::Success)
        }
        Ended::Outcome {
            outcome:
                Outcome::Failed {
                    stage,
                    causes,
                    exit,
                },
            elapsed: after,
        } => {
            if ui.is_json() {
                finish(context, &stage, after, &causes, String::new)?;
            }
            let detail = format!("{name} did not come up: {}", causes.join("; "));
            Err(Error::Ended {
                exit,
                code: "rollout-failed",
                detail,
            })
        }
        Ended::TimedOut => {
            let detail = format!(
                "{name} was not up in time; it goes on, `fluxctl events {name} -f` follows it"
            );
            Err(Error::failed("watch-timeout", detail))
        }
    }
}

fn finish(
    context: &Context<'_>,
    state: &str,
    after: Duration,
    causes: &[String],
    text: impl FnOnce() -> String,
) -> Result<(), Error> {
    let outcome = Verdict {
        state,
        elapsed_ms: after.as_millis(),
        causes,
    };
    context.ui.line(&Last { outcome }, |_| text())
}
