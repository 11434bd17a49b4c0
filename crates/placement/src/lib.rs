//! Which nodes an application runs on, and why. Pure and deterministic.
