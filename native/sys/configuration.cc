#include "sys/configuration.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"
#include "sys/directory_stream.h"
#include "sys/io.h"

namespace vulcan {
namespace {

[[nodiscard]] bool IsRegularAt(int directory, const char* path) {
  struct stat status {};
  return ::fstatat(directory, path, &status, 0) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

std::optional<std::string> ReadConfiguration(const std::string& path, std::size_t limit) {
  // O_NONBLOCK: a FIFO must not hold up the thread.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    if (errno == ENOENT) return std::nullopt;
    throw SystemError("open", path);
  }
  if (!IsRegularAt(AT_FDCWD, path.c_str())) throw Error(EINVAL, "open", "not a regular file").Path(path);
  return ReadAll(fd.Get(), limit, path);
}

std::vector<std::string> ListConfiguration(const std::string& directory) {
  const DirectoryStream stream(::opendir(directory.c_str()));
  if (!stream) {
    if (errno == ENOENT) return {};
    throw SystemError("opendir", directory);
  }
  std::vector<std::string> names;
  errno = 0;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this thread's own
  while (const dirent* entry = ::readdir(stream.get())) {
    if (IsRegularAt(::dirfd(stream.get()), entry->d_name)) names.emplace_back(entry->d_name);
    errno = 0;
  }
  if (errno != 0) throw SystemError("readdir", directory);
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<FoundFile> FindFile(const std::vector<std::string>& directories, const std::string& name) {
  for (const std::string& directory : directories) {
    std::string path = directory;
    path.append("/").append(name);
    if (!IsRegularAt(AT_FDCWD, path.c_str())) continue;
    const bool executable = ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
    return FoundFile{std::move(path), executable};
  }
  return std::nullopt;
}

}  // namespace vulcan
