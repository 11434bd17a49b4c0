//! Batches: the input's lines through one function, to stdout.

use std::{fs::File, io, os::fd::AsFd as _, thread};

use super::input;
use crate::{
    batch::{self, Answer},
    cli::chain::Batch,
    error::Error,
    exit::Exit,
    render::Ui,
};

/// Answers every line.
pub(super) fn run(ui: &Ui, args: &Batch, answer: &impl Answer) -> Result<Exit, Error> {
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let threads = args.threads.map_or_else(cores, usize::from);
    let input = input::open(args.file.as_deref())?;
    // Not through the standard library's own buffer, which looks for line breaks: a block is written as a whole.
    let output = io::stdout()
        .as_fd()
        .try_clone_to_owned()
        .map_err(Error::Output)?;
    let mut counter = ui.progress().counter("lines");
    let done = batch::run(input, File::from(output), threads, answer, |totals| {
        counter.tell(totals.lines);
    });
    counter.done();
    done.map_err(Error::Output)?;
    Ok(Exit::Success)
}
