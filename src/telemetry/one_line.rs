//! The `pretty` format: one event, one line, for human eyes.
//!
//! `12:30:01.250 INFO  login_with_zoho::login  signed in  person.id=0198… (request_id=0198…)`

use std::fmt::{self, Write as _};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    registry::LookupSpan,
};

pub(super) struct OneLine {
    pub(super) colors: bool,
}

impl<S, N> FormatEvent<S, N> for OneLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        SystemTime.format_time(&mut line)?;
        let level = *event.metadata().level();
        if self.colors {
            write!(line, " \u{1b}[{}m{level:<5}\u{1b}[0m ", color(level))?;
        } else {
            write!(line, " {level:<5} ")?;
        }
        write!(line, "{} ", event.metadata().target())?;
        let mut fields = Fields::default();
        event.record(&mut fields);
        write!(line, "{}{}", fields.message, fields.rest)?;
        if let Some(span) = context.lookup_current()
            && let Some(fields) = span.extensions().get::<FormattedFields<N>>()
        {
            let mut shown = String::new();
            push_escaped(&mut shown, &fields.fields);
            write!(line, " ({shown})")?;
        }
        writeln!(line)
    }
}

const fn color(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 36,
        Level::TRACE => 90,
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    rest: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            push_escaped(&mut self.message, value);
        } else {
            push_escaped(&mut self.rest, &format!(" {}=", field.name()));
            push_escaped(&mut self.rest, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.record_str(field, &value.to_string());
    }
}

/// Nothing from outside starts a new line or moves the cursor of a terminal.
fn push_escaped(line: &mut String, text: &str) {
    for character in text.chars() {
        if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
            // Writing to a String cannot fail.
            let _ = write!(line, "{}", character.escape_default());
        } else {
            line.push(character);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::tests::Captured;
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;

    #[test]
    fn s68_pretty_lines_are_lines_too() {
        let captured = Captured::default();
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .event_format(OneLine { colors: false })
            .with_writer(captured.clone());
        let _guard = tracing_subscriber::registry().with(lines).set_default();
        tracing::warn!(name = "a\nb\u{1b}[31m", count = 3, "first\r\nsecond");
        let _span = tracing::info_span!("request", request_id = "x\ny").entered();
        tracing::info!("inside");
        let lines = captured.lines();
        assert_eq!(lines.len(), 2, "{lines:?}");
        let (_time, told) = lines[0].split_once(' ').expect("a time first");
        assert_eq!(
            told,
            r"WARN  login_with_zoho::telemetry::one_line::tests first\r\nsecond name=a\nb\u{1b}[31m count=3"
        );
        assert!(lines[1].contains("inside (request_id="), "{}", lines[1]);
    }
}
