// The groups of /api routes that serve/ui.h puts together; one file each.
//
//     add_run_routes(server, store);
//
// Read-only; the store outlives the server.
#pragma once

#include <memory>

#include "http/server.h"
#include "store/store.h"

namespace slipway::serve {

using SharedStore = std::shared_ptr<store::Store>;

void add_run_routes(http::Server& server, const SharedStore& store);   // the table, one run
void add_case_routes(http::Server& server, const SharedStore& store);  // cases, two runs compared
void add_trace_routes(http::Server& server, const SharedStore& store);
void add_lab_routes(http::Server& server, const SharedStore& store);  // notebook, prompts, releases

json::Value ui_run_json(const store::Run& run);

}  // namespace slipway::serve
