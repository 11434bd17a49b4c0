//! The other services, played: what they would announce.

use fluxplane_core::attest::Statement;
use fluxplane_proto::{
    billing::v1::{CreateQuoteRequest, Quote, RevisionFunded},
    chain_indexer::v1::{
        BlockConnected, BlockDisconnected, PaidOutput, Payment, PaymentChanged,
        payment_changed::Change,
    },
    common::v1::Tier,
    node_registry::v1::{
        Node, NodeChanged, NodeState, SignedUsageReport, UsageInterval, UsageReportBody,
        UsageReported,
    },
    scheduler::v1::{AppEnded, AppState, Funding, InstanceAssigned, RevisionSubmitted},
};
use prost::Message as _;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{CREDIT, FIRST_HEIGHT, Plane, caller, stamp};

pub(crate) const OWNER: &str = "1CustomerOfTheseTests";
pub(crate) const STRANGER: &str = "1StrangerToTheCustomer";
pub(crate) const PAY_TO: &str = "t3NryfAQLGeFs9jEoeqsxmBN2QLRaRKFLUX";

pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A file of `tests/fixtures` at the root of the repository.
pub(crate) fn fixture(name: &str) -> Value {
    let path = format!("{}/../../tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|err| panic!("{path}: {err}"));
    serde_json::from_str(&text).unwrap()
}

/// A specification of the fixtures: a web server, 9.40 FLUX for three copies and a month.
pub(crate) fn spec(name: &str) -> Value {
    let file = fixture("fluxos-app-specs.json");
    let specs = file["specs"].as_array().unwrap();
    let entry = specs.iter().find(|entry| entry["id"] == "v8-mcp-template");
    let mut spec = entry.unwrap()["spec"].clone();
    spec["name"] = json!(name);
    spec
}

/// What [`spec`] costs.
pub(crate) const PRICE: i64 = 940_000_000;

/// Seconds of its term, and copies.
pub(crate) const TERM: u64 = 88_000 * 30;
pub(crate) const COPIES: u64 = 3;

/// What some instance-seconds of it cost, rounded down.
pub(crate) fn cost(instance_seconds: u64) -> i64 {
    let whole = i128::from(TERM * COPIES);
    let exact = i128::from(PRICE) * i128::from(instance_seconds) / whole;
    i64::try_from(exact).unwrap()
}

/// An application with the ids it will have.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) number: u128,
    pub(crate) name: String,
    pub(crate) owner: String,
}

pub(crate) fn app(number: u128) -> App {
    App {
        number,
        name: format!("app{number}"),
        owner: OWNER.to_owned(),
    }
}

impl App {
    pub(crate) fn owned_by(mut self, owner: &str) -> Self {
        owner.clone_into(&mut self.owner);
        self
    }

    pub(crate) fn id(&self) -> Uuid {
        id(0xa000_0000 + self.number)
    }

    pub(crate) fn revision(&self, number: u32) -> Uuid {
        id(0xb000_0000 + self.number * 100 + u128::from(number))
    }

    pub(crate) fn hash(&self, number: u32) -> String {
        format!("{:064x}", self.number * 100 + u128::from(number))
    }

    pub(crate) fn instance(&self, number: u128) -> Uuid {
        id(0xc000_0000 + self.number * 100 + number)
    }

    pub(crate) fn held(&self) -> String {
        format!("customer_held:{}", self.id())
    }

    pub(crate) fn submitted(
        &self,
        plane: &Plane,
        number: u32,
        quote: &Quote,
        funding: Funding,
    ) -> RevisionSubmitted {
        RevisionSubmitted {
            app_id: self.id().to_string(),
            app_name: self.name.clone(),
            owner: self.owner.clone(),
            revision_id: self.revision(number).to_string(),
            revision_number: number,
            message_hash: self.hash(number),
            quote_id: quote.quote_id.clone(),
            funding: funding.into(),
            submitted_at: stamp(plane.now()),
            pay_until: stamp(plane.now() + 3_600),
            spec_sha256: quote.spec_sha256.clone(),
        }
    }
}

impl Plane {
    pub(crate) async fn quote_for(&self, owner: &str, spec: &Value, update_of: &str) -> Quote {
        let request = CreateQuoteRequest {
            caller: caller(owner),
            idempotency_key: fluxplane_core::IdSource::next(&fluxplane_core::SystemIds).to_string(),
            spec_json: spec.to_string(),
            update_of: update_of.to_owned(),
        };
        let made = self.gateway().create_quote(request).await.unwrap();
        made.into_inner().quote.unwrap()
    }

    /// Quotes and submits the first revision of an application.
    pub(crate) async fn submit(&self, app: &App, funding: Funding) -> Quote {
        let quote = self.quote_for(&app.owner, &spec(&app.name), "").await;
        self.tell(&app.submitted(self, 1, &quote, funding)).await;
        quote
    }

    /// Submits an application, pays it and lets the payment sink.
    pub(crate) async fn deploy(&self, app: &App) -> RevisionFunded {
        self.submit(app, Funding::ChainPayment).await;
        let payment = pay(app.number, &app.hash(1), &[PRICE]);
        self.credit(&payment).await;
        let wanted = app.revision(1).to_string();
        self.hear(|funded: &RevisionFunded| funded.revision_id == wanted)
            .await
    }

    pub(crate) async fn block(&self, height: u32) {
        self.tell(&BlockConnected {
            height,
            hash: format!("hash-{height}"),
            previous_hash: format!("hash-{}", height - 1),
            time: stamp(self.now()),
            sequence: self.sequence(),
        })
        .await;
    }

    pub(crate) async fn undo_block(&self, height: u32) {
        self.tell(&BlockDisconnected {
            height,
            hash: format!("hash-{height}"),
            sequence: self.sequence(),
        })
        .await;
    }

    pub(crate) async fn payment(&self, change: Change, payment: &Payment) {
        self.old_payment(change, payment, self.sequence()).await;
    }

    /// An announcement with a sequence of its own.
    pub(crate) async fn old_payment(&self, change: Change, payment: &Payment, sequence: u64) {
        self.tell(&PaymentChanged {
            sequence,
            change: change.into(),
            payment: Some(payment.clone()),
            memo_problem: if payment.message_hash.is_empty() {
                "the text has 3 characters".to_owned()
            } else {
                String::new()
            },
            ..PaymentChanged::default()
        })
        .await;
    }

    /// Seen, then confirmed deep enough to be money.
    pub(crate) async fn credit(&self, payment: &Payment) {
        self.payment(Change::Seen, payment).await;
        self.payment(Change::Confirmed, &buried(payment, CREDIT))
            .await;
    }

    pub(crate) async fn node(&self, node: &Machine) {
        self.tell(&NodeChanged {
            node: Some(Node {
                node_id: node.id.to_string(),
                operator: node.operator.clone(),
                tier: Tier::Cumulus.into(),
                state: NodeState::Ready.into(),
                joined_at: stamp(0),
                version: 1,
                ..Node::default()
            }),
        })
        .await;
    }

    pub(crate) async fn assign(
        &self,
        app: &App,
        instance: u128,
        epoch: u64,
        node: &Machine,
        at: u64,
    ) {
        self.tell(&InstanceAssigned {
            instance_id: app.instance(instance).to_string(),
            app_id: app.id().to_string(),
            revision_id: app.revision(1).to_string(),
            node_id: node.id.to_string(),
            assignment_epoch: epoch,
            assigned_at: stamp(at),
        })
        .await;
    }

    pub(crate) async fn end(&self, app: &App, at: u64) {
        self.tell(&AppEnded {
            app_id: app.id().to_string(),
            state: AppState::Cancelled.into(),
            ended_at: stamp(at),
        })
        .await;
    }
}

/// A payment that waits in the mempool.
pub(crate) fn pay(number: u128, message_hash: &str, amounts: &[i64]) -> Payment {
    let outputs = (0..).zip(amounts).map(|(vout, amount)| PaidOutput {
        vout,
        address: PAY_TO.to_owned(),
        amount_sat: *amount,
    });
    Payment {
        txid: format!("{number:064x}"),
        message_hash: message_hash.to_owned(),
        outputs: outputs.collect(),
        total_sat: amounts.iter().sum(),
        ..Payment::default()
    }
}

/// The same payment in a block right above the first.
pub(crate) fn buried(payment: &Payment, confirmations: u32) -> Payment {
    let height = FIRST_HEIGHT + 1;
    Payment {
        height,
        block_hash: format!("hash-{height}"),
        confirmations,
        ..payment.clone()
    }
}

/// A node with the key of its agent.
pub(crate) struct Machine {
    pub(crate) id: Uuid,
    pub(crate) operator: String,
    key: Ed25519KeyPair,
}

pub(crate) fn machine(number: u8) -> Machine {
    Machine {
        id: id(0xd000_0000 + u128::from(number)),
        operator: format!("1Operator{number}"),
        key: Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap(),
    }
}

impl Machine {
    /// The node was up in `[from, to)`, and each instance ran in its own span.
    pub(crate) fn report(
        &self,
        sequence: u64,
        (from, to): (u64, u64),
        ran: &[(Uuid, u64, u64, u64)],
    ) -> UsageReportBody {
        let ran = ran.iter().map(|(instance, epoch, from, to)| UsageInterval {
            instance_id: instance.to_string(),
            assignment_epoch: *epoch,
            from_unix_s: *from,
            to_unix_s: *to,
        });
        UsageReportBody {
            node_id: self.id.to_string(),
            sequence,
            from_unix_s: from,
            to_unix_s: to,
            instances: ran.collect(),
        }
    }

    pub(crate) fn signed(&self, body: &UsageReportBody, received_at: u64) -> UsageReported {
        let signed = body.encode_to_vec();
        let signature = self.key.sign(&Statement::Usage.message(&signed));
        UsageReported {
            node_id: self.id.to_string(),
            report: Some(SignedUsageReport {
                signature: signature.as_ref().to_vec(),
                signed,
            }),
            agent_pubkey: self.key.public_key().as_ref().to_vec(),
            received_at: stamp(received_at),
        }
    }
}
