#include "plugin/output.h"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.h"

namespace vulcan::plugin {

std::string ReadInput() {
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw SystemError("read");
    if (size == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

void Print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(STDOUT_FILENO, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw SystemError("write");
    text.remove_prefix(static_cast<std::size_t>(size));
  }
}

}  // namespace vulcan::plugin
