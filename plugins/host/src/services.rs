//! What the host does for a matcher: its log lines and its metrics.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{LogLevel, Text};

use crate::HostLimits;
use crate::throttle::Throttle;

/// Where the log lines of matchers go instead of the log, where this process is a matcher's own.
static RELAY: OnceLock<Relay> = OnceLock::new();

/// Takes a log line.
pub(crate) type Relay = Box<dyn Fn(LogLevel, &str) + Send + Sync>;

/// Sends all log lines of matchers elsewhere, for the rest of the process.
pub(crate) fn relay(relay: Relay) {
    // A second relay would be a second parent, which no process has.
    drop(RELAY.set(relay));
}

/// The host's side of one library: where its log lines and metrics go.
#[derive(Debug)]
pub(crate) struct Services {
    /// The matcher, as soon as it is known.
    id: OnceLock<String>,
    limits: HostLimits,
    lines: Mutex<Throttle>,
    metrics: Mutex<Metrics>,
}

#[derive(Debug, Default)]
struct Metrics {
    values: BTreeMap<String, f64>,
    /// Those that were set since somebody asked.
    changed: BTreeMap<String, f64>,
}

impl Services {
    /// Makes the services of a library of which nothing is known yet.
    pub(crate) fn new(limits: HostLimits) -> Arc<Self> {
        let throttle = Throttle::new(limits.log_lines_per_second, limits.log_burst_lines, Instant::now());
        let lines = Mutex::new(throttle);
        Arc::new(Self { id: OnceLock::new(), limits, lines, metrics: Mutex::default() })
    }

    /// Says whose services these are.
    pub(crate) fn name(&self, id: &str) {
        // A library has one id for ever.
        drop(self.id.set(id.to_owned()));
    }

    /// Makes the services of a library and the table of functions that it gets.
    ///
    /// Both are leaked, because a matcher may keep the table for the rest of the process. This happens once a library.
    pub(crate) fn leak(id: &str, limits: HostLimits) -> (Arc<Self>, &'static abi::Host) {
        let services = Self::new(limits);
        services.name(id);
        let context = Arc::into_raw(Arc::clone(&services));
        let table = abi::Host {
            size: abi::size_of_struct::<abi::Host>(),
            abi_major: abi::ABI_MAJOR,
            abi_minor: abi::ABI_MINOR,
            reserved: 0,
            name: Text::from_borrowed("heartline"),
            version: Text::from_borrowed(env!("CARGO_PKG_VERSION")),
            context: context.cast_mut().cast(),
            log: Some(log),
            metric: Some(metric),
            get_extension: Some(get_extension),
        };
        (services, Box::leak(Box::new(table)))
    }

    /// The metrics that the library has set, by name.
    pub(crate) fn metrics(&self) -> Vec<(String, f64)> {
        let metrics = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        metrics.values.iter().map(|(name, value)| (name.clone(), *value)).collect()
    }

    /// The metrics that were set since this was last asked.
    pub(crate) fn take_changed(&self) -> Vec<(String, f64)> {
        let mut metrics = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut metrics.changed).into_iter().collect()
    }

    /// Writes a line of the matcher, unless there were too many lately.
    pub(crate) fn write(&self, level: LogLevel, bytes: &[u8]) {
        let admitted = self.lines.lock().unwrap_or_else(PoisonError::into_inner).admit(Instant::now());
        let Some(dropped) = admitted else { return };
        if dropped > 0 {
            self.tell(
                LogLevel::WARN,
                &format!("{dropped} lines before this one were too many and are left out"),
            );
        }
        self.tell(level, &readable(bytes, self.limits.max_message_bytes));
    }

    fn tell(&self, level: LogLevel, message: &str) {
        if let Some(relay) = RELAY.get() {
            return relay(level, message);
        }
        let matcher = self.id.get().map_or("not known yet", String::as_str);
        match level {
            LogLevel::ERROR => tracing::error!(matcher, "{message}"),
            LogLevel::WARN => tracing::warn!(matcher, "{message}"),
            LogLevel::INFO => tracing::info!(matcher, "{message}"),
            _ => tracing::debug!(matcher, "{message}"),
        }
    }

    /// Sets a metric, if its name and value are acceptable and there is room for it.
    pub(crate) fn set(&self, name: &[u8], value: f64) {
        let allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
        let valid = !name.is_empty() && name.len() <= self.limits.max_text_bytes && name.iter().all(allowed);
        if !valid || !value.is_finite() {
            return;
        }
        let name = String::from_utf8_lossy(name).into_owned();
        let mut metrics = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        if metrics.values.len() < self.limits.max_metrics || metrics.values.contains_key(&name) {
            metrics.changed.insert(name.clone(), value);
            metrics.values.insert(name, value);
        }
    }
}

/// Bytes from a matcher as one line of text, cut to a limit: what it says must not forge further log lines.
pub(crate) fn readable(bytes: &[u8], limit: usize) -> String {
    let cut = &bytes[..bytes.len().min(limit)];
    String::from_utf8_lossy(cut).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Runs `body` with the services and the bytes that a matcher passed, and lets no panic out into its frames.
///
/// # Safety
/// `context` must come from [`Services::leak`], and a non-null `text` must point at as many bytes as its length says.
unsafe fn serve(context: *mut c_void, text: Text, body: impl FnOnce(&Services, &[u8])) {
    // SAFETY: the caller promises that this is a leaked `Services`; it is only ever shared.
    let Some(services) = (unsafe { context.cast_const().cast::<Services>().as_ref() }) else { return };
    // SAFETY: the caller promises that the text is as long as it says.
    let Some(bytes) = (unsafe { text.bytes() }) else { return };
    // A panic here would be one of the log's subscriber; it must not unwind through foreign frames, and there is
    // nobody to tell.
    drop(catch_unwind(AssertUnwindSafe(|| body(services, bytes))));
}

unsafe extern "C" fn log(context: *mut c_void, level: LogLevel, message: Text) {
    // SAFETY: the header makes a matcher promise what `serve` asks for.
    unsafe { serve(context, message, |services, bytes| services.write(level, bytes)) };
}

unsafe extern "C" fn metric(context: *mut c_void, name: Text, value: f64) {
    // SAFETY: the header makes a matcher promise what `serve` asks for.
    unsafe { serve(context, name, |services, bytes| services.set(bytes, value)) };
}

unsafe extern "C" fn get_extension(_context: *mut c_void, _id: Text) -> *const c_void {
    std::ptr::null()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_bounded_and_checked() {
        let limits = HostLimits { max_metrics: 2, ..HostLimits::default() };
        let (services, table) = Services::leak("x", limits);
        let set = |name: &str, value| {
            // SAFETY: the context is the one of the table, and the text is a string that outlives the call.
            unsafe { table.metric.unwrap()(table.context, Text::from_borrowed(name), value) }
        };
        set("calls", 1.0);
        set("Calls", 1.0);
        set("", 1.0);
        set("ratio", f64::NAN);
        set("rows", 5.0);
        set("too_many", 1.0);
        set("calls", 2.0);
        assert_eq!(services.metrics(), [("calls".to_owned(), 2.0), ("rows".to_owned(), 5.0)]);
        assert_eq!(services.take_changed().len(), 2);
        set("rows", 6.0);
        assert_eq!(services.take_changed(), [("rows".to_owned(), 6.0)]);
    }

    #[test]
    fn a_flood_of_lines_is_cut_and_counted() {
        static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
        relay(Box::new(|_, line| LINES.lock().unwrap().push(line.to_owned())));
        let limits = HostLimits { log_lines_per_second: 0, log_burst_lines: 2, ..HostLimits::default() };
        let services = Services::new(limits);
        (0..9).for_each(|_| services.write(LogLevel::INFO, b"flood"));
        let limits = HostLimits { log_lines_per_second: 1_000_000, log_burst_lines: 1, ..limits };
        let services = Services::new(limits);
        services.lines.lock().unwrap().admit(Instant::now());
        let dropped =
            (0..9).filter(|_| services.lines.lock().unwrap().admit(Instant::now()).is_none()).count();
        std::thread::sleep(std::time::Duration::from_millis(1));
        services.write(LogLevel::INFO, b"again");
        let lines = LINES.lock().unwrap();
        assert_eq!(lines.iter().filter(|line| *line == "flood").count(), 2);
        assert_eq!(lines.last().unwrap(), "again");
        let told = lines
            .iter()
            .any(|line| line.starts_with("9 lines") || line.starts_with(&format!("{dropped} lines")));
        assert!(told || dropped == 0, "{lines:?}");
    }

    #[test]
    fn a_null_context_or_text_is_ignored() {
        let (_, table) = Services::leak("x", HostLimits::default());
        let null = Text { data: std::ptr::null(), length: 4 };
        // SAFETY: both nulls are checked before they are followed.
        unsafe {
            table.log.unwrap()(std::ptr::null_mut(), LogLevel::ERROR, Text::EMPTY);
            table.log.unwrap()(table.context, LogLevel::ERROR, null);
        }
    }

    #[test]
    fn a_message_is_one_line_of_bounded_length() {
        assert_eq!(readable(b"a\nb\x1b[31mc", 100), "a b [31mc");
        assert_eq!(readable(b"abcdef", 3), "abc");
        assert_eq!(readable(&[b'a', 0xff], 10), "a\u{fffd}");
    }
}
