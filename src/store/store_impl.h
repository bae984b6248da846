// What is behind the Store's door: the folder, the one writing connection and the reading ones.
// Only for the .cc files of this folder; thread-safe because its parts are.
#pragma once

#include <string>
#include <utility>

#include "store/group_commit.h"
#include "store/objects.h"
#include "store/read_pool.h"
#include "store/store.h"

namespace slipway::store {

struct Store::Impl {
  Impl(std::string path, const std::string& records, Database database)
      : folder(std::move(path)),
        objects(folder + "/objects"),
        writer(std::move(database)),
        readers(records) {}

  std::string folder;
  ObjectFolder objects;
  GroupCommit writer;
  ReadPool readers;
};

}  // namespace slipway::store
