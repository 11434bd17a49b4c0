//! Logs as JSON on stdout, traces by OTLP/gRPC.

use std::fmt;

use opentelemetry::{
    KeyValue,
    trace::{TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Json, JsonFields, Writer},
    },
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use crate::config;

/// Flushes traces when the process ends.
#[derive(Debug)]
pub struct Guard(Option<SdkTracerProvider>);

impl Guard {
    /// Sends what is buffered. Call after the last task ended.
    pub fn flush(&self) {
        if let Some(provider) = &self.0
            && let Err(err) = provider.shutdown()
        {
            tracing::warn!(error = %err, "flush traces");
        }
    }
}

/// Starts logging and tracing for this process. Call once, inside the runtime.
pub fn init(
    service: &'static str,
    version: &'static str,
    config: &config::Telemetry,
) -> anyhow::Result<Guard> {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let filter = EnvFilter::try_new(&config.log_filter).map_err(|err| {
        anyhow::anyhow!("base.telemetry.log_filter `{}`: {err}", config.log_filter)
    })?;
    let logs = tracing_subscriber::fmt::layer()
        .event_format(WithTraceId(Format::default().json().flatten_event(true)))
        .fmt_fields(JsonFields::new())
        .with_filter(filter);

    let provider = if config.otlp_endpoint.is_empty() {
        // Trace ids are made and passed on all the same, so that logs of one request can be joined.
        SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOff)
            .build()
    } else {
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_tonic()
            .with_endpoint(&config.otlp_endpoint)
            .build()?;
        SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
                config.trace_ratio,
            ))))
            .with_resource(
                Resource::builder()
                    .with_service_name(service)
                    .with_attribute(KeyValue::new("service.version", version))
                    .build(),
            )
            .build()
    };
    let spans = EnvFilter::new("info,h2=off,hyper=off,tonic=off,tower=off,async_nats=off,sqlx=off");
    let traces = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(service))
        .with_filter(spans);
    tracing_subscriber::registry()
        .with(traces)
        .with(logs)
        .try_init()?;
    Ok(Guard(Some(provider)))
}

/// Adds `trace_id` to every log line written inside a trace.
struct WithTraceId(Format<Json>);

impl<S, N> FormatEvent<S, N> for WithTraceId
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let context = opentelemetry::Context::current();
        let span = context.span();
        let span = span.span_context();
        let trace_id = span.is_valid().then(|| span.trace_id());
        let mut line = String::new();
        self.0.format_event(ctx, Writer::new(&mut line), event)?;
        match (trace_id, line.strip_prefix('{')) {
            (Some(id), Some(rest)) => write!(writer, "{{\"trace_id\":\"{id}\",{rest}"),
            _ => writer.write_str(&line),
        }
    }
}
