// The memory that this process may fill: what the machine has, or less where a control group (a
// container, a systemd unit with MemoryMax) is held to less.
//
//     options.memory_bytes = usable_memory() / 2;
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <string>

namespace slipway {

uint64_t usable_memory();

// The smallest limit of the process's control group and those above it, of version 1 or 2; without
// one, the largest number. `root`: where /proc and /sys are found, for tests.
uint64_t control_group_limit(const std::string& root = "");

}  // namespace slipway
