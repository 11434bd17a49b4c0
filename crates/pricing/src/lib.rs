//! What an application costs: the rules of FluxOS to the last digit. Pure.
