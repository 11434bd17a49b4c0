//! How the document describes specifications. They are never read here: what is signed are their bytes.

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

/// Stands in the document for a specification of either kind, passed on as it came.
#[derive(Debug)]
pub struct AnySpec;

impl ToSchema for AnySpec {}

impl PartialSchema for AnySpec {
    fn schema() -> RefOr<Schema> {
        let example = json!({
            "schema": "fluxplane/v1",
            "name": "shop",
            "owner": "1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd",
            "components": {
                "web": {
                    "image": "nginx:1.27",
                    "cpu": "500m",
                    "memory": "512Mi",
                    "disk": "2Gi",
                    "env": { "PAGE_TITLE": "Shop" },
                    "ports": { "http": { "container": 80 } },
                },
            },
            "instances": 3,
        });
        let text = "An application specification: `fluxplane/v1` (docs/SPEC.md), or one of FluxOS, version 4 to 8, with FluxOS' own \
            field names. What is signed is made of its canonical JSON.";
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some(text))
            .examples([example])
            .into()
    }
}
