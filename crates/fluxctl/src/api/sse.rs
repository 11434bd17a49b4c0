//! Server-sent events, as the HTML standard defines them (section 9.2.6): the decoder is fed bytes as they come, cut
//! anywhere.

use std::collections::VecDeque;

use super::{Client, Error, call::Call};

/// Largest event. The plane's are below a kilobyte.
const MAX_EVENT_BYTES: usize = 1 << 20;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What goes into `Last-Event-ID` to go on after it.
    pub id: Option<String>,
    /// `message` when the server names none.
    pub name: String,
    pub data: String,
}

/// An event that grows beyond any use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event has more than {MAX_EVENT_BYTES} bytes")]
pub struct TooLarge;

/// Makes events out of bytes.
#[derive(Debug, Default)]
pub struct Decoder {
    line: Vec<u8>,
    /// A line feed that follows belongs to the carriage return before it.
    after_return: bool,
    /// A byte order mark may precede the first line.
    begun: bool,
    name: String,
    data: String,
    id: Option<String>,
}

impl Decoder {
    /// Takes bytes and appends the events they complete.
    pub fn push(&mut self, bytes: &[u8], events: &mut VecDeque<Event>) -> Result<(), TooLarge> {
        for &byte in bytes {
            let feed_of_return = std::mem::take(&mut self.after_return) && byte == b'\n';
            match byte {
                b'\n' if feed_of_return => {}
                b'\n' => self.end_line(events),
                b'\r' => {
                    self.end_line(events);
                    self.after_return = true;
                }
                _ if self.line.len() + self.data.len() >= MAX_EVENT_BYTES => return Err(TooLarge),
                _ => self.line.push(byte),
            }
        }
        Ok(())
    }

    fn end_line(&mut self, events: &mut VecDeque<Event>) {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        let text = if self.begun {
            &*text
        } else {
            text.strip_prefix('\u{feff}').unwrap_or(&text)
        };
        self.begun = true;
        if text.is_empty() {
            self.end_event(events);
            return;
        }
        let (field, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            // Comments keep the connection alive; `retry` is ours to decide; unknown fields are to be ignored.
            _ => {}
        }
    }

    fn end_event(&mut self, events: &mut VecDeque<Event>) {
        let name = std::mem::take(&mut self.name);
        let mut data = std::mem::take(&mut self.data);
        if data.is_empty() {
            return;
        }
        data.pop();
        events.push_back(Event {
            id: self.id.clone(),
            name: if name.is_empty() {
                "message".to_owned()
            } else {
                name
            },
            data,
        });
    }
}

/// An open stream.
#[derive(Debug)]
pub(super) struct EventStream {
    response: reqwest::Response,
    decoder: Decoder,
    events: VecDeque<Event>,
}

impl EventStream {
    /// The next event; `None` when the server ended the stream. Dropping the future loses nothing.
    pub(super) async fn next(&mut self, client: &Client) -> Result<Option<Event>, Error> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            let chunk = self
                .response
                .chunk()
                .await
                .map_err(|source| Error::Broken {
                    server: client.server_name(),
                    source,
                })?;
            let Some(chunk) = chunk else { return Ok(None) };
            self.decoder
                .push(&chunk, &mut self.events)
                .map_err(|err| client.foreign(200, err.to_string()))?;
        }
    }
}

impl Client {
    pub(super) async fn events(&self, call: Call) -> Result<EventStream, Error> {
        let call = call.header("accept", "text/event-stream").streaming();
        let response = Box::pin(self.send(&call)).await?;
        Ok(EventStream {
            response,
            decoder: Decoder::default(),
            events: VecDeque::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(chunks: &[&[u8]]) -> Vec<Event> {
        let (mut decoder, mut events) = (Decoder::default(), VecDeque::new());
        for chunk in chunks {
            decoder.push(chunk, &mut events).unwrap();
        }
        events.into()
    }

    fn event(id: Option<&str>, name: &str, data: &str) -> Event {
        Event {
            id: id.map(str::to_owned),
            name: name.to_owned(),
            data: data.to_owned(),
        }
    }

    #[test]
    fn an_event_is_the_same_wherever_it_is_cut() {
        let text = "\u{feff}: hello\r\n\r\nid: 7\r\nevent: timeline\r\ndata: {\"a\":\r\ndata:1}\r\n\r\ndata: b\n\n";
        let whole = decode(&[text.as_bytes()]);
        let expected = [
            event(Some("7"), "timeline", "{\"a\":\n1}"),
            event(Some("7"), "message", "b"),
        ];
        assert_eq!(whole, expected);
        for cut in 0..text.len() {
            let (head, tail) = text.as_bytes().split_at(cut);
            assert_eq!(decode(&[head, tail]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn every_kind_of_line_end_counts() {
        for end in ["\n", "\r", "\r\n"] {
            let text = format!("data: x{end}{end}data: y{end}{end}");
            let expected = [event(None, "message", "x"), event(None, "message", "y")];
            assert_eq!(decode(&[text.as_bytes()]), expected, "{end:?}");
        }
    }

    #[test]
    fn an_event_without_data_or_without_its_end_is_none() {
        assert!(decode(&[b"event: timeline\nid: 3\n\n"]).is_empty());
        assert!(decode(&[b"data: x\n"]).is_empty());
    }

    #[test]
    fn an_endless_event_is_refused() {
        let (mut decoder, mut events) = (Decoder::default(), VecDeque::new());
        let chunk = [b'x'; 4096];
        let refused = (0..1_000).any(|_| decoder.push(&chunk, &mut events).is_err());
        assert!(refused);
        let (mut decoder, mut events) = (Decoder::default(), VecDeque::new());
        let line = [b"data: ", &[b'x'; 4096][..], b"\n"].concat();
        assert!((0..1_000).any(|_| decoder.push(&line, &mut events).is_err()));
    }
}
