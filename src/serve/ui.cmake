# The page: web/ built by Vite with the packages that scripts/fetch-deps keeps in the cache by the hash of
# web/package-lock.json, gzip'd, and embedded as one generated source. A change of C++ runs none of it; -DSLIPWAY_UI=OFF
# builds without Node.
option(SLIPWAY_UI "embed the page (needs Node 18)" ON)
set(SLIPWAY_UI_SOURCE "${CMAKE_CURRENT_BINARY_DIR}/ui_assets.cc")

if(SLIPWAY_UI)
  set(web "${CMAKE_SOURCE_DIR}/web")
  if(DEFINED ENV{SLIPWAY_CACHE})
    set(cache "$ENV{SLIPWAY_CACHE}")
  elseif(DEFINED ENV{XDG_CACHE_HOME})
    set(cache "$ENV{XDG_CACHE_HOME}/slipway")
  else()
    set(cache "$ENV{HOME}/.cache/slipway")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${web}/package-lock.json")
  file(SHA256 "${web}/package-lock.json" key)
  string(SUBSTRING "${key}" 0 16 key)
  set(SLIPWAY_WEB_PACKAGES "" CACHE PATH "a folder with node_modules of web/package-lock.json; empty: the cache's")
  set(packages "${SLIPWAY_WEB_PACKAGES}")
  if(NOT packages)
    set(packages "${cache}/web/${key}")
  endif()
  find_program(NODE_EXECUTABLE node)
  if(NOT NODE_EXECUTABLE OR NOT EXISTS "${packages}/node_modules/vite")
    message(FATAL_ERROR "the page needs node and its packages in '${packages}'; ${SLIPWAY_HOW_TO_FIX}, "
                        "or build without it: -DSLIPWAY_UI=OFF")
  endif()
  file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS "${web}/src/*" "${web}/public/*")
  add_custom_command(
    OUTPUT "${SLIPWAY_UI_SOURCE}"
    COMMAND "${NODE_EXECUTABLE}" "${web}/embed.mjs" "${packages}/node_modules" "${CMAKE_CURRENT_BINARY_DIR}/web"
            "${SLIPWAY_UI_SOURCE}"
    DEPENDS ${web_sources} "${web}/embed.mjs" "${web}/index.html" "${web}/package-lock.json" "${web}/tsconfig.json"
            "${web}/vite.config.ts"
    COMMENT "Building the page" VERBATIM)
else()
  file(CONFIGURE OUTPUT "${SLIPWAY_UI_SOURCE}" CONTENT [==[#include "serve/ui_assets.h"

namespace slipway::serve {

std::span<const UiAsset> ui_assets() { return {}; }

}  // namespace slipway::serve
]==])
endif()
target_sources(slipway_serve PRIVATE "${SLIPWAY_UI_SOURCE}")
