#include "lab/provenance.h"

#include <sys/utsname.h>
#include <unistd.h>

#include "base/files.h"
#include "base/process.h"
#include "base/text.h"

namespace slipway::lab {
namespace {

std::string git(const std::string& folder, std::vector<std::string> arguments) {
  // A stranger's folder must not have git start a program of its own.
  std::vector<std::string> argv = {"git", "-c", "core.fsmonitor=false", "-C", folder};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto output = run_process(argv, {.timeout_ms = 5'000, .max_output_bytes = 4 << 20});
  return output.ok() && output->exit_code == 0 ? output->out : std::string();
}

std::string line_value(const std::string& text, std::string_view key) {
  for (const auto& line : split(text, '\n')) {
    if (starts_with(line, key))
      return std::string(trim(std::string_view(line).substr(line.find(':') + 1)));
  }
  return {};
}

json::Value git_json(const std::string& folder, store::Store& store) {
  const auto commit = std::string(trim(git(folder, {"rev-parse", "HEAD"})));
  if (commit.empty()) return nullptr;
  auto value = json::Value::object();
  value.set("commit", commit);
  const auto diff = git(folder, {"diff", "HEAD", "--no-ext-diff", "--no-textconv"});
  value.set("dirty", !diff.empty());
  if (!diff.empty()) {
    if (auto object = store.put_object(mask_secrets(diff)); object.ok())
      value.set("diff_object", *object);
  }
  return value;
}

}  // namespace

json::Value machine_json() {
  auto machine = json::Value::object();
  const auto cpu = files::read("/proc/cpuinfo", 4 << 20);
  if (cpu.ok()) machine.set("cpu", line_value(*cpu, "model name"));
  machine.set("cores", static_cast<int64_t>(::sysconf(_SC_NPROCESSORS_ONLN)));
  machine.set("memory_mb", static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) *
                               ::sysconf(_SC_PAGESIZE) / (1 << 20));
  utsname system{};
  if (::uname(&system) == 0) {
    machine.set("os", std::string(system.sysname) + " " + system.release + " " + system.machine);
  }
  return machine;
}

json::Value capture_provenance(const std::string& folder, const std::vector<std::string>& argv,
                               store::Store& store) {
  auto value = json::Value::object();
  value.set("slipway_version", slipway_version).set("machine", machine_json());
  value.set("command", mask_secrets(join(argv, " ")));
  value.set("git", git_json(folder, store));
  return value;
}

}  // namespace slipway::lab
