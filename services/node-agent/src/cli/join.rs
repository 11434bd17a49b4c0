//! `node-agent join`.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    str::FromStr,
};

use anyhow::Context as _;
use clap::Args;
use fluxplane_core::{Place, SystemClock};
use fluxplane_flux_chain::outpoint::OutPoint;

use super::{Output, benchmark, console};
use crate::{
    app::join::{self, Join},
    config::Config,
    domain::capacity::Declared,
    store::DataDir,
};

/// Beside the ports of FluxOS (16127 and its neighbours).
const DEFAULT_PROBE_PORT: u16 = 16_180;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// One-time join token, `fxj_…`.
    #[arg(
        long,
        required_unless_present = "token_file",
        conflicts_with = "token_file"
    )]
    token: Option<String>,
    /// File that holds the join token, so that it does not show in the list of processes.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Where the plane takes new machines.
    #[arg(long, value_name = "https://HOST:PORT")]
    plane: String,
    /// Certificate of the authority that the plane proves itself with, PEM.
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// The collateral the token was made for.
    #[arg(long, value_name = "TXID:VOUT")]
    collateral: OutPoint,
    /// File that holds the node key of the start transaction, as fluxd's `zelnodeprivkey`.
    #[arg(long, value_name = "FILE")]
    node_key_file: PathBuf,
    /// Address at which instances are reached; the one of the confirm transaction.
    #[arg(long)]
    ip: IpAddr,
    /// The address does not change.
    #[arg(long)]
    static_ip: bool,
    /// Where the machine stands, as FluxOS writes it.
    #[arg(long, value_name = "EU_DE_Bavaria")]
    place: PlaceArgument,
    /// Port at which the plane's own probe is answered.
    #[arg(long, default_value_t = DEFAULT_PROBE_PORT, value_parser = clap::value_parser!(u16).range(1..))]
    probe_port: u16,
    /// Sizes to declare instead of the measured ones; more than the machine has is for development only.
    #[arg(long, value_name = "threads=4,ram=8000,disk=250")]
    capacity_override: Option<Declared>,
    #[command(flatten)]
    limit: benchmark::Limit,
    /// Join again as another node; what the former one runs here ends when the agent next starts.
    #[arg(long)]
    force: bool,
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

/// A place as FluxOS writes it.
#[derive(Debug, Clone)]
struct PlaceArgument(Place);

impl FromStr for PlaceArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '_');
        let mut code = |what: &str| {
            let code = parts.next().unwrap_or_default();
            let two_letters = code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
            if two_letters {
                Ok(code.to_owned())
            } else {
                Err(format!(
                    "`{code}` is no {what} of two capital letters; write EU_DE_Bavaria"
                ))
            }
        };
        let (continent, country) = (code("continent")?, code("country")?);
        let region = parts.next().unwrap_or_default().to_owned();
        Ok(Self(Place {
            continent,
            country,
            region,
        }))
    }
}

pub(super) async fn run(config: Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let dir = DataDir::open(&config.data_dir)?;
    // A running agent would not notice that it became another node.
    let _alone = dir.lock()?;
    let token = match (&arguments.token, &arguments.token_file) {
        (Some(token), _) => token.clone(),
        (None, Some(file)) => read("--token-file", file)?,
        (None, None) => String::new(),
    };
    let request = Join {
        token: token.trim().to_owned(),
        plane: arguments.plane,
        ca_pem: read("--ca", &arguments.ca)?,
        collateral: arguments.collateral,
        node_key_wif: read("--node-key-file", &arguments.node_key_file)?,
        ip: arguments.ip,
        static_ip: arguments.static_ip,
        place: arguments.place.0,
        probe_port: arguments.probe_port,
        force: arguments.force,
    };
    join::check(&dir, &request)?;

    let measured = benchmark::measure(dir.root(), &arguments.limit).await?;
    let declared = arguments
        .capacity_override
        .unwrap_or_default()
        .or(config.capacity);
    let benchmark = measured.clone().declared(declared);
    if benchmark != measured {
        console::announce("declaring sizes that differ from the measured ones");
    }
    console::announce(&format!("joining at {}", request.plane));
    let identity = Box::pin(join::join(&dir, &SystemClock, request, benchmark)).await?;
    match arguments.output {
        Output::Json => console::say_json(&serde_json::json!({
            "node_id": identity.node,
            "agent_endpoint": identity.agent_endpoint,
            "certificate_expires_at": identity.certificate_expires_at,
            "benchmark": identity.benchmark,
            "capacity": identity.benchmark.usable(),
        }))?,
        Output::Text => {
            benchmark::show(&identity.benchmark);
            console::say(&format!("node           {}", identity.node));
            console::say(&format!(
                "certificate    until {}",
                identity.certificate_expires_at
            ));
            console::say("joined; start it with `node-agent run`");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(option: &str, file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("{option}: read `{}`", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_continent_country_and_region() {
        let place = |text: &str| text.parse::<PlaceArgument>().map(|place| place.0);
        let bavaria = place("EU_DE_Upper_Bavaria").unwrap();
        assert_eq!(
            (bavaria.continent.as_str(), bavaria.region.as_str()),
            ("EU", "Upper_Bavaria")
        );
        assert_eq!(place("NA_US").unwrap().region, "");
        assert!(place("Europe_DE").unwrap_err().contains("continent"));
        assert!(place("EU_de").unwrap_err().contains("country"));
        assert!(place("EU").is_err());
    }
}
