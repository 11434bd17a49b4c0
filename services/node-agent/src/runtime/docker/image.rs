//! Images: the one that is here, else the registry's.

use std::time::Duration;

use bollard::{
    Docker, auth::DockerCredentials, errors::Error as Failure,
    query_parameters::CreateImageOptionsBuilder,
};
use futures::TryStreamExt as _;

use super::{
    super::{ImageOrigin, RuntimeError},
    failed, words,
};
use crate::domain::{ImageName, private::Credentials};

/// What registries say of an image they do not have or do not show (OCI distribution specification, error codes), as
/// engines repeat it.
const NOT_FOUND: [&str; 6] = [
    "manifest unknown",
    "name unknown",
    "not found",
    "does not exist",
    "requested access to the resource is denied",
    "no such image",
];

pub(super) async fn ensure(
    client: &Docker,
    image: &ImageName,
    credentials: Option<&Credentials>,
    limit: Duration,
) -> Result<ImageOrigin, RuntimeError> {
    match client.inspect_image(image.as_str()).await {
        Ok(_) => return Ok(ImageOrigin::Local),
        Err(Failure::DockerResponseServerError {
            status_code: 404, ..
        }) => {}
        Err(err) => return Err(failed("inspect image", &err)),
    }
    let options = CreateImageOptionsBuilder::new()
        .from_image(image.as_str())
        .build();
    let progress = client.create_image(Some(options), None, credentials.map(login));
    let pull = progress.try_for_each(|_| std::future::ready(Ok(())));
    match tokio::time::timeout(limit, pull).await {
        Ok(Ok(())) => Ok(ImageOrigin::Pulled),
        Ok(Err(err)) => Err(refused(image, &err)),
        Err(_) => {
            let cause = format!("not fetched within {} s", limit.as_secs());
            Err(RuntimeError::ImagePull {
                image: image.clone(),
                cause,
            })
        }
    }
}

/// For the engine alone; it passes them to the registry.
fn login(credentials: &Credentials) -> DockerCredentials {
    let Credentials {
        registry,
        username,
        password,
    } = credentials;
    DockerCredentials {
        username: Some(username.to_string()),
        password: Some(password.to_string()),
        serveraddress: (!registry.is_empty()).then(|| registry.clone()),
        ..DockerCredentials::default()
    }
}

fn refused(image: &ImageName, err: &Failure) -> RuntimeError {
    let (image, cause) = (image.clone(), words(err));
    let answered = matches!(
        err,
        Failure::DockerResponseServerError { .. } | Failure::DockerStreamError { .. }
    );
    if !answered {
        return RuntimeError::Unavailable(format!("pull {image}: {cause}"));
    }
    let told = cause.to_lowercase();
    if NOT_FOUND.iter().any(|words| told.contains(words)) {
        RuntimeError::ImageNotFound { image, cause }
    } else {
        RuntimeError::ImagePull { image, cause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: &str) -> String {
        let image = ImageName::parse("ghcr.io/a/b:1").unwrap();
        refused(
            &image,
            &Failure::DockerStreamError {
                error: error.to_owned(),
            },
        )
        .to_string()
    }

    #[test]
    fn a_missing_image_is_told_from_a_registry_that_is_away() {
        let missing = told("reading manifest 1 in ghcr.io/a/b: manifest unknown");
        assert!(
            missing.starts_with("image not found: ghcr.io/a/b:1: "),
            "{missing}"
        );
        let denied =
            told("pull access denied for a/b, repository does not exist or may require login");
        assert!(denied.starts_with("image not found: "), "{denied}");
        let away = told("dial tcp: lookup ghcr.io: no such host");
        assert!(
            away.starts_with("image cannot be pulled: ghcr.io/a/b:1: "),
            "{away}"
        );
    }
}
