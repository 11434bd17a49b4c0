//! Tests of a running plane. One at a time: each needs the whole machine.

mod killed;
mod observed;
mod refused;
mod support;
