// A candidate whose adapter is made here: `tune = "train"` in slipway.toml names the rows.
//
//     SLIPWAY_CHECK(make_adapter(bench, spec, hooks));    // before bench.prepare(spec)
//
// `tune_members = 2` trains from two seeds and puts their mean into place (tune/average.h).
// Trains when no finished tuning of these weights, this prompt and these rows is in the store;
// otherwise the adapter is that tuning's, put back into place when the file is missing or another.
// An interrupted training is continued. Errors: those of lab/tuning.h.
#pragma once

#include "lab/tuning.h"

namespace slipway::lab {

Status make_adapter(Workbench& bench, const CandidateSpec& spec, const TuneHooks& hooks);

}  // namespace slipway::lab
