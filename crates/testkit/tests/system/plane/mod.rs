//! Tests of a running plane. One at a time: each needs the whole machine.

mod fluxos;
mod killed;
mod native;
mod observed;
mod refused;
mod support;
