//! The admin listener: liveness, readiness, metrics, state of background work. Separate from the API, never public.

use std::net::SocketAddr;

use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    health::{self, Health},
    metrics::{ComponentLabels, Metrics},
    reconciler::TaskBoard,
};

/// What the admin listener shows.
#[derive(Debug, Clone)]
pub struct Admin {
    pub service: &'static str,
    pub version: &'static str,
    pub health: Health,
    pub metrics: Metrics,
    pub tasks: TaskBoard,
}

/// Serves until cancelled. The listener is bound by the caller, so that a taken port fails the start.
pub async fn serve(
    admin: Admin,
    listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let router = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/version", get(version))
        .route("/debug/tasks", get(tasks))
        .with_state(admin);
    axum::serve(listener, router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await?;
    Ok(())
}

/// Binds the listener and says where, since port 0 picks a free one.
pub async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|err| anyhow::anyhow!("bind admin listener {listen}: {err}"))?;
    tracing::info!(address = %listener.local_addr()?, "admin listener is up");
    Ok(listener)
}

async fn readyz(State(admin): State<Admin>) -> impl IntoResponse {
    let report = admin.health.report();
    let status = if report.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(report))
}

async fn metrics(State(admin): State<Admin>) -> impl IntoResponse {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    for (component, state) in admin.health.report().components {
        let serves = !matches!(state, health::State::NotReady(_));
        let labels = ComponentLabels { component };
        let gauge = admin.metrics.common.component_ready.get_or_create(&labels);
        gauge.set(serves.into());
    }
    (
        [(axum::http::header::CONTENT_TYPE, OPEN_METRICS)],
        admin.metrics.encode(),
    )
}

async fn version(State(admin): State<Admin>) -> impl IntoResponse {
    Json(serde_json::json!({ "service": admin.service, "version": admin.version }))
}

async fn tasks(State(admin): State<Admin>) -> impl IntoResponse {
    Json(admin.tasks.report())
}
