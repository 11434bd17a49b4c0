//! Who may call what. The gate looks every request up here; what is not listed is refused, so a route that someone
//! forgets to list does not open a door.

use axum::http::Method;

use super::fluxos;

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everyone.
    Public,
    /// Whoever has a session; the operation then shows and changes only what is theirs.
    SignedIn,
    /// Addresses that the configuration names.
    Admin,
}

/// The methods of the API. HEAD counts as GET.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

impl Verb {
    pub fn of(method: &Method) -> Option<Self> {
        [
            (Method::GET, Self::Get),
            (Method::HEAD, Self::Get),
            (Method::POST, Self::Post),
            (Method::PUT, Self::Put),
            (Method::DELETE, Self::Delete),
        ]
        .into_iter()
        .find_map(|(known, verb)| (known == *method).then_some(verb))
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// What calls of it do, unless the operation says otherwise.
    const fn effect(self) -> Effect {
        match self {
            Self::Get => Effect::Reads,
            Self::Post | Self::Put | Self::Delete => Effect::Changes,
        }
    }
}

/// Whether calls change something, and so leave an audit row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Reads,
    Changes,
}

/// Whose names an operation has, and how it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// Ours: bearer tokens, problem documents.
    Native,
    /// FluxOS': the header `zelidauth`, its envelope.
    FluxOs,
}

/// One operation of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    pub verb: Verb,
    /// Path template, as the router matches it.
    pub path: &'static str,
    pub access: Access,
    /// Whether the call must carry an `Idempotency-Key`.
    pub keyed: bool,
    pub effect: Effect,
    pub surface: Surface,
}

impl Operation {
    pub const fn changes(&self) -> bool {
        matches!(self.effect, Effect::Changes)
    }
}

const fn public(path: &'static str) -> Operation {
    Operation {
        verb: Verb::Get,
        path,
        access: Access::Public,
        keyed: false,
        effect: Effect::Reads,
        surface: Surface::Native,
    }
}

/// A question that is too large for a query: it changes nothing, so it needs no key and leaves no row.
const fn ask(path: &'static str) -> Operation {
    Operation {
        verb: Verb::Post,
        ..public(path)
    }
}

const fn read(path: &'static str) -> Operation {
    Operation {
        access: Access::SignedIn,
        ..public(path)
    }
}

/// A change by someone signed in. POST carries a key; PUT and DELETE name the version they act on instead.
const fn change(verb: Verb, path: &'static str) -> Operation {
    Operation {
        verb,
        access: Access::SignedIn,
        keyed: matches!(verb, Verb::Post),
        effect: verb.effect(),
        ..public(path)
    }
}

/// A PUT or DELETE that names no version, and so carries a key as a POST does.
const fn keyed(operation: Operation) -> Operation {
    Operation {
        keyed: true,
        ..operation
    }
}

/// A step of signing in. Its own tokens and phrases work once, so it needs no key.
const fn sign_in(path: &'static str) -> Operation {
    Operation {
        effect: Effect::Changes,
        ..ask(path)
    }
}

/// The API, as the OpenAPI document describes it.
pub const OPERATIONS: &[Operation] = &[
    sign_in("/v1/auth/challenges"),
    sign_in("/v1/auth/sessions"),
    sign_in("/v1/auth/sessions:refresh"),
    change(Verb::Delete, "/v1/auth/sessions/current"),
    read("/v1/auth/me"),
    ask("/v1/specs:check"),
    ask("/v1/specs:convert"),
    change(Verb::Post, "/v1/quotes"),
    read("/v1/quotes/{quote_id}"),
    public("/v1/rate"),
    Operation {
        access: Access::Admin,
        ..change(Verb::Post, "/v1/rate:override")
    },
    change(Verb::Post, "/v1/apps"),
    read("/v1/apps"),
    read("/v1/apps/{name}"),
    change(Verb::Put, "/v1/apps/{name}"),
    change(Verb::Delete, "/v1/apps/{name}"),
    read("/v1/apps/{name}/instances"),
    read("/v1/apps/{name}/timeline"),
    read("/v1/apps/{name}/events"),
    read("/v1/apps/{name}/instances/{instance_id}/logs"),
    read("/v1/apps/{name}/instances/{instance_id}/decision"),
    read("/v1/secrets"),
    read("/v1/secrets/{name}"),
    keyed(change(Verb::Put, "/v1/secrets/{name}")),
    keyed(change(Verb::Delete, "/v1/secrets/{name}")),
    public("/v1/nodes"),
    public("/v1/nodes/summary"),
    public("/v1/nodes/{node_id}"),
    change(Verb::Post, "/v1/nodes/join-tokens"),
    read("/v1/earnings"),
    read("/v1/account"),
    read("/v1/invoices"),
    read("/v1/invoices/{invoice_id}"),
    read("/v1/invoices/{invoice_id}/lines/{number}/proof"),
    public("/v1/epochs"),
    public("/v1/epochs/{number}"),
    public("/v1/epochs/{number}/leaves"),
    public("/v1/epochs/{number}/anchor"),
    Operation {
        access: Access::Admin,
        ..change(Verb::Post, "/v1/epochs:close")
    },
    public("/v1/chain/status"),
    public("/v1/chain/blocks/{height_or_hash}"),
    public("/v1/chain/transactions/{txid}"),
    public("/v1/chain/fluxnodes"),
    public("/v1/chain/fluxnodes/{txid}/{vout}"),
    public("/v1/chain/next-payees"),
    public("/v1/chain/tiers"),
    public("/v1/chain/capacity"),
    public("/v1/chain/addresses/{address}"),
    public("/v1/chain/addresses/{address}/transactions"),
    public("/v1/chain/addresses/{address}/unspent"),
    public("/v1/chain/outputs/{txid}/{vout}"),
    public("/v1/chain/rich-list"),
    public("/v1/chain/supply"),
    public("/v1/chain/emission"),
    public("/v1/chain/payments/{message_hash}"),
    public("/v1/chain/unmatched-payments"),
    public("/v1/chain/transactions/{txid}/payment"),
    public("/v1/chain/anchors"),
    public("/v1/chain/price-messages"),
    public("/v1/chain/evm/assets"),
    public("/v1/chain/evm/assets/{asset}"),
    public("/v1/chain/evm/transfers"),
];

/// Pages for people, and the document itself.
pub const PAGES: &[Operation] = &[
    public("/"),
    public("/openapi.json"),
    public("/docs"),
    public("/docs/errors"),
    public("/docs/{asset}"),
];

/// The operation behind a method and a path template.
pub fn find(verb: Verb, path: &str) -> Option<&'static Operation> {
    all().find(|operation| operation.verb == verb && operation.path == path)
}

/// The methods a path template knows, for `Allow`.
pub fn verbs_of(path: &str) -> Vec<&'static str> {
    all()
        .filter(|operation| operation.path == path)
        .map(|operation| operation.verb.name())
        .collect()
}

fn all() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS
        .iter()
        .chain(PAGES)
        .chain(fluxos::routes::operations())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_listed_once() {
        for operation in all() {
            let twins =
                all().filter(|other| (other.verb, other.path) == (operation.verb, operation.path));
            assert_eq!(twins.count(), 1, "{operation:?}");
        }
    }

    #[test]
    fn every_changing_operation_but_sign_in_is_protected() {
        for operation in all().filter(|operation| operation.changes()) {
            let sign_in =
                operation.path.starts_with("/v1/auth/") || operation.path.ends_with("/verifylogin");
            assert!(
                sign_in || operation.access != Access::Public,
                "{operation:?}"
            );
        }
    }
}
