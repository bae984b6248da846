// What the commands that hear share: from names of the catalog to an opened recogniser.
#pragma once

#include <memory>

#include "candidate/transcriber.h"
#include "cli/command.h"
#include "lab/workbench.h"
#include "speech/wake_word.h"

namespace slipway::cli {

// Options: --asr, --language, --plain.
std::vector<Option> hearing_options();
// Biased to `skills`, unless --plain.
Result<std::shared_ptr<candidate::Transcriber>> open_transcriber(Context& context,
                                                                 const Arguments& arguments,
                                                                 const lab::Workbench& bench,
                                                                 const skill::SkillSet& skills);
// --wake's, verified against the catalog before anything of it is run; null without --wake.
Result<std::unique_ptr<speech::WakeWord>> open_wake_word(Context& context,
                                                         const Arguments& arguments,
                                                         const lab::Workbench& bench);

// `eval --audio`: a candidate on recordings.
CommandResult eval_audio(Context& context, const Arguments& arguments);

}  // namespace slipway::cli
