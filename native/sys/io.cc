#include "sys/io.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"

namespace vulcan {

std::string ReadAll(int fd, std::size_t limit, const std::string& path) {
  constexpr std::size_t kChunk = 16'384;
  std::string data;
  for (;;) {
    const std::size_t have = data.size();
    data.resize(have + std::min(kChunk, limit + 1 - have));
    const ssize_t got = ::read(fd, data.data() + have, data.size() - have);
    if (got < 0 && errno != EINTR) throw SystemError("read", path);
    data.resize(have + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return data;
    if (data.size() > limit) throw Error(EFBIG, "read").Path(path);
  }
}

void WriteAll(int fd, std::string_view data, const std::string& path) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd, data.data(), data.size());
    if (written < 0 && errno != EINTR) throw SystemError("write", path);
    data.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
}

}  // namespace vulcan
