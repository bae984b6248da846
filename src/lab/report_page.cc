#include "lab/report_page.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "lab/markup.h"
#include "lab/report_style.h"

namespace slipway::lab {
namespace {

std::string esc(std::string_view text) { return escape_markup(text); }

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string interval_text(const eval::Interval& interval) {
  return fmt::format("{:.1f} to {:.1f} %", 100 * interval.low, 100 * interval.high);
}

std::string day(int64_t unix_ms) {
  auto text = iso8601_utc(unix_ms).substr(0, 16);
  text[10] = ' ';
  return text + " UTC";
}

std::string milliseconds(double ms) {
  return ms < 1000 ? fmt::format("{:.0f} ms", ms) : fmt::format("{:.1f} s", ms / 1000);
}

std::string section(const char* id, const std::string& title, const std::string& body) {
  return fmt::format("<section id=\"{}\"><h2>{}</h2>\n{}</section>\n", id, title, body);
}

std::string share_row(const std::string& name, const eval::Proportion& p) {
  if (p.total == 0)
    return "<tr><th scope=\"row\">" + esc(name) +
           "</th><td class=\"quiet\" colspan=\"4\">no such rows</td></tr>\n";
  return fmt::format(
      "<tr><th scope=\"row\">{}</th><td class=\"num strong\">{}</td><td class=\"bar\">{}</td>"
      "<td class=\"num quiet\">{}</td><td class=\"num quiet\">{} of {}</td></tr>\n",
      esc(name), percent(p.rate()), share_svg(p), interval_text(p.interval()), p.passed, p.total);
}

std::string table(const std::string& rows) {
  return "<table class=\"shares\">" + rows + "</table>\n";
}

std::string examples_list(const std::vector<ReportExample>& examples) {
  if (examples.empty()) return {};
  std::string list = "<ul class=\"examples\">";
  for (const auto& example : examples) {
    list += "<li><q>" + esc(example.input) + "</q><div class=\"said\"><span class=\"no\">" +
            esc(example.output.empty() ? "(nothing)" : example.output) + "</span>";
    if (!example.expected.empty())
      list += " <span class=\"quiet\">instead of</span> <span class=\"yes\">" +
              esc(example.expected) + "</span>";
    list += "</div></li>";
  }
  return list + "</ul>\n";
}

// What a person wants to know first, in one sentence, and no better than it is.
std::string verdict_box(const ReportFacts& facts) {
  std::string tone = "open", said, why;
  if (!facts.gate) {
    said = "Not decided: no gate was run for this candidate.";
    why =
        "<p>Nobody has tested yet whether it may replace what is live. Its figures below are "
        "what was measured, no more.</p>";
  } else {
    const auto& gate = *facts.gate;
    const auto against = "'" + esc(gate.against_name) + "'";
    const auto margin = fmt::format("{:g} points", 100 * gate.margin);
    if (gate.verdict == "pass") {
      tone = "pass";
      said = "Yes: it is shown to be no worse than " + against + " by " + margin + " or more.";
    } else if (gate.verdict == "fail") {
      tone = "fail";
      said = "No: it did not pass its gate against " + against + ".";
    } else if (gate.verdict == "refused") {
      said = "Not shown: too few rows to tell whether it is no worse than " + against + ".";
    } else {
      said = "Not shown: it may be worse than " + against + " by more than " + margin + ".";
    }
    for (const auto& reason : gate.reasons) why += "<li>" + esc(reason) + "</li>";
    why = "<ul>" + why + "</ul><p class=\"quiet\">Gate run " + esc(short_id(gate.run_id)) + ", " +
          day(gate.unix_ms) + ", " + std::to_string(gate.rows) + " rows" +
          (gate.same_rows ? "" : "; other rows than those of this report") + ".</p>";
  }
  return "<div class=\"verdict " + tone + "\"><p class=\"said\">" + said + "</p>" + why +
         "</div>\n";
}

std::string head(const ReportFacts& facts) {
  const auto& inputs = facts.run.inputs;
  std::string html = "<header><p class=\"quiet\">" + esc(facts.project) +
                     (facts.project.empty() ? "" : " · ") + "report of " + day(facts.unix_ms) +
                     "</p><h1>" + esc(facts.candidate_name);
  for (const auto& alias : facts.aliases)
    html += " <span class=\"alias\">" + esc(alias) + "</span>";
  html += "</h1><p class=\"quiet\">candidate <code>" + esc(short_id(facts.candidate)) +
          "</code> · " + esc(facts.model) + (facts.pinned ? "" : " (weights unknown)") +
          " · evaluated on " + std::to_string(facts.report.exact.total) + " rows of '" +
          esc(inputs.text("dataset")) + "'";
  if (const auto split = inputs.text("split"); !split.empty()) html += ", split " + esc(split);
  return html + " · run <code>" + esc(short_id(facts.run.id)) + "</code></p></header>\n";
}

std::string what_it_gets_right(const ReportFacts& facts) {
  const auto& report = facts.report;
  const auto interval = report.exact.interval();
  std::string body = fmt::format(
      "<p class=\"lead\"><span class=\"big\">{}</span> of requests are answered exactly right: {} "
      "of {}. With other requests of the same kind it would be between {:.1f} % and {:.1f} % "
      "(95 % interval).</p>\n",
      percent(report.exact.rate()), report.exact.passed, report.exact.total, 100 * interval.low,
      100 * interval.high);
  std::string rows =
      share_row("exactly right", report.exact) + share_row("well formed", report.valid);
  if (report.calls) {
    rows += share_row("the right functions", report.calls->functions);
    body += table(rows);
    body += fmt::format(
        "<p class=\"quiet\">Arguments, each name with its value: F1 {} ({} right of "
        "{} given and {} expected).</p>\n",
        percent(report.calls->argument_f1()), report.calls->arguments_right,
        report.calls->arguments_given, report.calls->arguments_expected);
  } else {
    body += table(rows);
  }
  if (!facts.wrong.empty()) {
    body += fmt::format("<details><summary>Of {} failures, the first {}</summary>{}</details>\n",
                        report.exact.total - report.exact.passed, facts.wrong.size(),
                        examples_list(facts.wrong));
  }
  return section("right", "What it gets right", body);
}

std::string slices(const ReportFacts& facts) {
  if (facts.slices.empty())
    return section("slices", "Where it is weak", "<p>The rows have no tags: nobody knows.</p>\n");
  std::string rows;
  size_t shown_open = 0;  // the worst ones
  for (const auto& slice : facts.slices) {
    rows += share_row(slice.name, slice.right);
    if (slice.wrong.empty()) continue;
    rows += std::string("<tr class=\"more\"><td colspan=\"5\"><details") +
            (++shown_open <= 3 ? " open" : "") + "><summary>failures</summary>" +
            examples_list(slice.wrong) + "</details></td></tr>\n";
  }
  return section(
      "slices", "Where it is weak",
      "<p class=\"quiet\">Rows by tag, worst first; a row may have several.</p>\n" + table(rows));
}

std::string odd_input(const ReportFacts& facts) {
  std::string body = "<h3>Requests that no function serves</h3>\n", rows;
  if (facts.refused) rows += share_row("left alone", *facts.refused);
  if (facts.served) rows += share_row("served when it should be", *facts.served);
  body += rows.empty() ? "<p>Not measured: there are no such rows.</p>\n" : table(rows);
  if (!facts.wrongly_acted.empty())
    body += "<p class=\"quiet\">Not left alone:</p>" + examples_list(facts.wrongly_acted);
  body += "<h3>Noisy requests</h3>\n";
  if (facts.noisy.empty()) {
    body += "<p>Not measured: no row is tagged misspelt, spoken or noisy.</p>\n";
  } else {
    std::string noisy = share_row("neither", facts.plain.right);
    for (const auto& slice : facts.noisy) noisy += share_row(slice.name, slice.right);
    body += table(noisy);
    for (const auto& slice : facts.noisy) body += examples_list(slice.wrong);
  }
  return section("odd", "Odd and noisy requests", body);
}

std::string latency_line(const ReportLatency& l, const std::string& how) {
  return fmt::format(
      "<p>Half took at most <b>{}</b>, 95 of 100 at most <b>{}</b>. <span class=\"quiet\">{} {}; "
      "{}.</span></p>\n",
      milliseconds(l.p50_ms), milliseconds(l.p95_ms), l.answers, how,
      l.where.empty() ? "the machine was not recorded" : esc(l.where));
}

std::string latency(const ReportFacts& facts) {
  std::string body;
  if (facts.asked) body += latency_line(*facts.asked, "requests, from the words to the reply");
  if (facts.latency)
    body += latency_line(*facts.latency, "answers, several side by side, in run <code>" +
                                             esc(short_id(facts.latency->run_id)) + "</code>");
  if (body.empty()) body = "<p>Not known: every answer was remembered from an earlier run.</p>\n";
  return section("latency", "How long it takes", body);
}

std::string history_line(const NotebookEntry& entry) {
  std::vector<std::string> parts;
  for (const auto& change : entry.changed) parts.push_back(change.part);
  std::string html =
      "<tr><td class=\"quiet nowrap\">" + day(entry.unix_ms) + "</td><td>" + esc(entry.title);
  if (!parts.empty())
    html += "<div class=\"quiet\">changed against '" + esc(entry.against_name) +
            "': " + esc(join(parts, ", ")) + "</div>";
  if (!entry.note.empty()) html += "<div class=\"quiet\">" + esc(entry.note) + "</div>";
  html += "</td><td class=\"num strong\">";
  if (const auto exact = entry.figures.find("exact_match"); exact != entry.figures.end())
    html += percent(exact->second);
  html += "</td><td class=\"num\">";
  if (entry.effect) {
    const auto& effect = *entry.effect;
    const bool shown = effect.p_value < 0.05;
    html += fmt::format(
        "<span class=\"{}\">{:+.1f} points</span><div class=\"quiet\">{:+.1f} to "
        "{:+.1f}, p = {:.2g}</div>",
        !shown                ? "quiet"
        : effect.change() > 0 ? "yes"
                              : "no",
        100 * effect.change(), 100 * effect.difference.low, 100 * effect.difference.high,
        effect.p_value);
  }
  return html + "</td></tr>\n";
}

std::string history(const ReportFacts& facts) {
  std::string body, rows;
  for (const auto& entry : facts.history) rows += history_line(entry);
  body +=
      "<p class=\"quiet\">The candidates on these very rows, in the order they were tried, "
      "with 95 % intervals.</p>\n" +
      ladder_svg(facts.ladder);
  if (!facts.loss.empty())
    body += "<h3>The training of its adapter</h3>\n" + curve_svg(facts.loss, "loss by step");
  if (!facts.scaling.empty())
    body +=
        "<h3>More examples</h3>\n<p class=\"quiet\">Exact match on the rows that judged each "
        "training.</p>\n" +
        scaling_svg(facts.scaling);
  body +=
      "<details><summary>Everything that was tried</summary><table class=\"history\"><thead><tr>"
      "<th>When</th><th>What</th><th class=\"num\">Exact match</th><th class=\"num\">Against "
      "the one before</th></tr></thead><tbody>" +
      rows + "</tbody></table></details>\n";
  return section("history", "How it got here", body);
}

std::string open_part(const ReportFacts& facts) {
  if (facts.open.empty())
    return section("open", "What is not known", "<p>Nothing that this report would look at.</p>\n");
  std::string rows;
  for (const auto& question : facts.open)
    rows += "<tr><td>" + esc(question.what) + "</td><td class=\"quiet\">" + esc(question.settle) +
            "</td></tr>\n";
  return section("open", "What is not known",
                 "<table class=\"open\"><thead><tr><th>Not known</th><th>What would settle "
                 "it</th></tr></thead><tbody>" +
                     rows + "</tbody></table>\n");
}

std::string foot(const ReportFacts& facts) {
  const auto& inputs = facts.run.inputs;
  std::string html =
      "<footer class=\"quiet\"><p>Intervals are Wilson's, of rows drawn like these; "
      "differences are paired, with McNemar's exact test.</p><p>";
  for (const char* key : {"engine_id", "weights_sha256", "prompt_sha256", "dataset_sha256"}) {
    if (const auto text = inputs.text(key); !text.empty())
      html += std::string(key) + " <code>" + esc(text.size() == 64 ? short_id(text) : text) +
              "</code> · ";
  }
  return html + "check it: <code>slipway reproduce " + esc(short_id(facts.run.id)) +
         "</code></p></footer>\n";
}

}  // namespace

std::string report_html(const ReportFacts& facts) {
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
         esc(facts.candidate_name) + ": report</title>\n<style>" + report_style +
         "</style>\n</head>\n<body>\n" + head(facts) + verdict_box(facts) +
         what_it_gets_right(facts) + slices(facts) + odd_input(facts) + latency(facts) +
         open_part(facts) + history(facts) + foot(facts) + "</body>\n</html>\n";
}

json::Value report_json(const ReportFacts& facts) {
  auto open = json::Value::array();
  for (const auto& question : facts.open) {
    auto item = json::Value::object();
    item.set("what", question.what).set("settle", question.settle);
    open.push_back(std::move(item));
  }
  auto value = json::Value::object();
  value.set("candidate", facts.candidate)
      .set("candidate_name", facts.candidate_name)
      .set("run_id", facts.run.id)
      .set("verdict", facts.gate ? json::Value(facts.gate->verdict) : json::Value())
      .set("gate_run", facts.gate ? json::Value(facts.gate->run_id) : json::Value())
      .set("report", facts.report.to_json())
      .set("open", std::move(open));
  return value;
}

}  // namespace slipway::lab
