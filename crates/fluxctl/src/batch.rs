//! Many lines in, as many lines out, in order.
//!
//! A read takes what the input has ready; its complete lines are answered by all cores, written at once, and only then is
//! more read. So a producer that waits for the answer to its line gets it, a file goes through in large blocks, and memory
//! is bounded by one block and one longest line.

use std::{
    io::{self, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

/// Longest line that is answered; longer ones get an error.
pub const MAX_LINE_BYTES: usize = 4 << 20;

/// Most bytes of one read.
const BLOCK_BYTES: usize = 1 << 20;

/// A block with fewer bytes is not worth another thread.
const WORTH_A_THREAD: usize = 16 << 10;

/// Answers one line: appends the answer, without a line break.
pub trait Answer: Fn(&[u8], &mut Vec<u8>) + Sync {}

impl<F: Fn(&[u8], &mut Vec<u8>) + Sync> Answer for F {}

/// What went through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub lines: u64,
    pub bytes: u64,
}

/// Answers every line of `input`. `told` hears of the totals after each block.
pub fn run(
    mut input: impl Read,
    mut output: impl Write,
    threads: usize,
    answer: &impl Answer,
    mut told: impl FnMut(Totals),
) -> io::Result<Totals> {
    let mut pump = Pump {
        buffer: Vec::new(),
        filled: 0,
        overlong: false,
        answers: vec![Vec::new(); threads.max(1)],
        totals: Totals::default(),
    };
    loop {
        let more = pump.read(&mut input)?;
        pump.answer(!more, answer);
        for part in &mut pump.answers {
            output.write_all(part)?;
            part.clear();
        }
        told(pump.totals);
        if !more {
            output.flush()?;
            return Ok(pump.totals);
        }
    }
}

struct Pump {
    buffer: Vec<u8>,
    /// Bytes of the buffer that are not answered yet: at most one incomplete line after [`Self::answer`].
    filled: usize,
    /// The line that is being read was longer than allowed; what is left of it is dropped.
    overlong: bool,
    /// One per thread.
    answers: Vec<Vec<u8>>,
    totals: Totals,
}

impl Pump {
    /// Reads once; `false` at the end of the input.
    fn read(&mut self, input: &mut impl Read) -> io::Result<bool> {
        let wanted = self.filled + BLOCK_BYTES;
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let count = loop {
            match input.read(&mut self.buffer[self.filled..]) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
                Ok(count) => break count,
            }
        };
        self.filled += count;
        self.totals.bytes += u64::try_from(count).unwrap_or(u64::MAX);
        Ok(count > 0)
    }

    /// Answers the complete lines; at the end of the input also a last one without a line break.
    fn answer(&mut self, last: bool, answer: &impl Answer) {
        if last && (self.overlong || self.filled > 0) {
            // There is room: the read that found the end made it.
            self.buffer[self.filled] = b'\n';
            self.filled += 1;
        }
        let filled = &self.buffer[..self.filled];
        let complete = filled
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let (mut lines, rest) = filled.split_at(complete);
        let rest = rest.len();
        if self.overlong && complete > 0 {
            let end = lines
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(0, |at| at + 1);
            (_, lines) = lines.split_at(end);
            refuse_overlong(&mut self.answers[0]);
            self.totals.lines += 1;
            self.overlong = false;
        }
        self.totals.lines += answer_block(lines, &mut self.answers, answer);
        self.buffer.copy_within(complete..self.filled, 0);
        self.filled = rest;
        if rest > MAX_LINE_BYTES || self.overlong {
            self.overlong = true;
            self.filled = 0;
        }
    }
}

/// Answers complete lines, each thread its share of them.
fn answer_block(lines: &[u8], answers: &mut [Vec<u8>], answer: &impl Answer) -> u64 {
    let threads = answers.len().min(lines.len() / WORTH_A_THREAD).max(1);
    let mut rest = lines;
    let mut shares = Vec::with_capacity(threads);
    for left in (1..=threads).rev() {
        // A share ends with the line in which its part of the bytes ends.
        let aim = rest.len() / left;
        let tail = rest.get(aim.saturating_sub(1)..).unwrap_or_default();
        let end = tail
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |at| aim.max(1) + at);
        let (share, after) = rest.split_at(end.min(rest.len()));
        shares.push(share);
        rest = after;
    }
    thread::scope(|scope| {
        let mut work = shares.into_iter().zip(answers);
        let own = work.next();
        let others: Vec<_> = work
            .map(|(share, out)| scope.spawn(move || answer_lines(share, out, answer)))
            .collect();
        let own = own.map_or(0, |(share, out)| answer_lines(share, out, answer));
        // A thread cannot panic: `answer_line` catches what `answer` does.
        own + others
            .into_iter()
            .map(|other| other.join().unwrap_or(0))
            .sum::<u64>()
    })
}

fn answer_lines(lines: &[u8], out: &mut Vec<u8>, answer: &impl Answer) -> u64 {
    let mut count = 0;
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        answer_line(line, out, answer);
        count += 1;
    }
    count
}

/// One line's fault must not end the batch, whatever it is.
fn answer_line(line: &[u8], out: &mut Vec<u8>, answer: &impl Answer) {
    if line.len() > MAX_LINE_BYTES {
        refuse_overlong(out);
        return;
    }
    let before = out.len();
    if catch_unwind(AssertUnwindSafe(|| answer(line, &mut *out))).is_err() {
        out.truncate(before);
        refuse(out, "this line met a fault of ours; please report it");
    } else {
        out.push(b'\n');
    }
}

fn refuse_overlong(out: &mut Vec<u8>) {
    let rule = format!(
        "the line has more than {MAX_LINE_BYTES} bytes; shorten it or split it into several"
    );
    refuse(out, &rule);
}

/// Appends `{"error": …}` and a line break.
fn refuse(out: &mut Vec<u8>, text: &str) {
    error_line(text, out);
    out.push(b'\n');
}

/// Appends `{"error": …}`.
pub fn error_line(text: &str, out: &mut Vec<u8>) {
    // Writing into memory does not fail.
    serde_json::to_writer(out, &serde_json::json!({ "error": text })).ok();
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Hands out its pieces one read at a time.
    struct Pieces(VecDeque<Vec<u8>>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(mut piece) = self.0.pop_front() else {
                return Ok(0);
            };
            let rest = piece.split_off(piece.len().min(buffer.len()));
            buffer[..piece.len()].copy_from_slice(&piece);
            if !rest.is_empty() {
                self.0.push_front(rest);
            }
            Ok(piece.len())
        }
    }

    fn pieces(pieces: &[&[u8]]) -> Pieces {
        Pieces(pieces.iter().map(|piece| piece.to_vec()).collect())
    }

    fn echo(line: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"<");
        out.extend_from_slice(line);
        out.extend_from_slice(b">");
    }

    fn run_all(input: impl Read, threads: usize) -> (String, Totals) {
        let mut out = Vec::new();
        let totals = run(input, &mut out, threads, &echo, |_| {}).unwrap();
        (String::from_utf8(out).unwrap(), totals)
    }

    #[test]
    fn every_line_has_its_answer_and_nothing_else_has() {
        for (input, expected) in [
            ("", ""),
            ("a", "<a>\n"),
            ("a\n", "<a>\n"),
            ("a\n\nb", "<a>\n<>\n<b>\n"),
            ("a\r\nb\r\n", "<a>\n<b>\n"),
            ("\n", "<>\n"),
        ] {
            assert_eq!(run_all(input.as_bytes(), 2).0, expected, "{input:?}");
        }
    }

    #[test]
    fn lines_may_arrive_in_any_pieces() {
        let (out, totals) = run_all(pieces(&[b"a", b"b\nc", b"\n\n", b"d"]), 2);
        assert_eq!(out, "<ab>\n<c>\n<>\n<d>\n");
        assert_eq!(totals, Totals { lines: 4, bytes: 7 });
    }

    #[test]
    fn order_is_kept_on_any_number_of_threads() {
        let lines = (0..20_000).map(|n| format!("{n}{}", "x".repeat(n % 50)));
        let (mut input, mut expected) = (String::new(), String::new());
        for line in lines {
            input.extend([line.as_str(), "\n"]);
            expected.extend(["<", line.as_str(), ">\n"]);
        }
        for threads in [1, 2, 3, 8, 64] {
            assert_eq!(
                run_all(input.as_bytes(), threads).0,
                expected,
                "{threads} threads"
            );
        }
    }

    #[test]
    fn an_overlong_line_is_refused_and_its_neighbours_are_not() {
        let long = vec![b'x'; MAX_LINE_BYTES + 1];
        let longer = vec![b'y'; 3 * MAX_LINE_BYTES];
        let longest_allowed = vec![b'z'; MAX_LINE_BYTES];
        let input = [
            &b"a"[..],
            &long,
            b"b",
            &longer,
            &longest_allowed,
            b"c",
            &longer,
        ]
        .join(&b'\n');
        let (out, totals) = run_all(&input[..], 2);
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!((lines.len(), totals.lines), (7, 7));
        for refused in [1, 3, 6] {
            assert!(
                lines[refused].starts_with("{\"error\":\"the line has more than 4194304 bytes")
            );
        }
        assert_eq!((lines[0], lines[2], lines[5]), ("<a>", "<b>", "<c>"));
        assert_eq!(lines[4].len(), MAX_LINE_BYTES + 2);
    }

    #[test]
    fn a_fault_costs_one_line() {
        let fault = |line: &[u8], out: &mut Vec<u8>| {
            out.extend_from_slice(b"begun");
            assert_ne!(line, b"b", "on purpose");
            echo(line, out);
        };
        let mut out = Vec::new();
        run(&b"a\nb\nc\n"[..], &mut out, 2, &fault, |_| {}).unwrap();
        let out = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!((lines[0], lines[2]), ("begun<a>", "begun<c>"));
        assert!(lines[1].starts_with("{\"error\""), "{}", lines[1]);
    }

    #[test]
    fn an_answer_leaves_before_more_input_is_asked_for() {
        use std::{cell::RefCell, rc::Rc};

        /// Checks, when asked for more, that everything so far was answered.
        struct Talk(Rc<RefCell<Vec<u8>>>, usize);
        impl Read for Talk {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                assert_eq!(
                    self.0.borrow().split(|byte| *byte == b'\n').count() - 1,
                    self.1
                );
                if self.1 == 3 {
                    return Ok(0);
                }
                self.1 += 1;
                buffer[..2].copy_from_slice(b"q\n");
                Ok(2)
            }
        }
        struct Heard(Rc<RefCell<Vec<u8>>>);
        impl Write for Heard {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.borrow_mut().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let heard = Rc::new(RefCell::new(Vec::new()));
        let talk = Talk(Rc::clone(&heard), 0);
        let totals = run(talk, Heard(Rc::clone(&heard)), 2, &echo, |_| {}).unwrap();
        assert_eq!(totals.lines, 3);
    }
}
