//! Prints the OpenAPI document: `cargo run -p fluxplane-gateway --example openapi > services/gateway/openapi.json`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let document = fluxplane_gateway::rest::openapi::document().to_pretty_json()?;
    #[expect(clippy::print_stdout, reason = "this is the example's output")]
    {
        println!("{document}");
    }
    Ok(())
}
