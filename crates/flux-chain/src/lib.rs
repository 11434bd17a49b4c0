//! Wire formats, addresses, parameters, the fluxnode state machine, emission and transaction building of the Flux chain. Pure.
