//! A registry of one image, over plain HTTP, from a folder that `podman save --format docker-dir` made.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::{net::TcpListener, task::JoinSet};

pub(crate) struct Registry {
    pub(crate) address: SocketAddr,
    folder: tempfile::TempDir,
    _serving: JoinSet<()>,
}

impl Registry {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let router = Router::new()
            .route("/v2/", get(|| async { "{}" }))
            .route("/v2/demo/manifests/{reference}", get(manifest))
            .route("/v2/demo/blobs/{digest}", get(blob))
            .fallback(missing)
            .with_state(Arc::new(folder.path().to_owned()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            folder,
            _serving: serving,
        }
    }

    /// Where the image is to be saved.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join("image")
    }
}

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

async fn manifest(State(root): State<Arc<PathBuf>>, Path(reference): Path<String>) -> Response {
    let bytes = std::fs::read(root.join("image/manifest.json"));
    match bytes {
        Ok(bytes) if reference == "1" => ([(CONTENT_TYPE, MANIFEST)], bytes).into_response(),
        _ => missing().await,
    }
}

async fn blob(State(root): State<Arc<PathBuf>>, Path(digest): Path<String>) -> Response {
    let name = digest.strip_prefix("sha256:").unwrap_or_default();
    match std::fs::read(root.join("image").join(name)) {
        Ok(bytes) if !name.is_empty() => bytes.into_response(),
        _ => missing().await,
    }
}

async fn missing() -> Response {
    let body = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
    (
        StatusCode::NOT_FOUND,
        [(CONTENT_TYPE, "application/json")],
        body,
    )
        .into_response()
}
