//! FluxOS specifications v1 to v8: parse, canonical form, validate, hash, signatures. Pure.
