//! The rules of money, checked from outside.

#![expect(clippy::unwrap_used, reason = "tests")]

mod accrual;
mod book;
mod book_histories;
mod epoch;
mod golden;
mod hold;
mod interval;
mod meter;
mod proof;
mod refund;
mod rfc6962;
mod samples;
mod share;
mod transfer;
mod tree;
