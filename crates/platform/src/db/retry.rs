//! Transactions that Postgres gave up for another one's sake.

/// Whether a statement failed for the sake of another transaction, so that repeating its own is worth while: a
/// serialisation failure (40001), a deadlock (40P01), or a lock that others kept for too long (55P03).
pub fn gave_way(err: &sqlx::Error) -> bool {
    let code = err
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("40001" | "40P01" | "55P03"))
}
