//! `/metrics` on the management port, in Prometheus's format. Labels are of our own closed lists
//! (routes, methods, status classes): no names, no ids (security.md S-69).

use std::{sync::OnceLock, time::Duration};

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

const REQUESTS: &str = "http_requests_total";
const REQUEST_SECONDS: &str = "http_request_duration_seconds";

/// From a cached vend to a proxied call of ten minutes.
const SECONDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// How often samples of histograms are put into their buckets; between that they use memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// The one recorder of the process.
#[derive(Debug, Clone)]
pub(crate) struct Metrics(PrometheusHandle);

impl Metrics {
    /// Starts recording, once per process; later calls return the same recorder, since several
    /// replicas may live in one test.
    pub(crate) fn start() -> Self {
        static RECORDER: OnceLock<Metrics> = OnceLock::new();
        RECORDER.get_or_init(Self::install).clone()
    }

    fn install() -> Self {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .expect("the list of buckets is not empty")
            .build_recorder();
        let metrics = Self(recorder.handle());
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::error!("another recorder of metrics is installed: /metrics stays empty");
        }
        describe_counter!(REQUESTS, Unit::Count, "Requests answered, by route pattern, method and class of status.");
        describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "Time until the head of the answer was ready.");
        let handle = metrics.0.clone();
        let upkeep = move || loop {
            std::thread::park_timeout(UPKEEP);
            handle.run_upkeep();
        };
        // A thread and not a task: it belongs to the process, not to one runtime.
        if let Err(error) = std::thread::Builder::new().name("metrics".to_owned()).spawn(upkeep) {
            tracing::warn!(%error, "no thread for metrics: their memory is freed by scraping only");
        }
        metrics
    }

    /// The answer of `/metrics`.
    pub(crate) fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}

pub(super) fn count_request(method: &'static str, route: String, status: u16, duration: Duration) {
    let class = match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    counter!(REQUESTS, "method" => method, "route" => route.clone(), "status" => class).increment(1);
    histogram!(REQUEST_SECONDS, "method" => method, "route" => route).record(duration.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s69_requests_are_counted_by_pattern_and_class() {
        let metrics = Metrics::start();
        count_request("GET", "/connections/{id}".to_owned(), 200, Duration::from_millis(3));
        count_request("GET", "/connections/{id}".to_owned(), 204, Duration::from_millis(3));
        let text = Metrics::start().render();
        let counted = r#"http_requests_total{method="GET",route="/connections/{id}",status="2xx"} 2"#;
        assert!(text.contains(counted), "{text}");
        assert!(
            text.contains(
                r#"http_request_duration_seconds_bucket{method="GET",route="/connections/{id}",le="0.005"} 2"#
            ),
            "{text}"
        );
        assert!(text.contains("# HELP http_requests_total Requests answered"), "{text}");
        assert_eq!(metrics.render(), text);
    }
}
