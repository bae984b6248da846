// The processors that this process may run on: not all there are, when it is held to some of them
// (a container, taskset).
//
//     options.threads = usable_processors();
//
// Threads that wait for each other by spinning, as ggml's do, take a hundred times as long when two
// of them share a processor. Thread-safe.
#pragma once

namespace slipway {

int usable_processors();  // at least 1

}  // namespace slipway
