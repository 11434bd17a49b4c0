//! `spec init`

use fluxplane_app_spec::{
    json::{Object, Value},
    legacy::{Context, judge},
    strict,
};

use super::{native, spec::height_of_today};
use crate::{
    cli::spec::Init,
    error::Error,
    exit::Exit,
    render::{Ui, json::indent},
    wallet::Key,
};

pub(super) fn run(ui: &Ui, args: &Init) -> Result<Exit, Error> {
    let owner = match (&args.owner, &args.key_file) {
        (Some(owner), _) => owner.clone(),
        (None, Some(path)) => Key::read("--key-file", path)?.flux_id().to_string(),
        (None, None) => String::new(),
    };
    if let Some(kind) = args.template {
        return native::init(ui, kind.into(), args.name.as_str(), &owner);
    }
    let submitted = template(args, &owner)?;
    let judged = judge(
        submitted.clone(),
        u64::from(height_of_today()),
        &Context::shipped(),
    );
    // What we hand out must be taken: wrong arguments are refused here, not after signing.
    if let Some(finding) = strict::check(&submitted, &[], judged.as_ref().err())
        .into_iter()
        .next()
    {
        let path = if finding.path.is_empty() {
            "specification".to_owned()
        } else {
            finding.path
        };
        return Err(Error::input(
            path,
            finding.value,
            finding.rule,
            finding.remedy,
        ));
    }
    let canonical = judged.map_err(|err| Error::failed("specification", err.to_string()))?;
    ui.write(&format!("{}\n", indent(&canonical.canonical())))?;
    Ok(Exit::Success)
}

/// A version 8 specification of one component.
fn template(args: &Init, owner: &str) -> Result<Value, Error> {
    let cpu: f64 = args.cpu.parse().map_err(|_| {
        Error::input(
            "--cpu",
            &args.cpu,
            "cpu is a number of threads",
            "write 0.5",
        )
    })?;
    let list = |ports: Vec<u16>| {
        Value::Array(
            ports
                .into_iter()
                .map(|port| Value::from(f64::from(port)))
                .collect(),
        )
    };
    let (outer, inner): (Vec<u16>, Vec<u16>) = args.port.iter().copied().unzip();
    let domains = vec![Value::from(""); outer.len()];
    let component: Object = [
        ("name", Value::from(args.name.as_str())),
        ("description", Value::from(args.name.as_str())),
        ("repotag", Value::from(args.image.as_str())),
        ("ports", list(outer)),
        ("domains", Value::from(domains)),
        ("environmentParameters", Value::from(Vec::new())),
        ("commands", Value::from(Vec::new())),
        ("containerPorts", list(inner)),
        ("containerData", Value::from(args.data.as_str())),
        ("cpu", Value::from(cpu)),
        ("ram", Value::from(f64::from(args.ram))),
        ("hdd", Value::from(f64::from(args.hdd))),
        ("repoauth", Value::from("")),
    ]
    .into_iter()
    .collect();
    let spec: Object = [
        ("version", Value::from(8.0)),
        ("name", Value::from(args.name.as_str())),
        ("description", Value::from(args.name.as_str())),
        ("owner", Value::from(owner)),
        ("compose", Value::from(vec![Value::from(component)])),
        ("instances", Value::from(f64::from(args.instances))),
        ("contacts", Value::from(Vec::new())),
        ("geolocation", Value::from(Vec::new())),
        ("expire", Value::from(f64::from(args.expire))),
        ("nodes", Value::from(Vec::new())),
        ("staticip", Value::from(false)),
        ("enterprise", Value::from("")),
    ]
    .into_iter()
    .collect();
    Ok(spec.into())
}
