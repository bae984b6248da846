// The files of the page inside the binary: what src/serve/ui.cmake generates from web/.
//
//     for (const auto& asset : ui_assets()) serve(asset.path, asset.gzip);
//
// Empty in a build with -DSLIPWAY_UI=OFF. Constant data.
#pragma once

#include <span>
#include <string_view>

namespace slipway::serve {

struct UiAsset {
  std::string_view path;  // "/page.js"
  std::string_view type;  // "text/javascript; charset=utf-8"
  std::string_view etag;  // quoted, of the content
  std::string_view gzip;  // RFC 1952
};

std::span<const UiAsset> ui_assets();

}  // namespace slipway::serve
