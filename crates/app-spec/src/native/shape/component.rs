//! A component: image, resources, ports, volumes.

use super::{
    Field, HOUR, Kind, MAX_SIZE, Shape,
    life::{PROBES, RESTART, STOP},
    list, map, size, time, whole,
};
use crate::native::{
    form::{
        ARGUMENT, CRON, DESCRIPTION, DOMAIN, ENV_NAME, ENV_VALUE, GPU_MODEL, IMAGE, LABEL, PATH,
        REFERENCE,
    },
    quantity::Unit,
};

pub(in crate::native) static COMPONENT: Shape = Shape {
    name: "Component",
    about: "One container of an instance.",
    fields: &[
        Field::default(
            "description",
            Kind::Text(&DESCRIPTION),
            "\"\"",
            "What it is, for people.",
        ),
        Field::required(
            "image",
            Kind::Text(&IMAGE),
            "Image with a tag, a digest, or both. With a digest every instance runs the same bytes.",
        ),
        Field::optional(
            "registryCredentials",
            Kind::Text(&REFERENCE),
            "Secret with the credentials of a private registry.",
        ),
        Field::default(
            "command",
            list(&Kind::Text(&ARGUMENT), 64),
            "[]",
            "Replaces the entry point of the image.",
        ),
        Field::default(
            "args",
            list(&Kind::Text(&ARGUMENT), 256),
            "[]",
            "Arguments; replaces those of the image.",
        ),
        Field::default(
            "env",
            map(&ENV_NAME, &Kind::Text(&ENV_VALUE), 0, 256),
            "{}",
            "Variables, kept sealed. Whoever guesses one can check it by the hash on the chain: passwords belong in `secrets`.",
        ),
        Field::default(
            "secrets",
            map(&ENV_NAME, &Kind::Text(&REFERENCE), 0, 256),
            "{}",
            "Variables whose values are kept by the plane, by reference.",
        ),
        Field::required(
            "cpu",
            Kind::Quantity {
                unit: Unit::Cpu,
                min: 10,
                max: 256_000,
            },
            "Cpu threads.",
        ),
        Field::required(
            "memory",
            size(16, MAX_SIZE),
            "Memory. A container that takes more is ended.",
        ),
        Field::required(
            "disk",
            size(100, MAX_SIZE),
            "Disk for everything the component writes, its volumes included.",
        ),
        Field::optional("gpu", Kind::Object(&GPU), "Graphics cards."),
        Field::default(
            "ports",
            map(&LABEL, &Kind::Object(&PORT), 0, 64),
            "{}",
            "Ports that are published, by name.",
        ),
        Field::default(
            "volumes",
            map(&LABEL, &Kind::Object(&VOLUME), 0, 32),
            "{}",
            "Folders and files that outlive the container, by name.",
        ),
        Field::default(
            "probes",
            Kind::Object(&PROBES),
            "{}",
            "How to see whether it works.",
        ),
        Field::default(
            "restart",
            Kind::Object(&RESTART),
            "{}",
            "What happens when it ends.",
        ),
        Field::default("stop", Kind::Object(&STOP), "{}", "How it is ended."),
    ],
    one_of: &[],
};

static GPU: Shape = Shape {
    name: "Gpu",
    about: "Graphics cards of one instance.",
    fields: &[
        Field::default("count", whole(1, 16), "1", "How many cards."),
        Field::default(
            "vendor",
            Kind::Choice(&[("nvidia", ""), ("amd", ""), ("intel", "")]),
            "\"nvidia\"",
            "Who makes them.",
        ),
        Field::default(
            "models",
            list(&Kind::Text(&GPU_MODEL), 32),
            "[]",
            "Models, any of which will do; with none, all.",
        ),
        Field::optional("memory", size(1_024, 1 << 20), "Least memory of each card."),
    ],
    one_of: &[],
};

pub(in crate::native) static PORT: Shape = Shape {
    name: "Port",
    about: "A port that is published.",
    fields: &[
        Field::required(
            "container",
            whole(1, 65_535),
            "Port on which the container listens.",
        ),
        Field::optional(
            "host",
            whole(1, 65_535),
            "Port of the node; without it the plane chooses one.",
        ),
        Field::default(
            "protocol",
            Kind::Choice(&[
                ("tcp", ""),
                ("udp", ""),
                (
                    "tcpUdp",
                    "both under the same number, as FluxOS publishes every port",
                ),
                ("http", "routed by host name, with a certificate"),
            ]),
            "\"tcp\"",
            "What is spoken.",
        ),
        Field::default(
            "domains",
            list(&Kind::Text(&DOMAIN), 32),
            "[]",
            "Custom domains.",
        ),
        Field::default(
            "loadBalancing",
            Kind::Object(&LOAD_BALANCING),
            "{}",
            "How clients are shared out to the instances.",
        ),
    ],
    one_of: &[],
};

static LOAD_BALANCING: Shape = Shape {
    name: "LoadBalancing",
    about: "How clients are shared out to the instances.",
    fields: &[
        Field::default(
            "strategy",
            Kind::Choice(&[
                ("roundRobin", "one after the other"),
                ("leastConnections", "the one with the fewest connections"),
                ("sourceAddress", "always the same one for the same address"),
            ]),
            "\"roundRobin\"",
            "Which instance is next.",
        ),
        Field::default(
            "stickySessions",
            Kind::Flag,
            "false",
            "Whether a cookie keeps a client at its instance; http only.",
        ),
        Field::default(
            "timeout",
            time(1, HOUR),
            "\"1m\"",
            "How long an instance may be silent.",
        ),
    ],
    one_of: &[],
};

pub(in crate::native) static VOLUME: Shape = Shape {
    name: "Volume",
    about: "A folder or file that outlives the container.",
    fields: &[
        Field::required(
            "path",
            Kind::Text(&PATH),
            "Where it appears in the container.",
        ),
        Field::default(
            "kind",
            Kind::Choice(&[
                ("local", "stays on the node and is lost with it"),
                (
                    "synced",
                    "copied between all instances, all of which may write",
                ),
                (
                    "exclusive",
                    "copied, and only one instance at a time runs and writes; the others stand by",
                ),
            ]),
            "\"local\"",
            "Who has the data.",
        ),
        Field::optional(
            "size",
            size(1, MAX_SIZE),
            "Part of the component's disk that is kept for it.",
        ),
        Field::default(
            "file",
            Kind::Flag,
            "false",
            "A single file instead of a folder, created empty.",
        ),
        Field::default(
            "readOnly",
            Kind::Flag,
            "false",
            "Whether the container may only read it.",
        ),
        Field::default(
            "startAfterSync",
            Kind::Flag,
            "false",
            "Whether a new instance starts only once it has received the data; synced only.",
        ),
        Field::optional(
            "source",
            Kind::Object(&SOURCE),
            "A volume of another component instead of an own one.",
        ),
        Field::optional(
            "snapshots",
            Kind::Object(&SNAPSHOTS),
            "Copies at times of the clock.",
        ),
    ],
    one_of: &[],
};

static SOURCE: Shape = Shape {
    name: "Source",
    about: "A volume of another component.",
    fields: &[
        Field::required("component", Kind::Text(&LABEL), "The component."),
        Field::required("volume", Kind::Text(&LABEL), "Its volume."),
    ],
    one_of: &[],
};

static SNAPSHOTS: Shape = Shape {
    name: "Snapshots",
    about: "Copies of a volume at times of the clock.",
    fields: &[
        Field::required(
            "schedule",
            Kind::Text(&CRON),
            "Minute, hour, day, month and weekday, in UTC.",
        ),
        Field::default(
            "keep",
            whole(1, 365),
            "7",
            "How many are kept; the oldest goes first.",
        ),
    ],
    one_of: &[],
};
