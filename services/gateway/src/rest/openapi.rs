//! The OpenAPI document: what the handlers say of themselves, completed with what the table of operations says of them.
//!
//! `services/gateway/openapi.json` is this document; a test compares.

use utoipa::{
    OpenApi as _, ToSchema,
    openapi::{
        OpenApi, Ref, Required,
        content::ContentBuilder,
        extensions::Extensions,
        path::{Operation as Documented, Parameter, ParameterBuilder, ParameterIn, PathItem},
        response::ResponseBuilder,
        schema::{ObjectBuilder, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::{
    access::{Access, OPERATIONS, Operation, Verb},
    v1,
};

/// Name of the bearer scheme in the document.
const BEARER: &str = "bearer";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Fluxplane",
        version = "1",
        description = "The control plane of a decentralised cloud. Sign in with a wallet, ask for a price, register an \
            application, pay for it on the chain, watch it run, and check every line of its bill.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "auth", description = "Signing in with a wallet"),
        (name = "specs", description = "Specifications, before anything is asked or paid"),
        (name = "quotes", description = "Firm prices"),
        (name = "apps", description = "Applications: what runs, where, and what happened to it"),
        (name = "secrets", description = "Values and credentials that containers need and nobody may read"),
        (name = "nodes", description = "Machines of operators, and what they earn"),
        (name = "billing", description = "Balance, invoices and their proofs"),
        (name = "settlement", description = "Epochs, their leaves and their anchors: what everybody can check"),
        (name = "chain", description = "What the chain says"),
    ),
    components(schemas(ProblemDocument)),
)]
struct Head;

/// Why a request failed (RFC 9457). `/docs/errors` explains every code.
#[derive(Debug, ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "describes the document that the platform writes")]
struct ProblemDocument {
    /// Page about this kind of problem, relative to the API's origin.
    #[schema(example = "/docs/errors#invalid-request")]
    r#type: String,
    /// The code in words.
    #[schema(example = "Invalid request")]
    title: String,
    /// HTTP status.
    #[schema(example = 400)]
    status: u16,
    /// What happened this time.
    #[schema(
        example = "page_size is `500`, but a page has 1 to 200 entries; ask for less and follow next_cursor"
    )]
    detail: String,
    /// Stable reason code.
    #[schema(example = "invalid-request")]
    code: String,
    /// Identifies the request in our logs.
    #[schema(example = "0198c0de-7e57-7000-8000-000000000001")]
    request_id: String,
    /// What is wrong with which field.
    violations: Option<Vec<ProblemViolation>>,
    /// Seconds to wait before trying again, when that may help.
    retry_after: Option<u32>,
}

/// What is wrong with one field of a request.
#[derive(Debug, ToSchema)]
#[schema(as = Violation)]
#[expect(dead_code, reason = "describes the document that the platform writes")]
struct ProblemViolation {
    /// Path of the field.
    #[schema(example = "page_size")]
    field: String,
    /// The value as received, shortened.
    #[schema(example = "500")]
    value: String,
    /// The rule it breaks.
    #[schema(example = "a page has 1 to 200 entries")]
    rule: String,
    /// What to do about it.
    #[schema(example = "ask for less and follow next_cursor")]
    remedy: String,
}

/// The document of this release.
pub fn document() -> OpenApi {
    complete(v1::routes().into_openapi())
}

/// Adds what all operations have in common.
pub fn complete(routes: OpenApi) -> OpenApi {
    let mut document = Head::openapi();
    document.merge(routes);
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("Access token of a session, see the auth operations"))
        .build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(BEARER, SecurityScheme::Http(scheme));
    for (path, item) in &mut document.paths.paths {
        for operation in OPERATIONS.iter().filter(|operation| operation.path == path) {
            if let Some(documented) = slot(item, operation.verb).as_mut() {
                describe(operation, documented);
            }
        }
    }
    document
}

/// The operations of a document with their methods and paths.
pub fn operations(document: &OpenApi) -> Vec<(Verb, String, &Documented)> {
    let all = [Verb::Get, Verb::Post, Verb::Put, Verb::Delete];
    document
        .paths
        .paths
        .iter()
        .flat_map(|(path, item)| {
            all.into_iter().filter_map(move |verb| {
                let documented = match verb {
                    Verb::Get => &item.get,
                    Verb::Post => &item.post,
                    Verb::Put => &item.put,
                    Verb::Delete => &item.delete,
                };
                documented
                    .as_ref()
                    .map(|documented| (verb, path.clone(), documented))
            })
        })
        .collect()
}

fn slot(item: &mut PathItem, verb: Verb) -> &mut Option<Documented> {
    match verb {
        Verb::Get => &mut item.get,
        Verb::Post => &mut item.post,
        Verb::Put => &mut item.put,
        Verb::Delete => &mut item.delete,
    }
}

fn describe(operation: &Operation, documented: &mut Documented) {
    let access = match operation.access {
        Access::Public => "public",
        Access::SignedIn => "signed-in",
        Access::Admin => "admin",
    };
    documented.extensions = Some(Extensions::builder().add("x-access", access).build());
    documented.security = Some(match operation.access {
        Access::Public => Vec::new(),
        Access::SignedIn | Access::Admin => {
            vec![SecurityRequirement::new(BEARER, Vec::<String>::new())]
        }
    });
    if operation.changes() && operation.access != Access::Public {
        let parameters = documented.parameters.get_or_insert_default();
        parameters.push(key_parameter(operation.keyed).into());
    }
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    let problem = ResponseBuilder::new()
        .description("The request failed; the document says why and what to do")
        .content("application/problem+json", content)
        .build();
    documented
        .responses
        .responses
        .insert("default".to_owned(), problem.into());
}

fn key_parameter(required: bool) -> Parameter {
    let text = "1 to 255 printable characters, fresh for each new request and the same when repeating one; \
        a repeated request has no second effect and gets the first one's answer";
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(if required {
            Required::True
        } else {
            Required::False
        })
        .description(Some(text))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .build()
}
