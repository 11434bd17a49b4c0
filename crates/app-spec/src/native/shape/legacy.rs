//! What FluxOS alone knows.

use super::{Field, Kind, Shape, list, whole};
use crate::native::form::{ANY_TEXT, LABEL, POINTER};

pub(super) static LEGACY: Shape = Shape {
    name: "Legacy",
    about: "What a converted FluxOS specification says beyond the other fields, so that it can be written back to the byte.",
    fields: &[
        Field::required(
            "version",
            whole(1, 8),
            "Version of the FluxOS specification.",
        ),
        Field::default(
            "components",
            list(&Kind::Text(&LABEL), 100_000),
            "[]",
            "The components in FluxOS' order.",
        ),
        Field::default(
            "residue",
            list(&Kind::Object(&RESIDUE), 100_000),
            "[]",
            "Differences between what the other fields amount to and the original.",
        ),
    ],
    one_of: &[],
};

static RESIDUE: Shape = Shape {
    name: "Residue",
    about: "One difference. It counts only while the other fields still amount to `was`, so edits win over it.",
    fields: &[
        Field::required(
            "path",
            Kind::Text(&POINTER),
            "Where, as a JSON pointer into the FluxOS specification.",
        ),
        Field::optional(
            "was",
            Kind::Text(&ANY_TEXT),
            "JSON text of what the other fields amount to; left out when they say nothing.",
        ),
        Field::optional(
            "value",
            Kind::Text(&ANY_TEXT),
            "JSON text of the original; left out when it has no such field.",
        ),
        Field::default(
            "order",
            list(&whole(0, 10_000_000), 4_000_000),
            "[]",
            "For a list of the same items: the place, in what the other fields amount to, of each item of the original.",
        ),
    ],
    one_of: &[],
};
