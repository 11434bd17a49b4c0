//! Secrets of owners: stored, listed, destroyed. Values go in and come out only through [`super::deliver_private`].

use fluxplane_core::error::Violation;
use fluxplane_platform::db::{idempotency, paging::Page};
use sqlx::PgConnection;

use super::{Context, Error, vault::secret_row};
use crate::{
    db,
    domain::{
        Refusal, Workload,
        private::Use,
        secret::{Content, Described, check_name},
    },
};

#[derive(Debug)]
pub struct PutSecret {
    pub principal: String,
    pub name: String,
    pub content: Content,
}

/// Stores a value. When it replaces another one, the containers that have it in their environment are made anew, one copy at
/// a time. Returns whether the secret is new. `request` makes the idempotency key's request from a keyed hash of the value:
/// nothing that is stored allows guesses on it.
pub async fn put_secret(
    ctx: &Context,
    request: impl FnOnce(&[u8; 32]) -> Result<idempotency::Request, Refusal>,
    command: PutSecret,
) -> Result<(Described, bool), Error> {
    let PutSecret {
        principal: owner,
        name,
        content,
    } = command;
    check_name(&name).map_err(Refusal::invalid)?;
    content.check().map_err(Refusal::invalid)?;
    let mut tx = fluxplane_platform::db::begin(&ctx.pool).await?;
    let (vault, now) = (&ctx.vault, ctx.clock.now());
    let key = vault
        .key(&mut tx, &owner, ctx.ids.as_ref(), ctx.clock.as_ref())
        .await?;
    let plaintext = content.to_bytes();
    let idempotency = request(&key.fingerprint(&plaintext))?;
    let done = idempotency::once(&mut tx, &idempotency, async |conn| {
        db::secrets::lock_owner(conn, &owner).await?;
        let before = db::secrets::list(conn, &owner, Some(&name), &one()).await?;
        let before = before.into_iter().next();
        let limit = ctx.limits.secrets_per_owner;
        if before.is_none() && db::secrets::count(conn, &owner).await? >= i64::from(limit) {
            return Err(Refusal::too_many_secrets(&owner, limit).into());
        }
        let kind = content.kind();
        if let Some(before) = &before
            && before.kind != kind
            && !before.used_by.is_empty()
        {
            return Err(Refusal::secret_in_use(
                &name,
                &before.used_by,
                "it keeps its kind while it is in use",
            )
            .into());
        }
        let created = before.is_none();
        let secret = match before {
            None => Described {
                id: ctx.ids.next(),
                name: name.clone(),
                kind,
                version: 1,
                created_at: now,
                updated_at: now,
                used_by: Vec::new(),
            },
            Some(before) => Described {
                kind,
                version: before.version + 1,
                updated_at: now,
                ..before
            },
        };
        let row = secret_row(&owner, secret.id, secret.version);
        let sealed = key.seal(&row, &plaintext, vault.entropy.as_ref())?;
        db::secrets::put(conn, &owner, &secret, &sealed).await?;
        if !created {
            db::secrets::renew_containers(conn, &owner, &name, now).await?;
        }
        Ok::<_, Error>((secret, created))
    })
    .await?;
    tx.commit().await.map_err(Error::Commit)?;
    tracing::info!(secret.version = done.0.version, "secret stored");
    Ok(done)
}

/// One secret of the caller, without its value.
pub async fn get_secret(ctx: &Context, owner: &str, name: &str) -> Result<Described, Error> {
    let mut conn = ctx.pool.acquire().await?;
    find(&mut conn, owner, name).await
}

/// One page of the caller's secrets, without their values, and the cursor of the next.
pub async fn list_secrets(
    ctx: &Context,
    owner: &str,
    page: &Page<String>,
) -> Result<(Vec<Described>, String), Error> {
    let mut conn = ctx.pool.acquire().await?;
    let mut secrets = db::secrets::list(&mut conn, owner, None, page).await?;
    let cursor = page.cut(&mut secrets, |secret| secret.name.clone());
    Ok((secrets, cursor))
}

#[derive(Debug)]
pub struct DeleteSecret {
    pub principal: String,
    pub name: String,
    /// Also when living applications name it.
    pub force: bool,
}

/// Destroys a secret and the key it was sealed with.
pub async fn delete_secret(
    ctx: &Context,
    idempotency: &idempotency::Request,
    command: DeleteSecret,
) -> Result<Described, Error> {
    let mut tx = fluxplane_platform::db::begin(&ctx.pool).await?;
    let deleted = idempotency::once(&mut tx, idempotency, async |conn| {
        let owner = &command.principal;
        db::secrets::lock_owner(conn, owner).await?;
        let secret = find(conn, owner, &command.name).await?;
        if !command.force && !secret.used_by.is_empty() {
            let rule = "a secret stays while a living application names it";
            return Err(Refusal::secret_in_use(&secret.name, &secret.used_by, rule).into());
        }
        db::secrets::remove(conn, secret.id).await?;
        Ok::<_, Error>(secret)
    })
    .await?;
    tx.commit().await.map_err(Error::Commit)?;
    tracing::info!("secret destroyed");
    Ok(deleted)
}

async fn find(conn: &mut PgConnection, owner: &str, name: &str) -> Result<Described, Error> {
    let found = db::secrets::list(conn, owner, Some(name), &one()).await?;
    let found = found.into_iter().next();
    Ok(found.ok_or_else(|| Refusal::no_secret(name))?)
}

const fn one() -> Page<String> {
    Page {
        size: 1,
        after: None,
    }
}

/// Checks that the secrets a workload names exist, and keeps them from being deleted until the transaction ends. Returns
/// what it names.
pub async fn resolve(
    conn: &mut PgConnection,
    owner: &str,
    workload: &Workload,
) -> Result<Vec<Use>, Error> {
    let uses = workload.secret_uses();
    if uses.is_empty() {
        return Ok(uses);
    }
    db::secrets::lock_owner(conn, owner).await?;
    let names: Vec<String> = uses.iter().map(|one| one.secret.clone()).collect();
    let found = db::secrets::by_names(conn, owner, &names).await?;
    let mut violations = Vec::new();
    for one in &uses {
        let secret = found
            .iter()
            .find(|stored| stored.described.name == one.secret);
        match secret {
            None => violations.push(Violation::new(
                &one.field,
                &one.secret,
                format!("{owner} has no secret of that name"),
                format!("store it first: fluxctl secret set {}", one.secret),
            )),
            Some(stored) if !stored.described.kind.serves(one.purpose) => {
                let kind = stored.described.kind.name();
                violations.push(Violation::new(
                    &one.field,
                    &one.secret,
                    format!("it is of the kind `{kind}`, which does not serve here"),
                    "variables take values, images take credentials of a registry",
                ));
            }
            Some(_) => {}
        }
    }
    if violations.is_empty() {
        Ok(uses)
    } else {
        Err(Refusal::spec(violations).into())
    }
}
