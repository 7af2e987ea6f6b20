#include "sys/io.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"

namespace vulcan {
namespace {

constexpr std::size_t kReadBytes = 16'384;

// `read(into, bytes, offset)` appends what it gives; `is_end(got, asked)` says when there is no more.
template <typename Read, typename IsEnd>
[[nodiscard]] std::string Gather(std::size_t limit, const std::string& path, Read read, IsEnd is_end) {
  std::string data;
  for (;;) {
    const std::size_t have = data.size();
    const std::size_t asked = std::min(kReadBytes, limit + 1 - have);
    data.resize(have + asked);
    const ssize_t got = read(data.data() + have, asked, have);
    if (got < 0 && errno != EINTR) throw SystemError("read", path);
    const bool is_interrupted = got < 0;
    const auto count = static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    data.resize(have + count);
    if (data.size() > limit) throw Error(EFBIG, "read").Path(path);
    if (!is_interrupted && is_end(count, asked)) return data;
  }
}

}  // namespace

std::string ReadAll(int fd, std::size_t limit, const std::string& path) {
  return Gather(
      limit, path, [fd](char* into, std::size_t bytes, std::size_t) { return ::read(fd, into, bytes); },
      [](std::size_t got, std::size_t) { return got == 0; });
}

std::string ReadRegularFile(int fd, std::size_t limit, const std::string& path) {
  return Gather(
      limit, path,
      [fd](char* into, std::size_t bytes, std::size_t from) {
        return ::pread(fd, into, bytes, static_cast<off_t>(from));
      },
      [](std::size_t got, std::size_t asked) { return got < asked; });
}

void WriteAll(int fd, std::string_view data, const std::string& path) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd, data.data(), data.size());
    if (written < 0 && errno != EINTR) throw SystemError("write", path);
    data.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
}

void Overwrite(int fd, std::string_view data, const std::string& path) {
  for (std::size_t done = 0; done < data.size();) {
    const ssize_t written = ::pwrite(fd, data.data() + done, data.size() - done, static_cast<off_t>(done));
    if (written < 0 && errno != EINTR) throw SystemError("write", path);
    done += static_cast<std::size_t>(std::max<ssize_t>(written, 0));
  }
}

}  // namespace vulcan
