#include "base/memory.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/files.h"
#include "base/text.h"

namespace slipway {
namespace {

constexpr auto no_limit = std::numeric_limits<uint64_t>::max();

// "max" and files that are not there: no limit.
uint64_t limit_in(const std::string& path) {
  const auto text = files::read(path);
  uint64_t bytes = no_limit;
  if (text.ok()) std::from_chars(text->data(), text->data() + text->size(), bytes);
  return bytes;
}

}  // namespace

uint64_t control_group_limit(const std::string& root) {
  const auto groups = files::read(root + "/proc/self/cgroup");
  if (!groups.ok()) return no_limit;
  uint64_t limit = no_limit;
  for (const auto& line : split(*groups, '\n')) {  // "0::/a/b" or "4:memory:/a/b"
    const auto parts = split(line, ':');
    const bool second = parts.size() == 3 && parts[1].empty();
    if (!second && (parts.size() != 3 || parts[1] != "memory")) continue;
    const auto folder = root + (second ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory");
    const std::string file = second ? "/memory.max" : "/memory.limit_in_bytes";
    for (auto group = parts[2]; group.starts_with('/'); group.resize(group.rfind('/')))
      limit = std::min(limit, limit_in(folder + group + file));
    limit = std::min(limit, limit_in(folder + file));  // a container's own, seen as the top
  }
  return limit;
}

uint64_t usable_memory() {
  const auto pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  const auto machine = pages > 0 && page > 0
                           ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(page)
                           : no_limit;
  return std::min(machine, control_group_limit());
}

}  // namespace slipway
