//! Specifications to submit. `OWNER` stands for the wallet that signs.

/// One component, three instances, one port.
pub(crate) fn web(name: &str) -> Spec {
    Spec {
        name: name.to_owned(),
        image: "nginx:1.27".to_owned(),
        instances: 3,
        cpu: "0.5".to_owned(),
        port: 31_000,
        geolocation: Vec::new(),
        description: "a web shop".to_owned(),
        owner: "OWNER".to_owned(),
    }
}

#[derive(Clone)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) instances: u32,
    pub(crate) cpu: String,
    pub(crate) port: u16,
    pub(crate) geolocation: Vec<&'static str>,
    pub(crate) description: String,
    pub(crate) owner: String,
}

impl Spec {
    /// As v8.
    pub(crate) fn json(&self) -> String {
        let Self {
            name,
            image,
            instances,
            cpu,
            port,
            geolocation,
            description,
            owner,
        } = self;
        let geolocation: Vec<String> = geolocation
            .iter()
            .map(|rule| format!("\"{rule}\""))
            .collect();
        let geolocation = geolocation.join(",");
        format!(
            r#"{{"version":8,"name":"{name}","description":"{description}","owner":"{owner}","compose":[{{"name":"web","description":"front","repotag":"{image}","ports":[{port}],"domains":[""],"environmentParameters":["A=1"],"commands":[],"containerPorts":[80],"containerData":"/data","cpu":{cpu},"ram":500,"hdd":5,"repoauth":""}}],"instances":{instances},"contacts":[],"geolocation":[{geolocation}],"expire":88000,"nodes":[],"staticip":false,"enterprise":""}}"#
        )
    }
}
