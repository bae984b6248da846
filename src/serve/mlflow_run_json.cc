#include "serve/mlflow_run_json.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace slipway::serve {
namespace {

void append_number(std::string& out, auto value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_double(std::string& out, double value) {
  if (std::isfinite(value)) return append_number(out, value);
  out += std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
}

// Most texts need no escape.
void append_text(std::string& out, std::string_view text) {
  bool plain = true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    plain &= byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
  }
  if (!plain) {
    out += json::quote(text);
    return;
  }
  out += '"';
  out.append(text) += '"';
}

void append_member(std::string& out, std::string_view key, std::string_view text) {
  out.append("\"").append(key).append("\":");
  append_text(out, text);
}

void append_pairs(std::string& out, std::string_view name, const store::Pairs& pairs) {
  if (pairs.empty()) return;
  out.append(out.back() == '{' ? "\"" : ",\"").append(name).append("\":[");
  for (const auto& [key, value] : pairs) {
    out += out.back() == '[' ? "{" : ",{";
    append_member(out, "key", key);
    out += ',';
    append_member(out, "value", value);
    out += '}';
  }
  out += ']';
}

void append_data(std::string& out, const store::TrackedRun& run) {
  out += '{';
  if (!run.metrics.empty()) {
    out += "\"metrics\":[";
    for (const auto& metric : run.metrics) {
      if (out.back() != '[') out += ',';
      append_metric(out, metric, {});
    }
    out += ']';
  }
  append_pairs(out, "params", run.params);
  append_pairs(out, "tags", run.tags);
  out += '}';
}

void append_links(std::string& out, std::string_view name, const store::TrackedRun& run,
                  store::RunLink::Kind kind) {
  bool any = false;
  for (const auto& link : run.links) {
    if (link.kind != kind) continue;
    if (any) {
      out += ',';
    } else {
      out.append(out.back() == '{' ? "\"" : ",\"").append(name).append("\":[");
    }
    any = true;
    out += link.content.dump();
  }
  if (any) out += ']';
}

}  // namespace

void append_metric(std::string& out, const store::Metric& metric, std::string_view run_id) {
  out += '{';
  append_member(out, "key", metric.key);
  out += ",\"value\":";
  append_double(out, metric.value);
  out += ",\"timestamp\":";
  append_number(out, metric.unix_ms);
  out += ",\"step\":";
  append_number(out, metric.step);
  if (!run_id.empty()) {
    out += ',';
    append_member(out, "run_id", run_id);
  }
  out += '}';
}

void append_run_info(std::string& out, const store::TrackedRun& run) {
  out += '{';
  append_member(out, "run_uuid", run.info.id);
  out += ',';
  append_member(out, "experiment_id", std::to_string(run.experiment_id));
  out += ',';
  append_member(out, "run_name", run.info.name);
  out += ',';
  append_member(out, "user_id", run.user);
  out += ",\"status\":\"";
  for (const char c : store::status_name(run.info.status)) out += static_cast<char>(c - 'a' + 'A');
  out += "\",\"start_time\":";
  append_number(out, run.info.start_ms);
  if (run.info.end_ms != 0) {
    out += ",\"end_time\":";
    append_number(out, run.info.end_ms);
  }
  out += ',';
  append_member(out, "artifact_uri", run.artifact_uri);
  out += run.deleted ? ",\"lifecycle_stage\":\"deleted\"," : ",\"lifecycle_stage\":\"active\",";
  append_member(out, "run_id", run.info.id);
  out += '}';
}

void append_run(std::string& out, const store::TrackedRun& run) {
  out += "{\"info\":";
  append_run_info(out, run);
  out += ",\"data\":";
  append_data(out, run);
  out += ",\"inputs\":{";
  append_links(out, "dataset_inputs", run, store::RunLink::Kind::dataset);
  append_links(out, "model_inputs", run, store::RunLink::Kind::input_model);
  out += "},\"outputs\":{";
  append_links(out, "model_outputs", run, store::RunLink::Kind::output_model);
  out += "}}";
}

}  // namespace slipway::serve
