//! `manifest.json` as a person wants to read it and as a line number can point into it: indented, with each ledger
//! entry on one line.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use crate::bundle::manifest::Manifest;

/// The manifest's bytes, ending in a line break.
pub(super) fn render(manifest: &Manifest) -> Vec<u8> {
    let mut out = Vec::new();
    let layout = Shallow { pretty: PrettyFormatter::new(), depth: 0 };
    manifest
        .serialize(&mut Serializer::with_formatter(&mut out, layout))
        .expect("a manifest has string keys only and goes to memory");
    out.push(b'\n');
    out
}

/// Indents the two outermost levels, and writes what is deeper on one line.
struct Shallow {
    pretty: PrettyFormatter<'static>,
    depth: u32,
}

const INDENTED: u32 = 2;

/// Each of these is the pretty printer's to the depth of [`INDENTED`] and the default, compact one below.
macro_rules! by_depth {
    ($self:ident, $method:ident, $out:ident $(, $first:ident)?) => {
        if $self.depth <= INDENTED {
            $self.pretty.$method($out $(, $first)?)
        } else {
            serde_json::ser::CompactFormatter.$method($out $(, $first)?)
        }
    };
}

impl Formatter for Shallow {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        by_depth!(self, begin_array, out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let done = by_depth!(self, end_array, out);
        self.depth -= 1;
        done
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        by_depth!(self, begin_array_value, out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        by_depth!(self, end_array_value, out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        by_depth!(self, begin_object, out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let done = by_depth!(self, end_object, out);
        self.depth -= 1;
        done
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        by_depth!(self, begin_object_key, out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        by_depth!(self, begin_object_value, out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        by_depth!(self, end_object_value, out)
    }
}
