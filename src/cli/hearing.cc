#include "cli/hearing.h"

#include <sys/utsname.h>

#include "base/text.h"
#include "cli/session.h"
#include "model/weights.h"
#include "speech/whisper.h"

namespace slipway::cli {
namespace {

// The library runs in this process, so its bytes are checked each time.
Result<std::string> verified(const Context& context, const lab::Workbench& bench,
                             const std::string& name) {
  const auto* entry = bench.catalog().find(name);
  if (!entry)
    return Error::not_found("no '" + name + "' in the catalog", "`slipway models list` shows it");
  const auto folder = models_folder(context);
  SLIPWAY_TRY(options, bench.catalog().resolve(name, folder));
  SLIPWAY_TRY(sha, model::Catalog::verify(*entry, folder));
  return options.path;
}

std::string this_machine() {
  utsname names{};
  return uname(&names) == 0 ? names.machine : "";
}

}  // namespace

std::vector<Option> hearing_options() {
  return {{"asr", "the speech model: a catalog name or a file", "NAME", "whisper-tiny.en"},
          {"language", "what is spoken, for a model of many languages", "CODE", "en"},
          {"plain", "hear without a bias to what the skills can do", "", ""}};
}

Result<std::shared_ptr<candidate::Transcriber>> open_transcriber(Context& context,
                                                                 const Arguments& arguments,
                                                                 const lab::Workbench& bench,
                                                                 const skill::SkillSet& skills) {
  const auto name = arguments.text("asr");
  SLIPWAY_TRY(found, bench.catalog().resolve(name, models_folder(context)));
  if (found.path.empty())
    return Error::unsupported("'" + name + "' is an endpoint", "speech is heard on this machine");
  speech::WhisperOptions options;
  options.path = found.path;
  options.name = name;
  options.language = arguments.text("language");
  SLIPWAY_TRY(sha, model::weights_sha256(found.path));
  options.weights_sha256 = sha;
  if (!arguments.flag("plain")) options.bias = speech::bias_from(skills);
  return speech::open_whisper(options);
}

Result<std::unique_ptr<speech::WakeWord>> open_wake_word(Context& context,
                                                         const Arguments& arguments,
                                                         const lab::Workbench& bench) {
  if (!arguments.has("wake")) return std::unique_ptr<speech::WakeWord>();
  std::vector<std::string> words;
  for (const auto& entry : bench.catalog().entries()) {
    if (entry.kind == "wake") words.push_back(entry.name);
  }
  const auto name = arguments.text("wake");
  const auto* entry = bench.catalog().find(name);
  if (!entry || entry->kind != "wake")
    return Error::not_found("no wake word '" + name + "'", "there are " + join(words, ", "));
  SLIPWAY_TRY(library, verified(context, bench, "tensorflow-lite-" + this_machine()));
  SLIPWAY_TRY(model, verified(context, bench, name));
  return speech::WakeWord::open({library, model});
}

}  // namespace slipway::cli
