//! Double-entry rules, settlement tree and proofs. Pure.
