//! Work that ends.

use super::{DAY, Field, Kind, MAX_INSTANCES, Shape, time, whole};
use crate::native::form::{CRON, ENV_NAME};

pub(super) static JOB: Shape = Shape {
    name: "Job",
    about: "Work that ends. `restart` of the components has no meaning in a job: `retries` rules it.",
    fields: &[
        Field::optional(
            "batch",
            Kind::Object(&BATCH),
            "Run a number of times, several at once.",
        ),
        Field::optional(
            "cron",
            Kind::Object(&CRON_JOB),
            "Run at times of the clock.",
        ),
        Field::optional(
            "gang",
            Kind::Object(&GANG),
            "Run workers that need each other: all are placed, or none.",
        ),
    ],
    one_of: &["batch", "cron", "gang"],
};

static BATCH: Shape = Shape {
    name: "Batch",
    about: "A number of runs.",
    fields: &[
        Field::default(
            "completions",
            whole(1, 100_000),
            "1",
            "How many runs must succeed.",
        ),
        Field::default(
            "parallelism",
            whole(1, MAX_INSTANCES),
            "1",
            "How many run at once.",
        ),
        RETRIES,
        DEADLINE,
    ],
    one_of: &[],
};

static CRON_JOB: Shape = Shape {
    name: "Cron",
    about: "A run at every time that the schedule names.",
    fields: &[
        Field::required(
            "schedule",
            Kind::Text(&CRON),
            "Minute, hour, day, month and weekday, in UTC.",
        ),
        Field::default(
            "concurrency",
            Kind::Choice(&[
                ("forbid", "a run that is due while one runs is left out"),
                ("allow", "runs may overlap"),
                ("replace", "the running one is stopped"),
            ]),
            "\"forbid\"",
            "What happens when a run is due while one runs.",
        ),
        RETRIES,
        DEADLINE,
    ],
    one_of: &[],
};

static GANG: Shape = Shape {
    name: "Gang",
    about: "Workers that start together and find each other through variables.",
    fields: &[
        Field::required(
            "workers",
            whole(1, MAX_INSTANCES),
            "How many instances; each is a worker.",
        ),
        Field::default(
            "rendezvous",
            Kind::Object(&RENDEZVOUS),
            "{}",
            "The variables that every worker gets.",
        ),
        RETRIES,
        DEADLINE,
    ],
    one_of: &[],
};

static RENDEZVOUS: Shape = Shape {
    name: "Rendezvous",
    about: "Names of the variables in which a worker finds the others. The defaults are those of PyTorch.",
    fields: &[
        Field::default(
            "port",
            whole(1, 65_535),
            "29500",
            "Port on which worker 0 listens.",
        ),
        Field::default(
            "addressVariable",
            Kind::Text(&ENV_NAME),
            "\"MASTER_ADDR\"",
            "Gets the address of worker 0.",
        ),
        Field::default(
            "portVariable",
            Kind::Text(&ENV_NAME),
            "\"MASTER_PORT\"",
            "Gets the port.",
        ),
        Field::default(
            "rankVariable",
            Kind::Text(&ENV_NAME),
            "\"RANK\"",
            "Gets the number of the worker, from 0.",
        ),
        Field::default(
            "sizeVariable",
            Kind::Text(&ENV_NAME),
            "\"WORLD_SIZE\"",
            "Gets the number of workers.",
        ),
    ],
    one_of: &[],
};

const RETRIES: Field = Field::default(
    "retries",
    whole(0, 100),
    "3",
    "How often a failed run is tried again.",
);

const DEADLINE: Field = Field::optional(
    "deadline",
    time(1, 366 * DAY),
    "A run that takes longer is stopped and has failed.",
);
