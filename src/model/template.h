// Jinja templates behind one small seam: chat templates from GGUF files, prompt templates, replies.
//
//     auto context = json::Value::object();
//     context.set("input", "play baby shark");
//     auto text = render_template("User: {{ input }}", context);   // Result<std::string>
//
// Everything is bounded, for a template may come from a stranger: source 256 KiB, output 1 MiB,
// nesting, evaluated nodes, bytes copied, value size, stack. Templates reach nothing but the
// context: no files, no environment; the only impure function is strftime_now. Thread-safe; parsed
// templates are remembered. Errors: invalid_input (with the template's line), exhausted. The engine
// is llama.cpp's own (common/jinja), so chat templates mean what they mean there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/value.h"

namespace slipway::model {

Result<std::string> render_template(std::string_view source, const json::Value& context);

// Rendered text in order, telling what came from `untrusted` values from what the template itself
// wrote.
struct TemplatePart {
  std::string text;
  bool untrusted = false;
};
// `trusted` and `untrusted` are objects; members of the latter win.
Result<std::vector<TemplatePart>> render_template_parts(std::string_view source,
                                                        const json::Value& trusted,
                                                        const json::Value& untrusted);

}  // namespace slipway::model
