//! How the document describes a FluxOS specification. It is never read here: what is signed are its bytes.

use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, Type},
    },
};

/// Stands in the document for an object that is passed on as it came.
#[derive(Debug)]
pub struct FluxOsSpec;

impl ToSchema for FluxOsSpec {}

impl PartialSchema for FluxOsSpec {
    fn schema() -> RefOr<Schema> {
        let example = json!({
            "version": 4,
            "name": "KadenaChainWebNode",
            "description": "Kadena node",
            "owner": "1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd",
            "instances": 3,
            "compose": [{
                "name": "web",
                "description": "the only component",
                "repotag": "nginx:1.27",
                "ports": [31352],
                "domains": [""],
                "environmentParameters": [],
                "commands": [],
                "containerPorts": [80],
                "containerData": "/data",
                "cpu": 0.1,
                "ram": 100,
                "hdd": 1,
                "tiered": false,
            }],
        });
        let text = "A FluxOS application specification, version 4 to 8, with FluxOS' own field names. \
            What is signed and hashed is its canonical JSON.";
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some(text))
            .examples([example])
            .into()
    }
}
