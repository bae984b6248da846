// A call's HTTP request together with what may be shown of it; internal to this layer.
//
//     SLIPWAY_TRY(rendered, render_request(call, function, skill, options));
//     rendered.request.url     // may hold a secret
//     rendered.masked_url      // may be logged
//
// Pure; thread-safe. Errors: see build_request in skill/dispatch.h.
#pragma once

#include <string>
#include <vector>

#include "http/client.h"
#include "skill/dispatch.h"

namespace slipway::skill {

struct RenderedRequest {
  http::Request request;
  std::string origin;  // scheme://host:port
  std::string masked_url;
  std::vector<std::string> secrets;  // values that went into it, to be kept out of messages
};

Result<RenderedRequest> render_request(const Call& call, const Function& function,
                                       const Skill& skill, const DispatchOptions& options,
                                       const CallContext& context = {});

// A call's arguments and the defaults of those it leaves out (canonical text omits what equals a
// default), normalised.
Result<json::Value> effective_arguments(const Call& call, const Function& function,
                                        const CallContext& context);

// Private addresses only for a host that is itself that address, or localhost: a public name cannot
// be pointed inside.
http::AddressPolicy address_policy_for(const std::string& host);

}  // namespace slipway::skill
