//! Following: timelines and logs that go on after a broken connection, a restarted gateway or an access token that ran out,
//! without a gap and without repeating anything.

use chrono::{DateTime, Utc};
use fluxplane_platform::problem::Problem;
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    Client, Error, LogLine, TimelineEntry,
    call::Call,
    sse::{Event, EventStream},
};

/// Connections in a row that may bring nothing before following counts as failed; about half a minute.
const FRUITLESS: u32 = 9;

/// Name of the event by which a stream says why it ends.
const PROBLEM: &str = "problem";

/// What a connection is for, and where it goes on.
trait Source {
    fn call(&self) -> Call;

    /// Name of the events that are wanted.
    fn name(&self) -> &'static str;
}

/// A stream that is opened again when it ends.
#[derive(Debug)]
struct Connection {
    client: Client,
    stream: Option<EventStream>,
    /// Connections so far.
    opened: u64,
    /// Connections in a row without an event.
    fruitless: u32,
}

impl Connection {
    const fn new(client: Client) -> Self {
        Self {
            client,
            stream: None,
            opened: 0,
            fruitless: 0,
        }
    }

    /// The next wanted event; `None` when the stream ended and `again` says that this is its end.
    async fn next(&mut self, source: &impl Source, again: bool) -> Result<Option<Event>, Error> {
        loop {
            let Some(stream) = &mut self.stream else {
                self.stream = Some(Box::pin(self.client.events(source.call())).await?);
                self.opened += 1;
                continue;
            };
            let ended = match stream.next(&self.client).await {
                Ok(Some(event)) if event.name == source.name() => {
                    self.fruitless = 0;
                    return Ok(Some(event));
                }
                Ok(Some(event)) if event.name == PROBLEM => Some(self.problem(&event)?),
                // Events of a kind that is newer than this client.
                Ok(Some(_)) => continue,
                Ok(None) if !again => return Ok(None),
                Ok(None) => None,
                Err(broken) => Some(broken),
            };
            self.stream = None;
            self.fruitless += 1;
            match ended {
                Some(err) if !err.passing() && !err.is_unauthenticated() => return Err(err),
                Some(err) if self.fruitless > FRUITLESS => return Err(err),
                None if self.fruitless > FRUITLESS => {
                    return Err(self.client.foreign(200, "streams that end at once"));
                }
                Some(err) => sleep(self.client.pause(self.fruitless, err.retry_after())).await,
                None => sleep(self.client.pause(self.fruitless, None)).await,
            }
        }
    }

    fn problem(&self, event: &Event) -> Result<Error, Error> {
        let problem: Problem = self.client.parse(200, event.data.as_bytes())?;
        Ok(Error::Problem(Box::new(problem)))
    }
}

/// Follows what happens to an application. Ends only by an error.
#[derive(Debug)]
pub struct Timeline {
    connection: Connection,
    place: TimelinePlace,
}

#[derive(Debug)]
struct TimelinePlace {
    app: String,
    last: u64,
}

impl Source for TimelinePlace {
    fn call(&self) -> Call {
        Call::get(&["apps", &self.app, "events"]).header("last-event-id", self.last.to_string())
    }

    fn name(&self) -> &'static str {
        "timeline"
    }
}

impl Timeline {
    /// The next entry. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<TimelineEntry, Error> {
        loop {
            let event = self.connection.next(&self.place, true).await?;
            let Some(event) = event else { continue };
            let entry: TimelineEntry = self.connection.client.parse(200, event.data.as_bytes())?;
            if entry.sequence > self.place.last {
                self.place.last = entry.sequence;
                return Ok(entry);
            }
        }
    }
}

/// Follows what one component of one instance writes.
#[derive(Debug)]
pub struct Logs {
    connection: Connection,
    place: LogPlace,
    /// The connection of the last line.
    opened: u64,
    /// Streams in a row that ended although the instance lives, and brought nothing new.
    ends: u32,
}

/// Which lines are wanted.
#[derive(Debug, Clone)]
pub struct LogQuery {
    pub app: String,
    pub instance: Uuid,
    /// May be left out when the application has only one.
    pub component: Option<String>,
    /// Lines of the past.
    pub tail: u32,
    /// Go on as the instance writes.
    pub follow: bool,
}

#[derive(Debug)]
struct LogPlace {
    query: LogQuery,
    /// The last instant of which lines were seen, and how many of them. Lines carry no ids: after a broken connection the
    /// tail comes again, and this is what tells old lines from new ones.
    last: Option<(DateTime<Utc>, usize)>,
    /// Lines of that instant that are still to be skipped on this connection.
    skip: usize,
}

impl Source for LogPlace {
    fn call(&self) -> Call {
        let LogQuery {
            app,
            instance,
            component,
            tail,
            follow,
        } = &self.query;
        let instance = instance.to_string();
        let mut call = Call::get(&["apps", app, "instances", &instance, "logs"])
            .query("tail", tail.to_string())
            .query("follow", follow.to_string());
        if let Some(component) = component {
            call = call.query("component", component);
        }
        call
    }

    fn name(&self) -> &'static str {
        "log"
    }
}

impl LogPlace {
    /// Whether a line was not seen before.
    fn is_new(&mut self, line: &LogLine) -> bool {
        match &mut self.last {
            Some((at, _)) if line.at < *at => false,
            Some((at, _)) if line.at == *at && self.skip > 0 => {
                self.skip -= 1;
                false
            }
            Some((at, count)) if line.at == *at => {
                *count += 1;
                true
            }
            Some(_) | None => {
                self.last = Some((line.at, 1));
                self.skip = 0;
                true
            }
        }
    }

    fn reconnected(&mut self) {
        self.skip = self.last.map_or(0, |(_, count)| count);
    }
}

impl Logs {
    /// The next line; `None` when there are no more, or, when following, once the instance ended.
    pub async fn next(&mut self) -> Result<Option<LogLine>, Error> {
        loop {
            let event = self.connection.next(&self.place, false).await?;
            let Some(event) = event else {
                if !self.place.query.follow || self.ends == FRUITLESS || !self.lives().await? {
                    return Ok(None);
                }
                // The gateway stopped, or the node reconnected.
                self.ends += 1;
                sleep(self.connection.client.pause(self.ends, None)).await;
                self.connection.stream = None;
                continue;
            };
            if self.opened != self.connection.opened {
                self.opened = self.connection.opened;
                self.place.reconnected();
            }
            let line: LogLine = self.connection.client.parse(200, event.data.as_bytes())?;
            if self.place.is_new(&line) {
                self.ends = 0;
                return Ok(Some(line));
            }
        }
    }

    /// Whether the instance may still write.
    async fn lives(&self) -> Result<bool, Error> {
        let LogQuery { app, instance, .. } = &self.place.query;
        let instances = self.connection.client.instances(app, true).await?;
        let found = instances
            .iter()
            .find(|found| found.instance_id == *instance);
        Ok(found.is_some_and(|instance| !instance.state.has_ended()))
    }
}

impl Client {
    /// Follows a timeline behind the entry with sequence `after`; 0 for all.
    pub fn follow_timeline(&self, app: &str, after: u64) -> Timeline {
        Timeline {
            connection: Connection::new(self.clone()),
            place: TimelinePlace {
                app: app.to_owned(),
                last: after,
            },
        }
    }

    pub fn logs(&self, query: LogQuery) -> Logs {
        Logs {
            connection: Connection::new(self.clone()),
            place: LogPlace {
                query,
                last: None,
                skip: 0,
            },
            opened: 0,
            ends: 0,
        }
    }

    /// All lines of the past, in one list.
    pub async fn past_logs(&self, query: LogQuery) -> Result<Vec<LogLine>, Error> {
        let mut logs = self.logs(LogQuery {
            follow: false,
            ..query
        });
        let mut lines = Vec::new();
        while let Some(line) = logs.next().await? {
            lines.push(line);
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::api::instances::LogStream;

    fn line(second: i64, text: &str) -> LogLine {
        LogLine {
            at: DateTime::UNIX_EPOCH + TimeDelta::seconds(second),
            stream: LogStream::Stdout,
            text: text.to_owned(),
            component: "web".to_owned(),
        }
    }

    #[test]
    fn a_tail_that_comes_again_repeats_nothing_and_skips_nothing() {
        let query = LogQuery {
            app: "a".to_owned(),
            instance: Uuid::nil(),
            component: None,
            tail: 10,
            follow: true,
        };
        let mut place = LogPlace {
            query,
            last: None,
            skip: 0,
        };
        let mut shown = Vec::new();
        let first = [line(1, "a"), line(2, "b"), line(2, "c")];
        // The second connection brings the tail again, a further line of the same instant, and a new one.
        let second = [
            line(1, "a"),
            line(2, "b"),
            line(2, "c"),
            line(2, "d"),
            line(3, "e"),
        ];
        for connection in [&first[..], &second[..], &second[..]] {
            place.reconnected();
            shown.extend(
                connection
                    .iter()
                    .filter(|line| place.is_new(line))
                    .map(|line| line.text.clone()),
            );
        }
        assert_eq!(shown, ["a", "b", "c", "d", "e"]);
    }
}
