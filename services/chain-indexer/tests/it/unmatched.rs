//! Payments that name no message: kept, listed with what is wrong, and found again.

use fluxplane_platform::error::{Remote, ServiceError as _};
use fluxplane_proto::{
    chain_indexer::v1::{
        GetPaymentRequest, ListUnmatchedPaymentsRequest, MemoProblem, PaymentState, RecordedPayment,
    },
    common::v1::PageRequest,
};
use fluxplane_testkit::eventually;
use tonic::Code;

use crate::support::{
    chain::{Branch, change, message, output, payment, shop, text, transfer, txid},
    daemon::Daemon,
    said::Asked,
    service::{Ground, LIMIT},
};

/// One payment for each thing that can be wrong, with what that is.
fn cases() -> Vec<(Vec<u8>, MemoProblem)> {
    let to_us = || output(shop().script(), 5);
    let hash = message('e');
    vec![
        (transfer(1, vec![to_us(), change()]), MemoProblem::Missing),
        (
            transfer(2, vec![to_us(), text(&hash), text(&hash)]),
            MemoProblem::Ambiguous,
        ),
        (
            transfer(3, vec![to_us(), text("thanks")]),
            MemoProblem::Length,
        ),
        (
            transfer(4, vec![to_us(), text(&hash.to_uppercase())]),
            MemoProblem::Alphabet,
        ),
        (
            transfer(5, vec![to_us(), text(&"0".repeat(63))]),
            MemoProblem::Length,
        ),
    ]
}

async fn asked() -> (Asked, Daemon) {
    let mut raws: Vec<Vec<u8>> = cases().into_iter().map(|case| case.0).collect();
    let waiting = raws.pop().unwrap();
    raws.push(payment(9, &message('e')));
    let mut branch = Branch::leave_at(300, 0);
    branch.grow(&raws);
    let daemon = Daemon::start(&branch.blocks).await;
    daemon.set_mempool(&[waiting]);
    let ground = Ground::new().await;
    let config = ground.config(&daemon);
    let asked = Asked::start(ground, config, 301).await;
    let client = asked.payments.clone();
    eventually(LIMIT, async || {
        let request = ListUnmatchedPaymentsRequest::default();
        let listed = client.clone().list_unmatched_payments(request).await;
        let listed = listed.unwrap().into_inner().payments;
        if listed.len() == 5 {
            Ok(())
        } else {
            Err(listed)
        }
    })
    .await;
    (asked, daemon)
}

async fn list(asked: &Asked, problem: MemoProblem) -> Vec<RecordedPayment> {
    let (mut cursor, mut found) = (String::new(), Vec::new());
    loop {
        let request = ListUnmatchedPaymentsRequest {
            problem: problem.into(),
            page: Some(PageRequest { size: 2, cursor }),
        };
        let mut client = asked.payments.clone();
        let answer = client.list_unmatched_payments(request).await;
        let answer = answer.unwrap().into_inner();
        found.extend(answer.payments);
        cursor = answer.page.unwrap().next_cursor;
        if cursor.is_empty() {
            return found;
        }
    }
}

#[tokio::test]
async fn every_unmatched_payment_is_listed_with_what_is_wrong_with_it() {
    let (asked, _daemon) = asked().await;
    let all = list(&asked, MemoProblem::Unspecified).await;
    assert_eq!(all.len(), 5);
    for (raw, problem) in cases() {
        let id = txid(&raw).to_string();
        let of = |it: &&RecordedPayment| it.payment.as_ref().unwrap().txid == id;
        let found = all.iter().find(of).unwrap();
        assert_eq!(found.problem(), problem);
        assert!(!found.memo_problem.is_empty());
        assert!(list(&asked, problem).await.contains(found));
        let paid = found.payment.as_ref().unwrap();
        assert_eq!(
            (paid.total_sat, paid.message_hash.as_str()),
            (500_000_000, "")
        );
        let state = if paid.height == 0 {
            PaymentState::Mempool
        } else {
            PaymentState::Mined
        };
        assert_eq!(found.state(), state);
    }
    assert_eq!(list(&asked, MemoProblem::Length).await.len(), 2);
    let metrics = asked.service.metrics.encode();
    for (problem, count) in [
        ("missing", 1),
        ("ambiguous", 1),
        ("length", 2),
        ("alphabet", 1),
    ] {
        let line =
            format!("fluxplane_chain_unmatched_payments_total{{problem=\"{problem}\"}} {count}");
        assert!(metrics.contains(&line), "{line} in\n{metrics}");
    }
}

#[tokio::test]
async fn a_payment_is_found_by_its_transaction_whatever_it_says() {
    let (asked, _daemon) = asked().await;
    let mut client = asked.payments.clone();
    for (raw, problem) in [
        (payment(9, &message('e')), MemoProblem::Unspecified),
        cases().remove(0),
    ] {
        let txid = txid(&raw).to_string();
        let found = client
            .get_payment(GetPaymentRequest { txid: txid.clone() })
            .await;
        let found = found.unwrap().into_inner().payment.unwrap();
        assert_eq!(found.problem(), problem);
        assert_eq!(found.payment.unwrap().txid, txid);
        assert!(found.first_seen_at.is_some());
    }
    let absent = GetPaymentRequest { txid: message('1') };
    let status = client.get_payment(absent).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let wrong = GetPaymentRequest {
        txid: "12".to_owned(),
    };
    let status = client.get_payment(wrong).await.unwrap_err();
    assert_eq!(Remote::from(status).violations()[0].field, "txid");
    let request = ListUnmatchedPaymentsRequest {
        problem: 9,
        page: None,
    };
    let status = client.list_unmatched_payments(request).await.unwrap_err();
    assert_eq!(Remote::from(status).violations()[0].field, "problem");
}
