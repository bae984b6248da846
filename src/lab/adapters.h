// Adapters brought in from PEFT, taken out to it, averaged and merged into weights: each a run.
//
//     AdapterSpec spec{.from = "my-lora", .model = "gemma-3-270m", .out = "adapters/mine.gguf"};
//     SLIPWAY_TRY(done, import_adapter(bench, spec));
//     done.sha256     // the adapter, also an object of the store
//
// The run is of kind `adapter`; its inputs name the action, the weights and what was read by their
// SHA-256. Paths are the project's. One thread. Errors: those of tune/adapter_file.h, tune/merge.h
// and the store; unsupported (an endpoint).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/workbench.h"
#include "tune/merge.h"

namespace slipway::lab {

struct AdapterSpec {
  std::string from;   // import: PEFT's folder; else an adapter in GGUF
  std::vector<std::string> others;  // average: the adapters beside it
  std::string model;  // that it is for
  std::string out;    // a GGUF; export: a folder
  std::string name;   // general.name of what is written
  tune::MergeOptions merge;
};

struct AdapterDone {
  std::string run_id;
  std::string path;    // what was written
  std::string sha256;  // of it; export: of adapter_model.safetensors
  int pairs = 0;       // weights adapted
  int rank = 0;
  float alpha = 0;
  std::optional<tune::Merged> merged;
};

Result<AdapterDone> import_adapter(Workbench& bench, const AdapterSpec& spec);
Result<AdapterDone> export_adapter(Workbench& bench, const AdapterSpec& spec);
Result<AdapterDone> average_adapters(Workbench& bench, const AdapterSpec& spec);
Result<AdapterDone> merge_adapter(Workbench& bench, const AdapterSpec& spec);

}  // namespace slipway::lab
