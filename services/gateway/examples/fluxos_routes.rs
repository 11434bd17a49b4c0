//! Prints the table of `docs/FLUXOS.md`: `cargo run -p fluxplane-gateway --example fluxos_routes`.

fn main() {
    #[expect(clippy::print_stdout, reason = "this is the example's output")]
    {
        print!("{}", fluxplane_gateway::rest::fluxos::routes::table());
    }
}
