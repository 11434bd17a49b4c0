//! Every route of FluxOS v8.17 (`ZelBack/src/routes.js`): served here, or answered with 501 and the way to go instead.
//!
//! The list is `assets/fluxos-routes.json`, `served` and `instead` say what becomes of it; `docs/FLUXOS.md` is made from the same.

mod instead;
mod served;

use std::{fmt::Write as _, sync::LazyLock};

use axum::{
    Router,
    http::{Method, Uri},
    response::{IntoResponse as _, Response},
    routing::any,
};
use serde::Deserialize;

use self::{
    instead::{INSTEAD, NOWHERE},
    served::SERVED,
};
use super::envelope::Refused;
use crate::rest::{
    Gateway,
    access::{Access, Effect, Operation, Surface, Verb},
    layers::no_such_path,
};

/// The first part of every path of FluxOS, and the routes that catch what is not served.
const FAMILIES: [(&str, &str); 12] = [
    ("apps", "/apps/{*rest}"),
    ("arcane", "/arcane/{*rest}"),
    ("backup", "/backup/{*rest}"),
    ("benchmark", "/benchmark/{*rest}"),
    ("daemon", "/daemon/{*rest}"),
    ("explorer", "/explorer/{*rest}"),
    ("flux", "/flux/{*rest}"),
    ("id", "/id/{*rest}"),
    ("ioutils", "/ioutils/{*rest}"),
    ("payment", "/payment/{*rest}"),
    ("syncthing", "/syncthing/{*rest}"),
    ("zelid", "/zelid/{*rest}"),
];

/// Whether a path is one of FluxOS', so that its answers are too.
pub fn speaks(path: &str) -> bool {
    let family = path.split('/').nth(1).unwrap_or_default();
    FAMILIES.iter().any(|(known, _)| *known == family)
}

/// A route of the list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Listed {
    pub method: String,
    pub path: String,
}

#[derive(Deserialize)]
struct List {
    routes: Vec<Listed>,
}

static LISTED: LazyLock<Vec<Listed>> = LazyLock::new(|| {
    let text = include_str!("../../../assets/fluxos-routes.json");
    let list: List = serde_json::from_str(text).expect("the list is part of the program");
    list.routes
});

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let served = SERVED.iter().flat_map(|served| {
        served.templates.iter().map(|template| Operation {
            verb: served.verb,
            path: template,
            access: served.access,
            keyed: false,
            effect: served.effect,
            surface: Surface::FluxOs,
        })
    });
    let others = FAMILIES.iter().flat_map(|(_, template)| {
        [Verb::Get, Verb::Post].map(|verb| Operation {
            verb,
            path: template,
            access: Access::Public,
            keyed: false,
            effect: Effect::Reads,
            surface: Surface::FluxOs,
        })
    });
    served.chain(others).collect()
});

/// Every route of FluxOS.
pub fn listed() -> &'static [Listed] {
    &LISTED
}

/// Who may call what of it.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter()
}

impl Listed {
    pub fn is_served(&self) -> bool {
        SERVED
            .iter()
            .any(|served| served.listed == self.path && served.verb.name() == self.method)
    }

    /// The operation of this plane that does the same, if there is one.
    pub fn instead(&self) -> Option<&'static str> {
        let found = INSTEAD
            .iter()
            .find(|(start, _)| self.path.starts_with(start));
        found
            .map(|(_, instead)| *instead)
            .filter(|instead| *instead != NOWHERE)
    }

    /// Whether a path is one of this route.
    fn matches(&self, method: &str, path: &str) -> bool {
        if self.method != method {
            return false;
        }
        let mut given = path.trim_end_matches('/').split('/');
        for part in self.path.split('/') {
            match (part.strip_prefix(':'), given.next()) {
                (Some(name), None) if name.ends_with('?') => return true,
                (Some(_), Some(value)) if !value.is_empty() => {}
                (None, Some(value)) if value == part => {}
                _ => return false,
            }
        }
        given.next().is_none()
    }
}

/// All routes.
pub fn router() -> Router<Gateway> {
    let served = SERVED.iter().fold(Router::new(), |router, served| {
        served.templates.iter().fold(router, |router, template| {
            router.route(template, (served.handler)())
        })
    });
    FAMILIES.iter().fold(served, |router, (_, template)| {
        router.route(template, any(unserved))
    })
}

/// What FluxOS has and this plane does not serve.
async fn unserved(method: Method, uri: Uri) -> Response {
    // HEAD is answered as GET.
    let method = if method == Method::HEAD {
        Method::GET
    } else {
        method
    };
    let found = LISTED
        .iter()
        .find(|listed| listed.matches(method.as_str(), uri.path()));
    let Some(listed) = found else {
        return no_such_path(&uri).into_response();
    };
    let way = match listed.instead() {
        Some(instead) => format!("Use {instead}."),
        None => "It has no counterpart here.".to_owned(),
    };
    let Listed { method, path } = listed;
    let message = format!("{method} {path} is not served by this plane. {way}");
    Refused::not_implemented(message).into_response()
}

/// The table of `docs/FLUXOS.md`.
pub fn table() -> String {
    let mut table = "| route | here | instead |\n|---|---|---|\n".to_owned();
    for listed in listed() {
        let (here, instead) = if listed.is_served() {
            ("served", String::new())
        } else {
            let instead = listed.instead().map(|instead| format!("`{instead}`"));
            ("501", instead.unwrap_or_else(|| "-".to_owned()))
        };
        let Listed { method, path } = listed;
        writeln!(table, "| `{method} {path}` | {here} | {instead} |")
            .expect("writing to a text does not fail");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::access;

    #[test]
    fn what_is_served_is_a_route_of_fluxos() {
        for served in SERVED {
            let known = listed()
                .iter()
                .any(|listed| listed.path == served.listed && listed.is_served());
            assert!(known, "{}", served.listed);
        }
        let count = listed().iter().filter(|listed| listed.is_served()).count();
        assert_eq!((count, listed().len()), (SERVED.len(), 477));
    }

    #[test]
    fn what_to_use_instead_exists() {
        for (start, instead) in INSTEAD {
            let used = listed()
                .iter()
                .any(|listed| listed.path.starts_with(start) && !listed.is_served());
            assert!(used, "{start} is the beginning of nothing");
            if *instead == NOWHERE {
                continue;
            }
            let (verb, path) = instead.split_once(' ').unwrap();
            let ours = access::OPERATIONS
                .iter()
                .any(|operation| operation.verb.name() == verb && operation.path == path);
            let theirs = SERVED
                .iter()
                .any(|served| served.listed.starts_with(path) && served.verb.name() == verb);
            assert!(ours || theirs, "{instead}");
        }
    }

    #[test]
    fn a_path_is_matched_with_its_parameters() {
        let matches = |pattern: &str, path: &str| {
            let listed = Listed {
                method: "GET".to_owned(),
                path: pattern.to_owned(),
            };
            listed.matches("GET", path)
        };
        assert!(matches("/a/b/:c?/:d?", "/a/b"));
        assert!(matches("/a/b/:c?/:d?", "/a/b/1"));
        assert!(matches("/a/b/:c?/:d?", "/a/b/1/2/"));
        assert!(!matches("/a/b/:c?", "/a/b/1/2"));
        assert!(!matches("/a/b/:c", "/a/b"));
        assert!(!matches("/a/b", "/a/c"));
    }

    #[test]
    fn only_paths_of_fluxos_speak_it() {
        assert!(speaks("/apps/hashes") && speaks("/daemon"));
        assert!(!speaks("/v1/apps") && !speaks("/") && !speaks("/docs"));
    }
}
