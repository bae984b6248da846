# Every third-party library, found once. Configure never touches the network: what is missing is named with the one
# command that brings it.
set(SLIPWAY_HOW_TO_FIX "run ./scripts/fetch-deps (Debian and Ubuntu), or see CONTRIBUTING.md for other systems")

find_package(PkgConfig QUIET)
find_package(Threads QUIET)
find_package(OpenSSL QUIET)
find_package(CURL QUIET)
find_package(SQLite3 QUIET)
find_package(ZLIB QUIET)
find_package(nlohmann_json QUIET)
find_package(CLI11 QUIET)
find_package(Boost 1.74 QUIET)
find_package(fmt QUIET)
find_path(TOMLPLUSPLUS_INCLUDE toml++/toml.h)
find_path(PROTOZERO_INCLUDE protozero/pbf_reader.hpp)
find_path(DOCTEST_INCLUDE doctest/doctest.h)
find_library(ZSTD_LIBRARY zstd)
find_library(YAML_CPP_LIBRARY yaml-cpp)

set(missing "")
foreach(name Threads OpenSSL CURL SQLite3 ZLIB nlohmann_json CLI11 Boost fmt)
  if(NOT ${name}_FOUND)
    list(APPEND missing ${name})
  endif()
endforeach()
foreach(name TOMLPLUSPLUS_INCLUDE PROTOZERO_INCLUDE ZSTD_LIBRARY YAML_CPP_LIBRARY)
  if(NOT ${name})
    list(APPEND missing ${name})
  endif()
endforeach()
if(SLIPWAY_TESTS AND NOT DOCTEST_INCLUDE)
  list(APPEND missing doctest)
endif()
if(missing)
  message(FATAL_ERROR "missing: ${missing}; ${SLIPWAY_HOW_TO_FIX}")
endif()

add_library(slipway::zstd UNKNOWN IMPORTED)
set_target_properties(slipway::zstd PROPERTIES IMPORTED_LOCATION "${ZSTD_LIBRARY}")

# llama.cpp, prebuilt (cmake/inference) and cached by the hash of its source, flags and compiler.
if(NOT EXISTS "${SLIPWAY_INFERENCE_DIR}/lib/libllama.a")
  message(FATAL_ERROR "no inference libraries in SLIPWAY_INFERENCE_DIR='${SLIPWAY_INFERENCE_DIR}'; ${SLIPWAY_HOW_TO_FIX}")
endif()
add_library(slipway::llama INTERFACE IMPORTED)
target_include_directories(slipway::llama SYSTEM INTERFACE
  "${SLIPWAY_INFERENCE_DIR}/include" "${SLIPWAY_INFERENCE_DIR}/include/ggml-internal")
target_link_libraries(slipway::llama INTERFACE
  "${SLIPWAY_INFERENCE_DIR}/lib/libslipway_jinja.a" "${SLIPWAY_INFERENCE_DIR}/lib/libllama.a"
  "${SLIPWAY_INFERENCE_DIR}/lib/libggml.a" "${SLIPWAY_INFERENCE_DIR}/lib/libggml-cpu.a"
  "${SLIPWAY_INFERENCE_DIR}/lib/libggml-base.a" Threads::Threads ${CMAKE_DL_LIBS} m)

# whisper.cpp (cmake/speech), built against that ggml.
if(NOT EXISTS "${SLIPWAY_INFERENCE_DIR}/lib/libwhisper.a")
  message(FATAL_ERROR "no whisper.cpp in SLIPWAY_INFERENCE_DIR='${SLIPWAY_INFERENCE_DIR}'; ${SLIPWAY_HOW_TO_FIX}")
endif()
add_library(slipway::whisper INTERFACE IMPORTED)
target_link_libraries(slipway::whisper INTERFACE "${SLIPWAY_INFERENCE_DIR}/lib/libwhisper.a" slipway::llama)
