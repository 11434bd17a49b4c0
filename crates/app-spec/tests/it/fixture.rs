//! The data files of FluxOS and short ways to reach into JSON.

use fluxplane_app_spec::{
    json::{Limits, Value, parse},
    legacy::LegacySpec,
};

/// A file of `tests/fixtures` at the root of the repository.
pub(crate) fn load(name: &str) -> Value {
    let path = format!("{}/../../tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    parse(&bytes, Limits::default()).unwrap().value
}

/// The items of an array field.
pub(crate) fn items<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    get(value, field)
        .as_array()
        .unwrap_or_else(|| panic!("{field} is no array"))
}

/// A field that must be there.
pub(crate) fn get<'a>(value: &'a Value, field: &str) -> &'a Value {
    find(value, field).unwrap_or_else(|| panic!("{field} is missing"))
}

/// A field that may be there.
pub(crate) fn find<'a>(value: &'a Value, field: &str) -> Option<&'a Value> {
    value.as_object()?.get(field)
}

pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    get(value, field)
        .as_str()
        .unwrap_or_else(|| panic!("{field} is no text"))
}

/// A JSON text as a value.
pub(crate) fn json(text: &str) -> Value {
    parse(text.as_bytes(), Limits::default()).unwrap().value
}

pub(crate) fn spec(text: &str) -> LegacySpec {
    LegacySpec::from_value(json(text)).unwrap()
}

/// A v8 specification without any fault.
pub(crate) const GOOD_V8: &str = r#"{"version":8,"name":"shop","description":"A web shop","owner":"1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC","compose":[{"name":"web","description":"front","repotag":"nginx:1.27","ports":[31000],"domains":[""],"environmentParameters":["A=1"],"commands":[],"containerPorts":[80],"containerData":"/data","cpu":0.5,"ram":500,"hdd":5,"repoauth":""},{"name":"db","description":"data","repotag":"ghcr.io/org/db:2","ports":[],"domains":[],"environmentParameters":[],"commands":[],"containerPorts":[],"containerData":"r:/var/lib/db|0:/web","cpu":1,"ram":1000,"hdd":10,"repoauth":""}],"instances":3,"contacts":["me@example.org"],"geolocation":["acEU","a!cEU_RU"],"expire":88000,"nodes":[],"staticip":false,"enterprise":""}"#;

/// A v7 specification without any fault.
pub(crate) const GOOD_V7: &str = r#"{"version":7,"name":"shop","description":"A web shop","owner":"1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC","compose":[{"name":"web","description":"front","repotag":"nginx:1.27","ports":[31000],"domains":[""],"environmentParameters":[],"commands":[],"containerPorts":[80],"containerData":"/data","cpu":0.5,"ram":500,"hdd":5,"tiered":false,"repoauth":"","secrets":""}],"instances":3,"contacts":[],"geolocation":[],"expire":88000,"nodes":[],"staticip":false}"#;

/// A v2 specification without any fault.
pub(crate) const GOOD_V2: &str = r#"{"version":2,"name":"shop","description":"A web shop","owner":"1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC","repotag":"nginx:1.27","ports":["31000"],"domains":["shop.example.org"],"enviromentParameters":[],"commands":[],"containerPorts":["80"],"containerData":"/data","cpu":0.5,"ram":500,"hdd":5,"tiered":false}"#;

/// A v1 specification without any fault.
pub(crate) const GOOD_V1: &str = r#"{"version":1,"name":"shop","description":"A web shop","owner":"1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC","repotag":"nginx:1.27","port":31000,"enviromentParameters":[],"commands":[],"containerPort":80,"containerData":"/data","cpu":0.5,"ram":500,"hdd":5,"tiered":true,"cpubasic":0.5,"cpusuper":1,"cpubamf":2,"rambasic":500,"ramsuper":1000,"rambamf":2000,"hddbasic":5,"hddsuper":5,"hddbamf":5}"#;

/// `base` with the value at `path` replaced; paths are keys and indices separated by dots.
pub(crate) fn with(base: &str, path: &str, value: &str) -> Value {
    let mut root = json(base);
    let steps: Vec<&str> = path.split('.').collect();
    set(&mut root, &steps, json(value));
    root
}

fn set(value: &mut Value, steps: &[&str], new: Value) {
    let Some((step, rest)) = steps.split_first() else {
        *value = new;
        return;
    };
    match value {
        Value::Array(items) => set(&mut items[step.parse::<usize>().unwrap()], rest, new),
        Value::Object(object) => {
            let mut inner = object.get(step).cloned().unwrap_or(Value::Null);
            set(&mut inner, rest, new);
            object.set(*step, inner);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            panic!("{step} is in no container");
        }
    }
}
