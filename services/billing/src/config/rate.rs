//! Where the exchange rate comes from.

use std::collections::BTreeSet;

use anyhow::Context as _;
use chrono::TimeDelta;
use fluxplane_platform::config::{Secret, Span};
use fluxplane_pricing::native::{FluxUsd, Policy};
use serde::{Deserialize, Serialize};

use crate::{
    app::rates::{RateRules, Sources},
    clients::rate_source::{Asker, HttpSource},
    domain::rate::whole_micros,
};

/// Where the rate of FLUX to dollars comes from, and which is good enough.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateConfig {
    /// Pause between two questions to one source.
    pub ask_every: Span,
    /// How long a source may take to answer.
    pub timeout: Span,
    /// Longest answer.
    pub max_answer_bytes: u32,
    /// Older words do not count.
    pub max_age: Span,
    /// How far a source's clock may be ahead.
    pub max_ahead: Span,
    /// How far a source may be from the median, in parts per million of it.
    pub max_spread_ppm: u32,
    /// So many sources must agree.
    pub min_sources: u32,
    /// Flux IDs and Ethereum addresses whose signed statements set the rate.
    pub override_signers: BTreeSet<String>,
    /// The longest time that a statement may hold.
    pub max_override: Span,
    pub sources: Vec<SourceConfig>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SourceConfig {
    /// Always says the same. For development.
    Fixed {
        name: String,
        /// Dollars per FLUX, at most six decimals.
        usd_per_flux: String,
    },
    /// A JSON document on the web.
    Http {
        name: String,
        /// May carry an access key, and so may be read from a file.
        url: Secret,
        /// JSON pointer (RFC 6901) to dollars per FLUX.
        pointer: String,
        /// JSON pointer to when that was, in seconds or milliseconds since 1970; the time of the answer without it.
        #[serde(default)]
        time_pointer: Option<String>,
    },
}

impl RateConfig {
    /// # Errors
    /// When something makes no sense; the error names its key.
    pub(super) fn rules(&self) -> anyhow::Result<RateRules> {
        let seconds = |key: &str, span: Span| {
            let seconds = span.0.as_secs();
            anyhow::ensure!(seconds > 0, "rate.{key} is {:?}; give at least 1s", span.0);
            Ok(seconds)
        };
        let ask_every = seconds("ask_every", self.ask_every)?;
        let max_age_s = seconds("max_age", self.max_age)?;
        anyhow::ensure!(
            max_age_s > ask_every,
            "rate.max_age is {max_age_s}s, but sources are asked every {ask_every}s; let words hold longer than that"
        );
        let bytes = usize::try_from(self.max_answer_bytes).unwrap_or(usize::MAX);
        anyhow::ensure!(
            (1..=16 << 20).contains(&bytes),
            "rate.max_answer_bytes is {bytes}; give 1 to 16777216"
        );
        let min_sources = usize::try_from(self.min_sources).unwrap_or(usize::MAX);
        anyhow::ensure!(
            (1..=self.sources.len()).contains(&min_sources),
            "rate.min_sources is {min_sources}, and there are {} sources; at least 1 and at most all can be asked to agree",
            self.sources.len()
        );
        Ok(RateRules {
            policy: Policy {
                max_age_s,
                max_ahead_s: self.max_ahead.0.as_secs(),
                min_sources,
                max_spread_ppm: self.max_spread_ppm,
                override_signers: self.override_signers.clone(),
                max_override_s: seconds("max_override", self.max_override)?,
            },
            sources: self.sources()?,
            ask_every: TimeDelta::from_std(self.ask_every.0)
                .context("rate.ask_every is too long")?,
            asker: Asker::new(self.timeout.0, bytes)?,
        })
    }

    fn sources(&self) -> anyhow::Result<Sources> {
        let mut names = BTreeSet::new();
        let (mut fixed, mut live) = (Vec::new(), Vec::new());
        for source in &self.sources {
            let (SourceConfig::Fixed { name, .. } | SourceConfig::Http { name, .. }) = source;
            anyhow::ensure!(
                !name.is_empty() && names.insert(name),
                "rate.sources has the name `{name}` empty or twice; each source has a name of its own"
            );
            match source {
                SourceConfig::Fixed { usd_per_flux, .. } => {
                    let micros = usd_per_flux.parse::<FluxUsd>().ok().and_then(whole_micros);
                    let micros = micros.with_context(|| {
                        format!(
                            "rate.sources.{name}.usd_per_flux is `{usd_per_flux}`; give dollars with at most six decimals, such as 0.0512"
                        )
                    })?;
                    fixed.push((name.clone(), micros));
                }
                SourceConfig::Http {
                    url,
                    pointer,
                    time_pointer,
                    ..
                } => live.push(http(name, url, pointer, time_pointer.as_deref())?),
            }
        }
        match (fixed.is_empty(), live.is_empty()) {
            (_, true) => Ok(Sources::Fixed(fixed)),
            (true, false) => Ok(Sources::Http(live)),
            (false, false) => anyhow::bail!(
                "rate.sources mixes fixed and live ones; a fixed rate never goes stale and would pass for an agreement, so leave it out"
            ),
        }
    }
}

fn http(
    name: &str,
    url: &Secret,
    pointer: &str,
    time_pointer: Option<&str>,
) -> anyhow::Result<HttpSource> {
    let url: reqwest::Url = url
        .expose()
        .parse()
        .with_context(|| format!("rate.sources.{name}.url is no address"))?;
    anyhow::ensure!(
        matches!(url.scheme(), "http" | "https"),
        "rate.sources.{name}.url has the scheme `{}`; give http or https",
        url.scheme()
    );
    for (key, pointer) in [("pointer", Some(pointer)), ("time_pointer", time_pointer)] {
        let is_pointer = pointer.is_none_or(|text| text.is_empty() || text.starts_with('/'));
        anyhow::ensure!(
            is_pointer,
            "rate.sources.{name}.{key} is `{}`; a JSON pointer begins with /, such as /data/usd",
            pointer.unwrap_or_default()
        );
    }
    Ok(HttpSource {
        name: name.to_owned(),
        url,
        pointer: pointer.to_owned(),
        time_pointer: time_pointer.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn live(name: &str, pointer: &str) -> SourceConfig {
        SourceConfig::Http {
            name: name.to_owned(),
            url: Secret::new("https://rates.example/flux"),
            pointer: pointer.to_owned(),
            time_pointer: None,
        }
    }

    fn fixed(usd_per_flux: &str) -> SourceConfig {
        SourceConfig::Fixed {
            name: "fixed".to_owned(),
            usd_per_flux: usd_per_flux.to_owned(),
        }
    }

    fn config() -> RateConfig {
        RateConfig {
            ask_every: Span(Duration::from_mins(1)),
            timeout: Span(Duration::from_secs(5)),
            max_answer_bytes: 65_536,
            max_age: Span(Duration::from_mins(10)),
            max_ahead: Span(Duration::from_mins(1)),
            max_spread_ppm: 50_000,
            min_sources: 1,
            override_signers: BTreeSet::new(),
            max_override: Span(Duration::from_hours(24)),
            sources: vec![live("a", "/usd"), live("b", "")],
        }
    }

    fn refused(change: impl FnOnce(&mut RateConfig)) -> String {
        let mut config = config();
        change(&mut config);
        config.rules().unwrap_err().to_string()
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_key() {
        assert!(config().rules().is_ok());
        for (key, text) in [
            (
                "rate.ask_every",
                refused(|own| own.ask_every = Span(Duration::ZERO)),
            ),
            ("rate.max_age", refused(|own| own.max_age = own.ask_every)),
            (
                "rate.max_answer_bytes",
                refused(|own| own.max_answer_bytes = 0),
            ),
            ("rate.min_sources", refused(|own| own.min_sources = 0)),
            ("rate.min_sources", refused(|own| own.min_sources = 3)),
            (
                "rate.sources has the name `a`",
                refused(|own| own.sources.push(live("a", "/x"))),
            ),
            (
                "rate.sources.c.pointer",
                refused(|own| own.sources.push(live("c", "usd"))),
            ),
            (
                "rate.sources mixes",
                refused(|own| own.sources.push(fixed("0.6"))),
            ),
            (
                "rate.sources.fixed.usd_per_flux",
                refused(|own| own.sources = vec![fixed("0.0000001")]),
            ),
            (
                "rate.sources.fixed.usd_per_flux",
                refused(|own| own.sources = vec![fixed("0")]),
            ),
            (
                "rate.max_override",
                refused(|own| own.max_override = Span(Duration::ZERO)),
            ),
        ] {
            assert!(text.starts_with(key), "{key}: {text}");
        }
    }

    #[test]
    fn an_address_with_a_key_is_not_shown() {
        let shown = serde_json::to_string(&config()).unwrap();
        assert!(!shown.contains("rates.example"), "{shown}");
    }
}
