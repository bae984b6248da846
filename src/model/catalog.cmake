# Embeds models/catalog.json, so that the installed program needs no data file, and adds the sources
# of the catalog and the endpoint. Included anywhere in this folder's CMakeLists.txt.
set(SLIPWAY_CATALOG_JSON "${CMAKE_SOURCE_DIR}/models/catalog.json")
set(SLIPWAY_CATALOG_SOURCE "${CMAKE_CURRENT_BINARY_DIR}/builtin_catalog.cc")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${SLIPWAY_CATALOG_JSON}")
file(READ "${SLIPWAY_CATALOG_JSON}" SLIPWAY_CATALOG_TEXT)
file(CONFIGURE OUTPUT "${SLIPWAY_CATALOG_SOURCE}" @ONLY CONTENT [==[#include "model/catalog.h"

namespace slipway::model {

const char* const builtin_catalog_json = R"catalog(@SLIPWAY_CATALOG_TEXT@)catalog";

}  // namespace slipway::model
]==])
# Called at the end of this folder's CMakeLists.txt, when the targets exist.
function(slipway_add_catalog)
  target_sources(slipway_model PRIVATE catalog.cc catalog_parse.cc chat_wire.cc endpoint.cc
    part_file.cc pull.cc pull_pypi.cc pull_url.cc retry.cc weights.cc "${SLIPWAY_CATALOG_SOURCE}")
  target_link_libraries(slipway_model PUBLIC slipway_base slipway_json slipway_http)
  if(TARGET slipway_model_test)
    target_sources(slipway_model_test PRIVATE
      catalog_test.cc endpoint_test.cc fake_peer.cc pull_test.cc)
  endif()
endfunction()
cmake_language(DEFER CALL slipway_add_catalog)
