//! Components of v4 and later.

use super::{BAD_TIERED, fields::Fields};
use crate::{
    json::{JsString, Object, Value},
    legacy::{
        coerce::{Thrown, display, ensure_array, ensure_number, ensure_string, truthy},
        spec::Component,
    },
};

pub(super) fn compose(fields: &mut Fields, version: f64) -> Result<Vec<Component>, Thrown> {
    if !truthy(fields.get("compose")) {
        return Err("Missing Flux App specification parameter compose".to_owned());
    }
    let items = ensure_array(fields.take("compose"))
        .ok_or_else(|| "Flux App compose parameter is not valid".to_owned())?;
    items
        .into_iter()
        .map(|item| component(item, version))
        .collect()
}

#[expect(clippy::float_cmp, reason = "JavaScript compares versions with ===")]
fn component(item: Value, version: f64) -> Result<Component, Thrown> {
    let mut fields = match item {
        Value::Object(object) => Fields(object),
        Value::Null => return Err("Cannot read properties of null (reading 'name')".to_owned()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Fields(Object::default())
        }
    };
    let label = Label::new(&mut fields);
    let name = label.formatted();
    let description = fields.text("description");
    let repotag = fields.text("repotag");
    let ports = ensure_array(fields.take("ports"))
        .ok_or_else(|| label.refuse("Ports for Flux App component ", " are invalid"))?
        .iter()
        .map(|port| ensure_number(Some(port)))
        .collect::<Result<_, _>>()?;
    let mut texts = |key, before, after| fields.texts(key, || label.refuse(before, after));
    let domains = texts("domains", "Domains for Flux App component ", " are invalid")?;
    let environment = texts(
        "environmentParameters",
        "Environmental parameters for Flux App component ",
        " are invalid",
    )?;
    let commands = texts("commands", "Flux App component ", " commands are invalid")?;
    let container_ports = ensure_array(fields.take("containerPorts"))
        .ok_or_else(|| label.refuse("Container Ports for Flux App component ", " are invalid"))?;
    // FluxOS converts these too, and then drops the result: only the exceptions remain.
    for port in &container_ports {
        ensure_number(Some(port))?;
    }
    let container_data = fields.text("containerData");
    let hardware = fields.hardware()?;
    let mut component = Component {
        name,
        description,
        repotag,
        ports,
        domains,
        environment,
        commands,
        container_ports,
        container_data,
        hardware,
        tiered: None,
        tiers: None,
        repoauth: None,
        secrets: None,
    };
    if version <= 7.0 {
        let Some(Value::Bool(tiered)) = fields.get("tiered") else {
            return Err(BAD_TIERED.to_owned());
        };
        component.tiered = Some(*tiered);
        if *tiered {
            component.tiers = Some(fields.tiers(|| {
                label.refuse(
                    "Flux App component ",
                    " was requested as tiered setup but specifications are missing",
                )
            })?);
        }
    }
    if version >= 7.0 {
        component.repoauth = fields.text("repoauth");
        if version == 7.0 {
            component.secrets = fields.text("secrets");
        }
    }
    Ok(component)
}

/// The submitted name of a component: error texts show it as JavaScript prints it, the result holds it as
/// JSON.
struct Label(Option<Value>);

impl Label {
    fn new(fields: &mut Fields) -> Self {
        Self(fields.take("name"))
    }

    fn formatted(&self) -> Option<JsString> {
        ensure_string(self.0.clone())
    }

    /// The error text; when the name cannot be printed, JavaScript throws that instead.
    fn refuse(&self, before: &str, after: &str) -> Thrown {
        display(self.0.as_ref())
            .map_or_else(|thrown| thrown, |name| format!("{before}{name}{after}"))
    }
}
