//! The routes of FluxOS that are served, in the order in which a client meets them.

use axum::routing::{MethodRouter, get, post};

use super::super::{apps, daemon, id, node};
use crate::rest::{
    Gateway,
    access::{Access, Effect, Verb},
};

/// A route that is served.
pub(super) struct Served {
    pub(super) verb: Verb,
    /// As FluxOS lists it.
    pub(super) listed: &'static str,
    /// As the router matches it: an optional parameter is two templates.
    pub(super) templates: &'static [&'static str],
    pub(super) access: Access,
    pub(super) effect: Effect,
    pub(super) handler: fn() -> MethodRouter<Gateway>,
}

/// A question of everybody.
const fn reads(
    verb: Verb,
    listed: &'static str,
    templates: &'static [&'static str],
    handler: fn() -> MethodRouter<Gateway>,
) -> Served {
    Served {
        verb,
        listed,
        templates,
        access: Access::Public,
        effect: Effect::Reads,
        handler,
    }
}

const fn changes(
    access: Access,
    listed: &'static str,
    templates: &'static [&'static str],
    handler: fn() -> MethodRouter<Gateway>,
) -> Served {
    Served {
        verb: Verb::Post,
        listed,
        templates,
        access,
        effect: Effect::Changes,
        handler,
    }
}

pub(super) const SERVED: &[Served] = &[
    reads(Verb::Get, "/id/loginphrase", &["/id/loginphrase"], || {
        get(id::login_phrase)
    }),
    changes(
        Access::Public,
        "/id/verifylogin",
        &["/id/verifylogin"],
        || post(id::verify_login),
    ),
    reads(
        Verb::Get,
        "/zelid/loginphrase",
        &["/zelid/loginphrase"],
        || get(id::login_phrase),
    ),
    changes(
        Access::Public,
        "/zelid/verifylogin",
        &["/zelid/verifylogin"],
        || post(id::verify_login),
    ),
    reads(
        Verb::Post,
        "/apps/verifyappregistrationspecifications",
        &["/apps/verifyappregistrationspecifications"],
        || post(apps::verify::registration),
    ),
    reads(
        Verb::Post,
        "/apps/verifyappupdatespecifications",
        &["/apps/verifyappupdatespecifications"],
        || post(apps::verify::update),
    ),
    reads(
        Verb::Post,
        "/apps/calculateprice",
        &["/apps/calculateprice"],
        || post(apps::price::calculate),
    ),
    reads(
        Verb::Post,
        "/apps/calculatefiatandfluxprice",
        &["/apps/calculatefiatandfluxprice"],
        || post(apps::price::calculate),
    ),
    changes(
        Access::SignedIn,
        "/apps/appregister",
        &["/apps/appregister"],
        || post(apps::submit::register),
    ),
    changes(
        Access::SignedIn,
        "/apps/appupdate",
        &["/apps/appupdate"],
        || post(apps::submit::update),
    ),
    reads(
        Verb::Get,
        "/apps/latestspecificationversion",
        &["/apps/latestspecificationversion"],
        || get(apps::information::latest_version),
    ),
    reads(
        Verb::Get,
        "/apps/registrationinformation",
        &["/apps/registrationinformation"],
        || get(apps::information::registration),
    ),
    reads(
        Verb::Get,
        "/apps/deploymentinformation",
        &["/apps/deploymentinformation"],
        || get(apps::information::deployment),
    ),
    reads(
        Verb::Get,
        "/apps/getappspecsusdprice",
        &["/apps/getappspecsusdprice"],
        || get(apps::information::usd_price),
    ),
    reads(
        Verb::Get,
        "/apps/globalappsspecifications/:hash?/:owner?/:appname?",
        &[
            "/apps/globalappsspecifications",
            "/apps/globalappsspecifications/{hash}",
            "/apps/globalappsspecifications/{hash}/{owner}",
            "/apps/globalappsspecifications/{hash}/{owner}/{appname}",
        ],
        || get(apps::read::global_specifications),
    ),
    reads(
        Verb::Get,
        "/apps/appspecifications/:appname/:decrypt?",
        &[
            "/apps/appspecifications",
            "/apps/appspecifications/{appname}",
            "/apps/appspecifications/{appname}/{decrypt}",
        ],
        || get(apps::read::specifications),
    ),
    reads(
        Verb::Get,
        "/apps/location/:appname?",
        &["/apps/location", "/apps/location/{appname}"],
        || get(apps::read::location),
    ),
    reads(Verb::Get, "/apps/locations", &["/apps/locations"], || {
        get(apps::read::locations)
    }),
    reads(
        Verb::Get,
        "/apps/permanentmessages/:hash?/:owner?/:appname?",
        &[
            "/apps/permanentmessages",
            "/apps/permanentmessages/{hash}",
            "/apps/permanentmessages/{hash}/{owner}",
            "/apps/permanentmessages/{hash}/{owner}/{appname}",
        ],
        || get(apps::read::permanent_messages),
    ),
    reads(
        Verb::Get,
        "/apps/temporarymessages/:hash?",
        &["/apps/temporarymessages", "/apps/temporarymessages/{hash}"],
        || get(apps::read::temporary_messages),
    ),
    reads(Verb::Get, "/apps/hashes", &["/apps/hashes"], || {
        get(apps::read::hashes)
    }),
    reads(Verb::Get, "/flux/version", &["/flux/version"], || {
        get(node::version)
    }),
    reads(Verb::Get, "/flux/info", &["/flux/info"], || get(node::info)),
    reads(
        Verb::Get,
        "/daemon/viewdeterministicfluxnodelist/:filter?",
        &[
            "/daemon/viewdeterministicfluxnodelist",
            "/daemon/viewdeterministicfluxnodelist/{filter}",
        ],
        || get(daemon::fluxnodes::list),
    ),
    reads(
        Verb::Get,
        "/daemon/viewdeterministiczelnodelist/:filter?",
        &[
            "/daemon/viewdeterministiczelnodelist",
            "/daemon/viewdeterministiczelnodelist/{filter}",
        ],
        || get(daemon::fluxnodes::list),
    ),
    reads(
        Verb::Get,
        "/daemon/listfluxnodes/:filter?",
        &["/daemon/listfluxnodes", "/daemon/listfluxnodes/{filter}"],
        || get(daemon::fluxnodes::list),
    ),
    reads(
        Verb::Get,
        "/daemon/getblockcount",
        &["/daemon/getblockcount"],
        || get(daemon::blocks::count),
    ),
    reads(
        Verb::Get,
        "/daemon/getbestblockhash",
        &["/daemon/getbestblockhash"],
        || get(daemon::blocks::best_hash),
    ),
    reads(
        Verb::Get,
        "/daemon/getblockhash/:index?",
        &["/daemon/getblockhash", "/daemon/getblockhash/{index}"],
        || get(daemon::blocks::hash),
    ),
    reads(
        Verb::Get,
        "/daemon/getblock/:hashheight?/:verbosity?",
        &[
            "/daemon/getblock",
            "/daemon/getblock/{hashheight}",
            "/daemon/getblock/{hashheight}/{verbosity}",
        ],
        || get(daemon::blocks::block),
    ),
    reads(
        Verb::Get,
        "/daemon/getrawtransaction/:txid?/:verbose?",
        &[
            "/daemon/getrawtransaction",
            "/daemon/getrawtransaction/{txid}",
            "/daemon/getrawtransaction/{txid}/{verbose}",
        ],
        || get(daemon::transactions::raw),
    ),
];
