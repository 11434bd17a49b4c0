//! `login`, `logout`, `whoami`

use serde::Serialize;

use super::Context;
use crate::{
    api::{Client, Session, auth::Me},
    cli::session::{Login, Logout, Whoami},
    error::Error,
    exit::Exit,
    render::{Facts, Paint, time::moment},
    wallet::Key,
};

/// Who is signed in where, as far as it may be shown.
#[derive(Debug, Serialize)]
struct SignedIn<'a> {
    principal: &'a str,
    server: &'a str,
    profile: String,
    /// End of the access token, which renews itself.
    expires_at: chrono::DateTime<chrono::Utc>,
    /// When the wallet must sign again.
    refresh_expires_at: chrono::DateTime<chrono::Utc>,
}

pub(super) async fn login(context: &Context<'_>, args: Login) -> Result<Exit, Error> {
    let ui = context.ui;
    let client = context.client()?;
    // The session file needs its folder.
    context.settings.save_profile()?;
    if unencrypted(&client) {
        ui.note(
            "note: the connection to the plane is not encrypted; use https beyond your own machine",
        );
    }
    let session = match (&args.key_file, &args.address) {
        (Some(path), _) => {
            let key = Key::read("--key-file", path)?;
            warn_if_exposed(context, path);
            ui.progress()
                .during("signing in", client.sign_in(&key))
                .await?
        }
        (None, Some(address)) => by_hand(context, &client, address).await?,
        (None, None) => {
            let rule = "somebody must sign";
            return Err(Error::input(
                "--key-file",
                "not given",
                rule,
                "name a key file or an address",
            ));
        }
    };
    let Session {
        server,
        principal,
        expires_at,
        refresh_expires_at,
        ..
    } = &session;
    let signed_in = SignedIn {
        principal,
        server,
        profile: context.settings.profile.to_string(),
        expires_at: *expires_at,
        refresh_expires_at: *refresh_expires_at,
    };
    ui.show(&signed_in, |_| {
        let until = moment(signed_in.refresh_expires_at);
        format!("signed in to {server} as {principal}, until {until} without use\n")
    })?;
    Ok(Exit::Success)
}

/// Shows the phrase and takes the signature that a wallet made elsewhere.
async fn by_hand(context: &Context<'_>, client: &Client, address: &str) -> Result<Session, Error> {
    let challenge = client.challenge(address).await?;
    let how = if address.starts_with("0x") {
        "with personal_sign"
    } else {
        "as a message, for example with `fluxctl wallet sign`"
    };
    context.ui.note(format!(
        "Sign this phrase with the wallet of {address}, {how}, until {}:\n\n{}\n",
        moment(challenge.expires_at),
        challenge.phrase
    ));
    let signature = context.ui.ask("signature:")?;
    Ok(client
        .open_session(address, &challenge.phrase, &signature)
        .await?)
}

pub(super) async fn logout(context: &Context<'_>, _: Logout) -> Result<Exit, Error> {
    #[derive(Serialize)]
    struct SignedOut {
        signed_out: bool,
        server: String,
    }
    let client = context.client()?;
    let server = client.server().as_str().trim_end_matches('/').to_owned();
    client.sign_out().await?;
    let signed_out = SignedOut {
        signed_out: true,
        server,
    };
    let text = |_: Paint| format!("signed out of {}\n", signed_out.server);
    context.ui.show(&signed_out, text)?;
    Ok(Exit::Success)
}

pub(super) async fn whoami(context: &Context<'_>, _: Whoami) -> Result<Exit, Error> {
    #[derive(Serialize)]
    struct Answer {
        #[serde(flatten)]
        me: Me,
        server: String,
        profile: String,
    }
    let client = context.client()?;
    let answer = Answer {
        me: client.me().await?,
        server: client.server().as_str().trim_end_matches('/').to_owned(),
        profile: context.settings.profile.to_string(),
    };
    context.ui.show(&answer, |paint| {
        Facts::new()
            .fact("principal", &answer.me.principal)
            .fact("server", &answer.server)
            .fact("profile", &answer.profile)
            .fact("admin", if answer.me.admin { "yes" } else { "no" })
            .fact("session", answer.me.session_id)
            .text(paint)
    })?;
    Ok(Exit::Success)
}

/// Whether tokens would cross a network in the open.
fn unencrypted(client: &Client) -> bool {
    let url = client.server();
    let local = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    url.scheme() == "http" && !local
}

/// Says so when others can read a key.
pub(super) fn warn_if_exposed(context: &Context<'_>, path: &std::path::Path) {
    if Key::is_exposed(path) {
        let shown = path.display();
        context.ui.note(format!(
            "warning: others can read the key file {shown}; run `chmod 600 {shown}`"
        ));
    }
}
