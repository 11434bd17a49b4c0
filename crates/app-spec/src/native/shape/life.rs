//! How a component is seen to work, starts again and ends.

use super::{Field, HOUR, Kind, Shape, list, time, whole};
use crate::native::form::{ARGUMENT, HTTP_PATH};

pub(super) static PROBES: Shape = Shape {
    name: "Probes",
    about: "How to see whether a component works.",
    fields: &[
        Field::optional(
            "startup",
            Kind::Object(&PROBE),
            "Has it started? The other probes wait for this one.",
        ),
        Field::optional(
            "readiness",
            Kind::Object(&PROBE),
            "Can it take clients? An instance that can't gets none.",
        ),
        Field::optional(
            "health",
            Kind::Object(&PROBE),
            "Does it still work? One that doesn't is restarted.",
        ),
    ],
    one_of: &[],
};

static PROBE: Shape = Shape {
    name: "Probe",
    about: "One question, asked again and again.",
    fields: &[
        Field::optional(
            "http",
            Kind::Object(&HTTP_PROBE),
            "Ask with GET; an answer from 200 to 399 is good.",
        ),
        Field::optional("tcp", Kind::Object(&TCP_PROBE), "Open a connection."),
        Field::optional(
            "exec",
            Kind::Object(&EXEC_PROBE),
            "Run a command in the container; exit code 0 is good.",
        ),
        Field::default(
            "interval",
            time(1, HOUR),
            "\"10s\"",
            "Time between questions.",
        ),
        Field::default("timeout", time(1, HOUR), "\"2s\"", "Time for an answer."),
        Field::default(
            "delay",
            time(0, HOUR),
            "\"0s\"",
            "Time before the first question.",
        ),
        Field::default(
            "failures",
            whole(1, 1_000),
            "3",
            "Bad answers in a row before it counts as bad.",
        ),
        Field::default(
            "successes",
            whole(1, 1_000),
            "1",
            "Good answers in a row before it counts as good.",
        ),
    ],
    one_of: &["http", "tcp", "exec"],
};

static HTTP_PROBE: Shape = Shape {
    name: "HttpProbe",
    about: "A GET request.",
    fields: &[
        Field::required("port", whole(1, 65_535), "Port of the container."),
        Field::default(
            "path",
            Kind::Text(&HTTP_PATH),
            "\"/\"",
            "What is asked for.",
        ),
    ],
    one_of: &[],
};

static TCP_PROBE: Shape = Shape {
    name: "TcpProbe",
    about: "A connection.",
    fields: &[Field::required(
        "port",
        whole(1, 65_535),
        "Port of the container.",
    )],
    one_of: &[],
};

static EXEC_PROBE: Shape = Shape {
    name: "ExecProbe",
    about: "A command in the container.",
    fields: &[Field::required(
        "command",
        list(&Kind::Text(&ARGUMENT), 64),
        "Program and arguments; no shell unless you name one.",
    )],
    one_of: &[],
};

pub(super) static RESTART: Shape = Shape {
    name: "Restart",
    about: "What happens when a component ends.",
    fields: &[
        Field::default(
            "policy",
            Kind::Choice(&[
                ("always", "it is started again"),
                (
                    "onFailure",
                    "it is started again unless it ended with exit code 0",
                ),
                ("never", "it stays ended"),
            ]),
            "\"always\"",
            "Whether it starts again.",
        ),
        Field::default(
            "backoff",
            time(1, HOUR),
            "\"10s\"",
            "Time before the first restart; doubled each time.",
        ),
        Field::default(
            "maxBackoff",
            time(1, HOUR),
            "\"5m\"",
            "Longest time before a restart.",
        ),
    ],
    one_of: &[],
};

pub(super) static STOP: Shape = Shape {
    name: "Stop",
    about: "How a component is ended.",
    fields: &[
        Field::default(
            "preStop",
            list(&Kind::Text(&ARGUMENT), 64),
            "[]",
            "Command that runs in the container first; it counts against the grace time.",
        ),
        Field::default(
            "signal",
            Kind::Choice(&[
                ("SIGTERM", ""),
                ("SIGINT", ""),
                ("SIGQUIT", ""),
                ("SIGHUP", ""),
                ("SIGUSR1", ""),
                ("SIGUSR2", ""),
            ]),
            "\"SIGTERM\"",
            "Signal that asks it to end.",
        ),
        Field::default(
            "grace",
            time(0, HOUR),
            "\"30s\"",
            "Time until it is killed.",
        ),
    ],
    one_of: &[],
};
