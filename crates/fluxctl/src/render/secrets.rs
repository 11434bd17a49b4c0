//! Secrets, without what they hold.

use super::{
    Facts, Table,
    paint::{Paint, plain},
    time::moment,
};
use crate::api::secrets::Secret;

pub fn table(secrets: &[Secret], paint: Paint) -> String {
    let header = &["NAME", "KIND", "VERSION", "CHANGED", "USED BY"];
    let mut table = Table::new(header).numbers(&["VERSION"]);
    for secret in secrets {
        table.row([
            plain(&secret.name),
            secret.kind.to_string(),
            secret.version.to_string(),
            moment(secret.updated_at),
            users(secret),
        ]);
    }
    table.text(paint, "no secrets")
}

pub fn facts(secret: &Secret, paint: Paint) -> String {
    let used_by = users(secret);
    Facts::new()
        .fact("secret", plain(&secret.name))
        .fact("kind", &secret.kind)
        .fact("version", secret.version)
        .fact("created", moment(secret.created_at))
        .fact("changed", moment(secret.updated_at))
        .maybe("used by", (!used_by.is_empty()).then_some(used_by))
        .text(paint)
}

fn users(secret: &Secret) -> String {
    let names: Vec<String> = secret.used_by.iter().map(|name| plain(name)).collect();
    names.join(", ")
}
