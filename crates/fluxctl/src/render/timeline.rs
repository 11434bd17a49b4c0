//! What happened to an application, entry by entry.

use std::time::Duration;

use super::{
    Table,
    paint::{Paint, plain, tone_of},
    time::{elapsed, exact},
};
use crate::api::TimelineEntry;

/// Widest stage, `payment_confirmed`.
const STAGE: usize = 17;

/// An entry while it is followed: since when, which stage, where, what.
pub fn live(entry: &TimelineEntry, since: Duration, paint: Paint) -> String {
    let stage = stage(entry, paint);
    format!(
        "{:>13}  {stage}  {}{}",
        elapsed(since),
        subject(entry),
        plain(&entry.message)
    )
}

/// An entry of a list that is followed.
pub fn line(entry: &TimelineEntry, paint: Paint) -> String {
    let stage = stage(entry, paint);
    format!(
        "{}  {stage}  {}{}",
        exact(entry.at),
        subject(entry),
        plain(&entry.message)
    )
}

/// The list as a whole.
pub fn table(entries: &[TimelineEntry], paint: Paint) -> String {
    let mut table =
        Table::new(&["SEQ", "TIME", "STAGE", "INSTANCE", "NODE", "MESSAGE"]).numbers(&["SEQ"]);
    for entry in entries {
        table.row([
            entry.sequence.to_string(),
            exact(entry.at),
            paint.state(&plain(&entry.stage)),
            entry.instance_id.map(short).unwrap_or_default(),
            entry.node_id.map(short).unwrap_or_default(),
            plain(&entry.message),
        ]);
    }
    table.text(paint, "nothing happened yet")
}

fn stage(entry: &TimelineEntry, paint: Paint) -> String {
    paint.tone(
        tone_of(&entry.stage),
        &format!("{:<STAGE$}", plain(&entry.stage)),
    )
}

fn subject(entry: &TimelineEntry) -> String {
    entry
        .instance_id
        .map(|id| format!("[{}] ", short(id)))
        .unwrap_or_default()
}

/// The end of an id: the beginning is time and alike for things made together.
pub fn short(id: uuid::Uuid) -> String {
    let text = id.simple().to_string();
    text.chars().skip(text.len() - 8).collect()
}
