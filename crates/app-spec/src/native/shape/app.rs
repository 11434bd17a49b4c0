//! The application as a whole: scale, updates, billing, notifications.

use super::{
    DAY, Field, HOUR, Kind, MAX_INSTANCES, Shape, component::COMPONENT, job::JOB, legacy::LEGACY,
    list, map, placement::PLACEMENT, time, whole,
};
use crate::native::form::{DESCRIPTION, EMAIL, LABEL, NAME, OWNER, URL};

/// A document of `fluxplane/v1`.
pub(in crate::native) static APP: Shape = Shape {
    name: "App",
    about: "An application.",
    fields: &[
        Field::required(
            "schema",
            Kind::Choice(&[("fluxplane/v1", "this version")]),
            "Version of the specification.",
        ),
        Field::required(
            "name",
            Kind::Text(&NAME),
            "Name of the application. It becomes a host name and never changes.",
        ),
        Field::default(
            "description",
            Kind::Text(&DESCRIPTION),
            "\"\"",
            "What it is, for people.",
        ),
        Field::required(
            "owner",
            Kind::Text(&OWNER),
            "Wallet that signs for the application: a Flux ID, a checksummed 0x address, or a public key.",
        ),
        Field::required(
            "components",
            map(&LABEL, &Kind::Object(&COMPONENT), 1, 32),
            "The containers of one instance, by name. They share a network, on which a name is a host name.",
        ),
        Field::optional(
            "instances",
            whole(1, MAX_INSTANCES),
            "How many instances run.",
        ),
        Field::optional(
            "autoscale",
            Kind::Object(&AUTOSCALE),
            "Let the load decide how many instances run.",
        ),
        Field::optional(
            "job",
            Kind::Object(&JOB),
            "Run to completion instead of for ever.",
        ),
        Field::default(
            "update",
            Kind::Object(&UPDATE),
            "{}",
            "How a new revision replaces the old one.",
        ),
        Field::default(
            "placement",
            Kind::Object(&PLACEMENT),
            "{}",
            "Where instances may run.",
        ),
        Field::default("billing", Kind::Object(&BILLING), "{}", "How it is paid."),
        Field::default(
            "notifications",
            list(&Kind::Object(&NOTIFICATION), 16),
            "[]",
            "Who hears of what happens.",
        ),
        Field::optional(
            "legacy",
            Kind::Object(&LEGACY),
            "What a converted FluxOS specification says beyond these fields. Written by the converter.",
        ),
    ],
    one_of: &["instances", "autoscale", "job"],
};

static AUTOSCALE: Shape = Shape {
    name: "Autoscale",
    about: "A range of instances and the load at which their number changes. At least one target is needed.",
    fields: &[
        Field::required("min", whole(1, MAX_INSTANCES), "Fewest instances."),
        Field::required(
            "max",
            whole(1, MAX_INSTANCES),
            "Most instances; the highest bill.",
        ),
        Field::optional(
            "cpuPercent",
            whole(10, 95),
            "Wanted use of the cpu that was asked for, in per cent.",
        ),
        Field::optional(
            "memoryPercent",
            whole(10, 95),
            "Wanted use of the memory that was asked for, in per cent.",
        ),
        Field::optional(
            "requestsPerSecond",
            whole(1, 1_000_000),
            "Wanted requests per second and instance, over all http ports.",
        ),
        Field::default(
            "window",
            time(30, HOUR),
            "\"5m\"",
            "How long the load must be lower before an instance is removed.",
        ),
    ],
    one_of: &[],
};

pub(in crate::native) static UPDATE: Shape = Shape {
    name: "Update",
    about: "How a new revision replaces the old one.",
    fields: &[
        Field::default(
            "strategy",
            Kind::Choice(&[
                ("rolling", "instances are replaced a few at a time"),
                (
                    "canary",
                    "a part is replaced and watched, then the next part",
                ),
                (
                    "blueGreen",
                    "the new revision runs beside the old one and takes over at once",
                ),
            ]),
            "\"rolling\"",
            "Order of the replacement.",
        ),
        Field::default(
            "maxUnavailable",
            Kind::Share,
            "1",
            "Instances that may be missing while it goes on.",
        ),
        Field::default(
            "bakeTime",
            time(0, DAY),
            "\"1m\"",
            "How long a new instance must be ready before the next step.",
        ),
        Field::default(
            "canarySteps",
            list(&whole(1, 99), 10),
            "[]",
            "Per cent of the instances after each step of a canary, rising. Empty means 10, then 50.",
        ),
        Field::default(
            "rollback",
            Kind::Object(&ROLLBACK),
            "{}",
            "When the old revision comes back by itself.",
        ),
    ],
    one_of: &[],
};

static ROLLBACK: Shape = Shape {
    name: "Rollback",
    about: "When the old revision comes back by itself.",
    fields: &[
        Field::default("automatic", Kind::Flag, "true", "Whether it does at all."),
        Field::default(
            "maxFailed",
            Kind::Share,
            "1",
            "New instances that may fail before it does.",
        ),
        Field::default(
            "deadline",
            time(30, DAY),
            "\"15m\"",
            "It does as well when a step takes longer than this.",
        ),
    ],
    one_of: &[],
};

static BILLING: Shape = Shape {
    name: "Billing",
    about: "How it is paid.",
    fields: &[
        Field::default(
            "mode",
            Kind::Choice(&[
                ("payAsYouGo", "charged by the second until it is cancelled"),
                ("term", "paid in advance for a term"),
            ]),
            "\"payAsYouGo\"",
            "When it is paid.",
        ),
        Field::optional(
            "term",
            time(30, 366 * DAY + 16 * HOUR),
            "Length of the term; needed when the mode is `term`.",
        ),
        Field::default(
            "renew",
            Kind::Flag,
            "false",
            "Whether a term is renewed from the balance.",
        ),
    ],
    one_of: &[],
};

static NOTIFICATION: Shape = Shape {
    name: "Notification",
    about: "Someone who hears of what happens.",
    fields: &[
        Field::optional("email", Kind::Text(&EMAIL), "An e-mail address."),
        Field::optional(
            "webhook",
            Kind::Text(&URL),
            "An https address that gets the event as JSON.",
        ),
        Field::default(
            "events",
            list(
                &Kind::Choice(&[
                    ("deployed", "a revision runs on all instances"),
                    ("degraded", "fewer instances are ready than wanted"),
                    ("failed", "a deployment or a job failed"),
                    ("rolledBack", "the old revision came back by itself"),
                    ("expiring", "term or balance ends soon"),
                    ("invoice", "an invoice was made"),
                ]),
                6,
            ),
            "[]",
            "Which events; with none, all.",
        ),
    ],
    one_of: &["email", "webhook"],
};
